"""Adaptation: blind for what it will make, in time, and spread over the clip."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from time import monotonic

import numpy as np
import pytest
import torch

from gsmooth_core.taft.adaptation.adapt import AdaptSettings, learn, open_to, shares_of
from gsmooth_core.taft.adaptation.calibrate import CalibrationSettings
from gsmooth_core.taft.adaptation.ridge import ridge
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.correctives import Personal
from gsmooth_core.taft.generators import generator as g
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.taft.samples import ClipData, SampleSettings
from gsmooth_core.taft.translate import FaceTranslator
from gsmooth_core.types import FaceTrack, Image
from tests.taft import scene
from tests.taft.small import SMALL, stirred

FRAMES = 40  # at 25 a second
SAMPLES = SampleSettings(8, 0.12)
SETTINGS = AdaptSettings(
    SAMPLES,
    CalibrationSettings(fewest=1),
    parts=3,
    fade=0.16,
    shortest=0.3,
)
COMPOSE = ComposeSettings(size=256, references=ReferenceSettings(bank=12, count=3))


@pytest.fixture(scope="module")
def clip() -> FaceTrack:
    return scene.track(FRAMES)


@pytest.fixture(scope="module")
def pictures(clip: FaceTrack) -> list[Image]:
    return scene.pictures(clip)


@pytest.fixture
def credulous(monkeypatch) -> None:
    """What was learned is believed, whatever unseen frames say."""

    def believing(x, y, penalties, *_args) -> np.ndarray:
        return ridge(x, y, penalties[0])

    monkeypatch.setattr("gsmooth_core.taft.adaptation.calibrate.proven_ridge", believing)


def clip_data(track: FaceTrack, pictures: list[Image], generator: torch.nn.Module) -> ClipData:
    return ClipData(
        track,
        scene.face_model(),
        lambda: nullcontext(pictures.__getitem__),
        generator,
        COMPOSE,
        "cpu",
    )


def personal(clip: FaceTrack, pictures: list[Image], generator: torch.nn.Module) -> Personal:
    learned = learn(clip_data(clip, pictures, generator), SETTINGS)
    assert learned
    return learned


@pytest.mark.parametrize(("frames", "parts"), [(40, 2), (400, 4), (401, 7)])
def test_no_part_learns_from_what_it_makes_or_from_what_is_near_it(frames, parts) -> None:
    settings = replace(SETTINGS, parts=parts)
    clip = scene.track(frames)
    shares, free = shares_of(frames, 25.0, settings), open_to(clip, settings)
    assert free is not None
    clear = SETTINGS.lessons.gap * 25
    for share, open_frames in zip(shares.T, free.T, strict=True):
        makes, learns = np.flatnonzero(share), np.flatnonzero(open_frames)
        assert np.abs(makes[:, None] - learns[None]).min() > clear
        assert len(learns) > 0.9 * frames * (1 - 1 / parts) - 4 * clear


def test_one_parts_correctives_become_the_next_ones() -> None:
    shares = shares_of(400, 25.0, replace(SETTINGS, parts=4, fade=0.4))
    np.testing.assert_allclose(shares.sum(1), 1, atol=1e-6)
    assert shares[50::100].argmax(1).tolist() == [0, 1, 2, 3]
    assert (shares[50::100].max(1) == 1).all()
    assert np.abs(np.diff(shares, axis=0)).max() <= 0.1 + 1e-6  # over 10 frames
    assert ((shares > 0).sum(1) == 1).mean() > 0.9


def test_a_short_clip_is_not_adapted(clip) -> None:
    assert open_to(clip, replace(SETTINGS, shortest=1.0)) is None
    unseen = replace(clip, confidence=np.zeros(FRAMES, np.float32))
    assert open_to(unseen, SETTINGS) is None


@pytest.mark.usefixtures("credulous")
@pytest.mark.parametrize("preset", g.PRESETS)
def test_poison_changes_nothing_with_adaptation(clip, pictures, preset: str) -> None:
    """The hidden pixels of a frame have no part in its picture, be it through correctives."""
    generator = stirred(SMALL[preset])
    target = clip.expression[::-1].copy()

    def made(source: list[Image], frame: int):
        own = personal(clip, source, generator)
        assert all(own.parts)
        dub = FaceTranslator(
            clip, scene.face_model(), target, source.__getitem__, generator, COMPOSE, "cpu", own
        )
        return dub.translate(frame, source[frame])

    rng = np.random.default_rng(0)
    for frame in (4, 21):  # in a part, and where the parts meet
        clean = made(pictures, frame)
        poisoned = pictures[frame].copy()
        poisoned[clean.hidden] = rng.integers(0, 256, (int(clean.hidden.sum()), 3))
        source = [p if n != frame else poisoned for n, p in enumerate(pictures)]
        assert np.array_equal(made(source, frame).frame, clean.frame)


@pytest.mark.usefixtures("credulous")
def test_what_was_learned_is_used(clip, pictures) -> None:
    generator = stirred(SMALL["default"])
    own = personal(clip, pictures, generator)
    args = (clip, scene.face_model(), clip.expression, pictures.__getitem__, generator, COMPOSE)
    plain, personally = FaceTranslator(*args, "cpu"), FaceTranslator(*args, "cpu", own)
    before, after = (dub.translate(4, pictures[4]).frame for dub in (plain, personally))
    assert not np.array_equal(before, after)


def test_who_asks_for_a_wider_gap_gets_it(clip, pictures) -> None:
    whole = clip_data(clip, pictures, stirred(SMALL["default"]))
    wide = replace(COMPOSE, references=replace(COMPOSE.references, gap=2.0))  # the clip has 1.6 s
    assert learn(replace(whole, compose=wide), SETTINGS) is None


def test_no_time_teaches_nothing(clip, pictures) -> None:
    generator = stirred(SMALL["default"])
    begin = monotonic()
    made = learn(clip_data(clip, pictures, generator), SETTINGS, seconds=0)
    assert made
    assert not any(made.parts)
    assert monotonic() - begin < 10


def test_samples_that_time_cuts_short_are_spread_over_the_clip(clip, pictures) -> None:
    many, frames = clip_data(clip, pictures, stirred(SMALL["default"])), []
    for _, composition in many.samples(many.composer(SAMPLES), SAMPLES, monotonic() + 1e6):
        frames.append(composition.frame)
    assert len(set(frames)) == len(frames) == 8
    assert np.ptp(frames[:3]) > FRAMES / 2
