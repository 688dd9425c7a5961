"""Detail: what frames of the clip show is what is given, and never the frame itself."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from gsmooth_core.errors import InputError
from gsmooth_core.mafb.crop import window
from gsmooth_core.mafb.regions import box_around
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.finish import rehearsal
from gsmooth_core.taft.finish.blotches import colour_energies
from gsmooth_core.taft.finish.grain import Film
from gsmooth_core.taft.finish.lower_face import LowerFace
from gsmooth_core.taft.finish.rehearsal import GAP
from gsmooth_core.taft.finish.sharpness import (
    SIGMAS,
    Sharpness,
    Somewhere,
    Trial,
    bands,
    energies,
    gains_of,
    grey_of,
    inwards,
    responses,
    sharpened,
)
from gsmooth_core.taft.finish.sharpness_file import load_sharpness, save_sharpness
from gsmooth_core.taft.generators import generator as generators
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.taft.translate import FaceTranslator
from tests.taft import scene
from tests.taft.small import SMALL

NO_GRAIN = np.zeros(len(SIGMAS), np.float32)
NO_COLOUR = np.zeros((2, 2, len(SIGMAS) + 1))
MANY = 500


def texture(seed: int = 0, side: int = 160) -> np.ndarray:
    white = np.random.default_rng(seed).standard_normal((side, side))
    return (gaussian_filter(white, 0.8) * 60 + 128).astype(np.float32)


def natural(seed: int = 0, side: int = 160) -> np.ndarray:
    """Half the amplitude at twice the frequency, as faces have it."""
    axis = np.fft.fftfreq(side)
    frequency = np.hypot(axis[:, None], axis)
    frequency[0, 0] = np.inf
    white = np.random.default_rng(seed).standard_normal((side, side))
    found = np.fft.ifft2(np.fft.fft2(white) / frequency).real
    return (found / found.std() * 40 + 128).astype(np.float32)


def everywhere(picture: np.ndarray) -> np.ndarray:
    return energies(picture, [np.ones(picture.shape, bool)])


def trial(truth: np.ndarray, made: np.ndarray, *pictures: int) -> Trial:
    given = responses(made, [np.ones(made.shape, bool)])
    return Trial(pictures or (0,), everywhere(truth), given, NO_COLOUR, 128.0)


def with_gains(picture: np.ndarray, *gains: np.ndarray, others: tuple[Somewhere, ...] = ()):
    return sharpened(picture, bands(grey_of(picture)), *gains, others=others)


def test_bands_are_differences_of_gaussians() -> None:
    picture = texture()
    blurred = [picture, *(gaussian_filter(picture.astype(float), s, truncate=8) for s in SIGMAS)]
    inner = np.s_[40:-40, 40:-40]
    for found, finer, coarser in zip(bands(picture), blurred, blurred[1:], strict=False):
        np.testing.assert_allclose(found[inner], (finer - coarser)[inner], atol=0.15)


@pytest.mark.parametrize("picture", [texture(1), natural(1)], ids=["fine", "natural"])
def test_responses_foresee_what_gains_make_of_a_picture(picture) -> None:
    gains, weight = np.float32([1.5, 0.9, 1.2]), np.ones((160, 160), np.float32)
    weight[:80] = np.linspace(0, 1, 80, dtype=np.float32)[:, None]
    places = [np.indices((160, 160))[0] < 70, np.indices((160, 160))[1] > 90]
    given = with_gains(np.repeat(picture[..., None], 3, 2), gains, weight).mean(-1)
    parts = np.array([1, *(gains - 1)])
    foreseen = np.einsum("a,pbac,c->pb", parts, responses(picture, places, weight), parts)
    np.testing.assert_allclose(foreseen, energies(given, places), rtol=1e-3)
    plain = responses(picture, places)[..., 0, 0]
    np.testing.assert_allclose(plain, energies(picture, places), rtol=1e-5)


@pytest.mark.parametrize("lost", [(0.25, 0.15, 0.1), (0.3, 0.2, 0), (0.1, 0.2, 0.1)])
@pytest.mark.parametrize("truth", [texture(), natural()], ids=["fine", "natural"])
def test_what_was_lost_is_given_back(truth, lost) -> None:
    soft = truth - sum(share * part for share, part in zip(lost, bands(truth), strict=True))
    gains = gains_of([trial(truth, soft)] * MANY, [NO_GRAIN] * MANY)
    back = with_gains(np.repeat(soft[..., None], 3, 2), gains)
    before, after = (everywhere(p) / everywhere(truth) for p in (soft, back.mean(-1)))
    assert before[0, 0] < 0.8
    np.testing.assert_allclose(after, 1, atol=0.02)


def test_gains_leave_colours_and_broad_light() -> None:
    picture = np.stack([texture(), 0.5 * texture() + 30, np.full((160, 160), 90, np.float32)], -1)
    sharp = with_gains(picture, np.float32([1.4, 1.2, 1.1]))
    moved = sharp - picture
    np.testing.assert_allclose(np.ptp(moved, axis=-1), 0, atol=1e-4)
    assert abs(gaussian_filter(moved[..., 0], 12)).max() < 1
    np.testing.assert_array_equal(with_gains(picture, np.ones(3, np.float32)), picture)


def test_at_the_outline_of_a_mask_nothing_changes() -> None:
    hidden = np.zeros((160, 160), bool)
    hidden[30:130, 40:140] = True
    weight = inwards(hidden, 12)
    assert (weight[~hidden] == 0).all()
    assert (weight[36:124, 46:134] == 1).all()
    assert 0 < weight[30, 80] < weight[32, 80] < weight[34, 80] < 1
    picture = np.repeat(texture()[..., None], 3, 2)
    gains = np.float32([1.4, 1.2, 1.1])
    sharp, whole = with_gains(picture, gains, weight), with_gains(picture, gains)
    np.testing.assert_array_equal(sharp[~hidden], picture[~hidden])
    np.testing.assert_array_equal(sharp[weight == 1], whole[weight == 1])


def test_few_frames_move_little_and_none_too_far() -> None:
    truth, soft = texture(), 0.2 * texture() + 100
    np.testing.assert_allclose(gains_of([trial(truth, soft)] * MANY, [NO_GRAIN] * MANY), 1.6)
    np.testing.assert_allclose(gains_of([trial(soft, truth)] * MANY, [NO_GRAIN] * MANY), 0.8)
    usual = gains_of([], [])
    assert (usual > 1).all()
    assert (usual < 1.15).all()
    softer = truth - 0.3 * bands(truth)[0]
    few, many = (gains_of([trial(truth, softer)] * n, [NO_GRAIN] * n)[0] for n in (3, MANY))
    assert usual[0] < few < many
    assert Sharpness([trial(truth, softer)] * 2).gains(9) is None


@pytest.mark.parametrize("wild", [0.05, 20.0])
def test_one_wild_frame_does_not_count(wild: float) -> None:
    truth = texture()
    softer = [trial(truth, truth - 0.1 * n * bands(truth)[0]) for n in range(3)]
    alone = gains_of(softer, [NO_GRAIN] * 3)
    several = gains_of([*softer, trial(wild * truth, truth)], [NO_GRAIN] * 4)
    farther = gains_of([*softer, trial(wild**2 * truth, truth)], [NO_GRAIN] * 4)
    np.testing.assert_array_equal(several, farther)
    np.testing.assert_allclose(several, alone, atol=0.035)


def test_lips_and_skin_get_what_they_lack_each() -> None:
    truth, left = texture(), np.arange(160) < 80
    soft = truth - np.where(left, 0.3, 0) * bands(truth)[0]
    places = [np.broadcast_to(side, (160, 160)) for side in (left, ~left)]
    one = Trial((0,), energies(truth, places), responses(soft, places), NO_COLOUR, 128.0)
    gains = Sharpness([one] * MANY).gains(9)
    each = [Trial((0,), one.truth[[n]], one.made[[n]], NO_COLOUR, 128.0) for n in range(2)]
    for found, alone in zip(gains, each, strict=True):
        np.testing.assert_array_equal(found, gains_of([alone] * MANY, [NO_GRAIN] * MANY))
    assert gains[0, 0] > 1.3 and abs(gains[1, 0] - 1) < 0.05


def test_other_gains_in_a_place_are_those_that_are_asked_for() -> None:
    picture, gains = np.repeat(texture()[..., None], 3, 2), np.float32([1.3, 1.1, 1])
    weight = np.zeros((160, 160), np.float32)
    weight[:, 80:] = 1
    there = Somewhere(np.array([0.5, 1.2, 1]), weight)
    made = with_gains(picture, gains, others=(there,))
    np.testing.assert_allclose(made[:, :80], with_gains(picture, gains)[:, :80], atol=1e-3)
    other = with_gains(picture, np.float32([0.65, 1.32, 1]))
    np.testing.assert_allclose(made[:, 80:], other[:, 80:], atol=1e-3)


def test_grain_counts_as_detail() -> None:
    rng = np.random.default_rng(3)
    tile = np.repeat(rng.normal(0, 8, (512, 512, 1)).astype(np.float32), 3, 2)
    film = Film(tile, np.ones(9))
    plain = texture()
    noisy = plain + film.on(np.zeros((160, 160, 3), np.float32), 7).mean(-1)
    sharpness = Sharpness([trial(noisy, plain, n) for n in range(MANY)])
    assert sharpness.gains(1000)[0, 0] > 1.1
    np.testing.assert_allclose(sharpness.gains(1000, 0, film), 1, atol=0.04)
    louder = Film(tile, np.linspace(0, 4, 9))  # twice as loud at the brightness of the trials
    assert sharpness.gains(1000, 0, louder)[0, 0] < 0.98


def test_nothing_is_learned_from_a_picture_for_itself_or_its_neighbours() -> None:
    truth = texture()
    first = [trial(truth, truth, n, n + 50) for n in (0, 10, 20)]
    softer = truth - 0.2 * bands(truth)[0]
    sharpness = Sharpness([*first, *(trial(truth, softer, n, n + 50) for n in (30, 40, 45))])
    alike = sharpness.gains(7)
    for picture in (0, 50, 20, 70):  # tried itself, or lent to one that was
        assert sharpness.gains(picture)[0, 0] > alike[0, 0]
    assert sharpness.gains(43, 3)[0, 0] < alike[0, 0]
    assert sharpness.gains(43, 2)[0, 0] < alike[0, 0]
    np.testing.assert_array_equal(sharpness.gains(43, 1), alike)
    assert sharpness.gains(25, 5)[0, 0] == sharpness.gains(25, 6)[0, 0]
    np.testing.assert_array_equal(sharpness.gains(25, 30), [gains_of([], [])])


def test_a_file_holds_the_same_gains(tmp_path: Path) -> None:
    truth = texture()
    trials = [
        trial(truth, truth - 0.1 * n * bands(truth)[0], n, *range(9, 9 + n)) for n in (1, 2, 3)
    ]
    trials = [replace(one, colour=one.colour + n) for n, one in enumerate(trials)]
    trials[1:] = [replace(one, lost=np.array([-0.5, n, 1])) for n, one in enumerate(trials[1:])]
    levels = {3: np.array([-4.0, -3, -2]), 17: np.array([-5.0, -3, -1])}
    save_sharpness(tmp_path / "a", Sharpness(trials, levels))
    save_sharpness(tmp_path / "b", load_sharpness(tmp_path / "a"))
    a, b = (load_sharpness(tmp_path / name) for name in "ab")
    assert [t.pictures for t in a.trials] == [t.pictures for t in trials]
    np.testing.assert_array_equal(a.gains(99), b.gains(99))
    assert {n: own.tolist() for n, own in b.levels.items()} == {
        n: own.tolist() for n, own in levels.items()
    }
    for mine, its in zip(a.trials, trials, strict=True):
        np.testing.assert_allclose(mine.colour, its.colour)
        np.testing.assert_array_equal(mine.lost, its.lost)
    np.testing.assert_allclose(a.gains(99), Sharpness(trials).gains(99), rtol=1e-5)
    save_sharpness(tmp_path / "none", Sharpness([]))
    assert load_sharpness(tmp_path / "none").trials == []
    assert load_sharpness(tmp_path / "none").levels == {}
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes()[:-7])
    with pytest.raises(InputError):
        load_sharpness(tmp_path / "a")


# -- in a clip -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clip():
    return replace(scene.track(20), fps=Fraction(3))


@pytest.fixture(scope="module")
def rough(clip) -> list[np.ndarray]:
    """Frames with a texture that no other frame has: what is fused from others is soft."""
    rng = np.random.default_rng(5)
    found = (
        p + gaussian_filter(rng.normal(0, 20, p.shape), (1, 1, 0)) for p in scene.pictures(clip)
    )
    return [np.rint(p).clip(0, 255).astype(np.uint8) for p in found]


def translator(clip, pictures, *, sharpness: bool = True, words=None) -> FaceTranslator:
    settings = ComposeSettings(
        grain=False, sharpness=sharpness, references=ReferenceSettings(bank=20, gap=GAP)
    )
    network = generators.build(SMALL["default"]).eval()
    source, said = pictures.__getitem__, clip.expression[::-1].copy() if words is None else words
    return FaceTranslator(clip, scene.face_model(), said, source, network, settings, "cpu")


def test_a_soft_mouth_becomes_as_sharp_as_the_clip(clip, rough) -> None:
    own = clip.expression
    dub, plain = (translator(clip, rough, sharpness=on, words=own) for on in (True, False))
    assert plain.sharpness is None
    assert len(dub.sharpness.trials) >= 4
    gaps = [min(abs(n - t.pictures[0]) for n in t.pictures[1:]) for t in dub.sharpness.trials]
    assert min(gaps) / float(clip.fps) > 0.5
    found = []
    for frame in (3, 8, 12, 17):
        made, soft = (one.translate(frame, rough[frame]) for one in (dub, plain))
        np.testing.assert_array_equal(made.mask, soft.mask)
        np.testing.assert_array_equal(made.frame[~made.mask], rough[frame][~made.mask])
        grey = (p.mean(-1, dtype=np.float32) for p in (rough[frame], made.frame, soft.frame))
        found.append([energies(p, [made.hidden])[0, 0] for p in grey])
    true, new, old = np.sum(found, 0)
    assert old < 0.85 * true
    assert abs(np.log(new / true)) < 0.6 * abs(np.log(old / true))


def test_a_trial_is_made_as_the_dub_makes_its_frame(clip, rough) -> None:
    dub = translator(clip, rough, words=clip.expression)
    trials, dub.sharpness = dub.sharpness.trials, None
    assert len(trials) == 16
    for trial in trials[::5]:
        frame, *used = trial.pictures
        assert used == list(dub.composer.members(frame))
        made = dub.translate(frame, rough[frame])
        again = rehearsal._compared(dub, trial.pictures, rough[frame], made)
        np.testing.assert_allclose(again.made, trial.made, rtol=1e-3, atol=1e-3)


def test_how_wide_a_mask_is_tells_no_gain(clip, rough) -> None:
    """Where gains fade out, what a mouth lacks is not looked at."""
    dub, frame = translator(clip, rough, sharpness=False, words=clip.expression), 8
    made = dub.translate(frame, rough[frame])
    found = rehearsal._compared(dub, (frame,), rough[frame], made)
    composer = dub.composer
    under = window(composer.transforms[frame], composer.size, dub.track.area_of(frame))
    core = inwards(made.hidden, composer.rim / under.scale) >= 1
    part, lips, face = box_around(made.hidden, 0), np.zeros(core.shape, bool), LowerFace(composer)
    at = part[0].start - under.box[1], part[1].start - under.box[0]
    points = face.places(frame, under, at)
    lips[part] = face.around_lips(points, core[part].shape, under) >= 0.5
    assert np.count_nonzero(core) < 0.9 * np.count_nonzero(made.hidden)
    grey = rough[frame].mean(-1, dtype=np.float32)
    expected = energies(grey, [core & lips, core & ~lips])
    np.testing.assert_allclose(found.truth, expected, rtol=1e-3)
    skin = colour_energies(rough[frame].astype(np.float32), core & ~lips)  # beside the lips alone
    np.testing.assert_allclose(found.colour[0], skin, rtol=0.02)


def test_poison_under_the_mask_changes_no_gain(clip, rough) -> None:
    dub, rng = translator(clip, rough), np.random.default_rng(0)
    tried = [trial.pictures[0] for trial in dub.sharpness.trials]
    lent = [n for trial in dub.sharpness.trials for n in trial.pictures[1:]]
    for frame in (tried[0], tried[-1], max(set(lent) - set(tried), key=lent.count)):
        clean = dub.translate(frame, rough[frame])
        assert dub.sharpness.gains(frame) is not None
        poisoned = rough[frame].copy()
        poisoned[clean.hidden] = rng.integers(0, 256, (int(clean.hidden.sum()), 3))
        source = [p if n != frame else poisoned for n, p in enumerate(rough)]
        again = translator(clip, source)
        np.testing.assert_array_equal(again.translate(frame, poisoned).frame, clean.frame)
        other = (frame + 10) % len(rough)
        changed = again.sharpness.gains(other) != dub.sharpness.gains(other)
        assert changed.any()  # otherwise it would pass for a program that looks at nothing


def test_a_clip_that_is_too_short_is_left_alone() -> None:
    short = scene.track(3)
    dub = translator(short, scene.pictures(short))
    assert dub.sharpness.trials == []
    assert dub.sharpness.gains(0) is None
