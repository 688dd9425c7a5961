"""Correctives: errors of a mesh that follow a rule are learned, and nothing else."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest

from gsmooth_core.errors import InputError
from gsmooth_core.taft.adaptation.calibrate import (
    CalibrationSettings,
    ResidualFlow,
    calibrate,
    fitted,
)
from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.correctives import (
    Correctives,
    Personal,
    load_personal,
    regressors,
    save_personal,
)
from gsmooth_core.taft.generators.generator import build
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.taft.samples import ClipData, SampleSettings
from gsmooth_core.types import FaceTrack, Image
from tests.taft import scene
from tests.taft.small import SMALL

SETTINGS = CalibrationSettings()
FRAMES, POINTS, KINDS = 120, 30, 6
ALL = np.ones(POINTS, bool)


def known(
    rng: np.random.Generator, noise: float
) -> tuple[list[ResidualFlow], np.ndarray, np.ndarray]:
    """Residual flows of a person whose mesh errs linearly, the regressors, and the true weights."""
    walk = rng.standard_normal((FRAMES, KINDS)).cumsum(0)
    x = ((walk - walk.mean(0)) / walk.std(0)).astype(np.float32)
    truth = 0.01 * rng.standard_normal((KINDS, POINTS, 2))
    absolute = np.einsum("tf,fvc->tvc", x, truth) + 0.05  # what is constant, nobody can see
    residuals = []
    for frame in range(FRAMES):
        others = tuple(int(n) for n in rng.choice(FRAMES, 4, replace=False))
        trust = rng.dirichlet(np.ones(4)).astype(np.float32)
        seen = absolute[frame] - np.einsum("k,kvc->vc", trust, absolute[list(others)])
        seen = seen + noise * rng.standard_normal(seen.shape)
        residuals.append(ResidualFlow(frame, others, trust, seen.astype(np.float32)))
    return residuals, x, truth


def test_errors_are_found_from_differences_alone() -> None:
    residuals, x, truth = known(np.random.default_rng(0), 0.001)
    made = fitted(residuals, x, 5.0, replace(SETTINGS, penalties=(0.01, 1.0)), ALL)
    assert made is not None
    for a, b in ((3, 80), (50, 111)):
        expected = np.einsum("f,fvc->vc", x[a] - x[b], truth)
        assert np.abs(made.offset(x[a], x[b][None])[0] - expected).max() < 2e-3


def test_errors_without_a_rule_teach_nothing() -> None:
    rng = np.random.default_rng(1)
    residuals, x, _ = known(rng, 0.0)
    noise = [
        replace(m, flow=rng.standard_normal((POINTS, 2)).astype(np.float32)) for m in residuals
    ]
    assert fitted(noise, x, 5.0, SETTINGS, ALL) is None


def test_only_what_is_judged_decides() -> None:
    rng = np.random.default_rng(3)
    residuals, x, _ = known(rng, 0.001)
    half = np.arange(POINTS) < POINTS // 2
    for each in residuals:
        each.flow[half] = rng.standard_normal((POINTS // 2, 2))
    assert fitted(residuals, x, 5.0, SETTINGS, half) is None
    assert fitted(residuals, x, 5.0, SETTINGS, ~half) is not None


def test_nothing_is_expected_beyond_what_was_seen() -> None:
    residuals, x, _ = known(np.random.default_rng(2), 0.001)
    made = fitted(residuals, x, 5.0, SETTINGS, ALL)
    assert made is not None
    assert not made.offset(100 * np.ones(KINDS, np.float32), x.max(0)[None]).any()


def corrective(scale: float) -> Correctives:
    one = np.ones(2, np.float32)
    weights = scale * np.arange(8, dtype=np.float32).reshape(2, 4)
    return Correctives(0 * one, one, -3 * one, 3 * one, weights)


def test_one_persons_two_correctives_go_over_into_each_other() -> None:
    shares = np.float32([[1, 0], [0.5, 0.5], [0, 1]])
    both = Personal((corrective(1.0), corrective(3.0)), shares)
    x, others = np.float32([1, 2]), np.float32([[0, 0], [1, 2]])
    at = [both.offset(frame, x, others) for frame in range(3)]
    np.testing.assert_allclose(at[1], (at[0] + at[2]) / 2)
    np.testing.assert_allclose(at[2], 3 * at[0])
    assert not at[0][1].any()  # with the same regressors nothing is off
    none = Personal((None, None), shares)
    assert not none.offset(0, x, others).any()


def test_a_file_gives_back_what_was_written(tmp_path) -> None:
    path = tmp_path / "c.safetensors"
    made = Personal((corrective(0.25), None, corrective(1.0)), np.ones((4, 3), np.float32))
    save_personal(path, made)
    read = load_personal(path)
    np.testing.assert_array_equal(read.shares, made.shares)
    assert read.parts[1] is None
    for kept, written in zip(read.parts[::2], made.parts[::2], strict=True):
        assert kept
        assert written
        for name, value in vars(kept).items():
            np.testing.assert_array_equal(value, getattr(written, name))
    path.write_bytes(b"not this")
    with pytest.raises(InputError):
        load_personal(path)


# A person whose jaw goes to the left when it opens, which the track does not know.
CLIP = scene.track(48)
COMPOSE = ComposeSettings(size=256, references=ReferenceSettings(bank=3, count=3, gap=0.12))


@pytest.fixture(scope="module")
def pictures() -> list[Image]:
    names = CLIP.expression_names
    truly = CLIP.expression.copy()
    truly[:, names.index("jawLeft")] = 2 * CLIP.expression[:, names.index("jawOpen")]
    return scene.pictures(replace(CLIP, expression=truly))


def only(frames: np.ndarray) -> FaceTrack:
    return replace(CLIP, confidence=frames.astype(np.float32))


def learned(pictures: list[Image], track: FaceTrack) -> Correctives | None:
    data = ClipData(
        track,
        scene.face_model(),
        lambda: nullcontext(pictures.__getitem__),
        build(SMALL["default"]).eval(),
        COMPOSE,
        "cpu",
    )
    return calibrate(data, SampleSettings(24, gap=0.12), SETTINGS)


def error(pictures: list[Image], personal: Personal | None, frames: list[int]) -> float:
    """Of the warped references beside the truth."""
    model = scene.face_model()
    composer = Composer(CLIP, model, CLIP.expression, pictures.__getitem__, COMPOSE, personal)
    errors = []
    for frame in frames:
        composition = composer.compose(frame, pictures[frame])
        under, skin = composition.masked.under, composition.hints[..., 2] > 0
        truth = under.cut(under.part(pictures[frame])) / 255
        hidden = skin & (composition.blend.mask > 0)
        errors.append(((composition.blend.image - truth)[hidden] ** 2).mean())
    return float(np.mean(errors))


def test_unseen_frames_are_nearer_to_the_truth(pictures) -> None:
    first = np.arange(48) < 33
    made = learned(pictures, only(first))
    assert made is not None
    alone, unseen = Personal((made,), np.ones((FRAMES, 1), np.float32)), [38, 41, 44, 47]
    assert error(pictures, alone, unseen) < 0.7 * error(pictures, None, unseen)


def test_a_mesh_that_fits_needs_no_correction() -> None:
    pictures = scene.pictures(CLIP)
    made = learned(pictures, CLIP)
    size, x = COMPOSE.size, regressors(CLIP, CLIP.expression)
    if made is not None:  # what is left is below what a picture can tell
        moved = made.offset(x[8], x[:1])
        assert np.abs(moved).mean() * size < 0.1


def test_too_few_frames_teach_nothing(pictures) -> None:
    assert learned(pictures, only(np.arange(48) < 10)) is None
    assert regressors(CLIP, CLIP.expression).shape[0] == 48
