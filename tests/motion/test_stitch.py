"""Stitched movements: like their library, fitting the speech, different by seed and style."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.motion import stitch
from gsmooth_core.motion.head import TILTED
from gsmooth_core.motion.library import MotionLibrary, motion_library
from gsmooth_core.motion.stitch import MotionSettings, stitched
from tests.motion import made

FPS = Fraction(25)
LOUD = np.ones(750, np.float32)


def speed(motion):
    """(T - 1,) degrees a frame."""
    return np.rad2deg(np.linalg.norm(np.diff(motion.turn, axis=0), axis=1))


def distance(a, b):
    return float(np.abs(a.turn - b.turn).mean())


@pytest.fixture(scope="module")
def library():
    return made.library()


def test_one_seed_is_one_movement_and_ten_seeds_are_ten(library):
    ten = [stitched(LOUD, FPS, MotionSettings(seed=n), library) for n in range(10)]
    again = stitched(LOUD, FPS, MotionSettings(seed=3), library)
    np.testing.assert_array_equal(again.turn, ten[3].turn)
    np.testing.assert_array_equal(again.blink, ten[3].blink)
    apart = [distance(a, b) for n, a in enumerate(ten) for b in ten[:n]]
    assert min(apart) > np.deg2rad(0.1)


@pytest.mark.parametrize("count", [1, 2, 10, 60, 333])
@pytest.mark.parametrize("fps", [Fraction(25), Fraction(24000, 1001), Fraction(60)])
def test_any_length_at_any_rate_begins_and_ends_at_rest(count, fps, library):
    motion = stitched(np.ones(count, np.float32), fps, MotionSettings(), library)
    assert (len(motion), motion.fps) == (count, fps)
    for curves in (motion.turn, motion.shift):
        assert np.isfinite(curves).all()
        assert not curves[[0, -1]].any()


def test_no_step_is_larger_than_in_the_library(library):
    """Joins, the beginning and the end do not jump."""
    usual = np.rad2deg(np.linalg.norm(np.diff(library.motion[:599, :3], axis=0), axis=1))
    lively = np.rad2deg(np.linalg.norm(np.diff(library.motion[1800:, :3], axis=0), axis=1))
    for seed in range(10):
        calm = stitched(LOUD, FPS, MotionSettings(seed=seed, style=0), library)
        assert speed(calm).max() < 3 * usual.max()
        wild = stitched(LOUD, FPS, MotionSettings(seed=seed, style=3), library)
        assert speed(wild).max() < 1.3 * lively.max()


def test_a_library_of_one_clip_gives_back_its_parts():
    one = made.library((2.0,), 700)
    motion = stitched(LOUD, FPS, MotionSettings(seed=1), one)
    steps, known = np.diff(motion.turn, axis=0), np.diff(one.motion[:, :3], axis=0)
    flips = np.array([[1, 1, 1], [1, -1, -1]])
    found = [
        min(np.abs(known * flip - step).max(axis=1).min() for flip in flips)
        for step in steps[30:-30]
    ]
    assert np.mean(np.array(found) < 2e-4) > 0.6  # the rest are joins


def test_the_style_is_the_manner_of_a_clip(library):
    means = []
    for style in range(4):
        made_ones = [
            stitched(LOUD, FPS, MotionSettings(seed=seed, style=style), library)
            for seed in range(4)
        ]
        means.append(np.mean([speed(one).mean() for one in made_ones]))
    assert means == sorted(means)
    assert means[3] > 3 * means[0]
    again = stitched(LOUD, FPS, MotionSettings(style=5), library)
    assert distance(again, stitched(LOUD, FPS, MotionSettings(style=1), library)) == 0


def test_the_amount_scales_and_none_is_none(library):
    small = made.library((0.5, 1.0))
    whole = stitched(LOUD, FPS, MotionSettings(seed=2), small)
    half = stitched(LOUD, FPS, MotionSettings(seed=2, amount=0.5), small)
    np.testing.assert_allclose(half.turn, whole.turn / 2, atol=1e-6)
    np.testing.assert_allclose(half.shift, whole.shift / 2, atol=1e-6)
    np.testing.assert_array_equal(half.blink, whole.blink)
    none = stitched(LOUD, FPS, MotionSettings(amount=0.0), library)
    assert not none.turn.any()
    assert none.blink.max() == 1


def test_a_wild_library_is_kept_within_the_limits():
    wild = made.library((15.0, 30.0))
    motion = stitched(LOUD, FPS, MotionSettings(), wild)
    turned = np.rad2deg(np.linalg.norm(motion.turn * (1, 1, TILTED), axis=1))
    assert 12 < turned.max() <= 14.001


def test_silence_is_calm(library):
    energy = np.repeat([1.0, 0.0, 1.0], 250).astype(np.float32)
    ratios = []
    for seed in range(6):
        moved = speed(stitched(energy, FPS, MotionSettings(seed=seed, style=2), library))
        ratios.append(moved[290:460].mean() / moved[20:230].mean())
    assert np.median(ratios) < 0.65


def test_pieces_are_as_loud_as_the_speech():
    """One clip whose loud parts alone move: so does the result where the speech is loud."""
    one = made.library((2.0,), 2000)
    loud = np.repeat(np.arange(20) % 2, 100).astype(np.float32)
    swell = np.convolve(loud, np.ones(15) / 15, "same")
    motion = (one.motion * swell[:, None]).astype(np.float32)
    library = MotionLibrary(motion, loud, one.begin, one.brow)
    energy = np.repeat(np.arange(10) % 2, 75).astype(np.float32)
    moved = [speed(stitched(energy, FPS, MotionSettings(seed=s), library)) for s in range(6)]
    r = [np.corrcoef(m, energy[1:])[0, 1] for m in moved]
    shifted = [np.corrcoef(m, np.roll(energy[1:], 75))[0, 1] for m in moved]
    assert np.mean(r) > 0.3 > np.mean(shifted)


def test_another_rate_is_the_same_movement(library):
    at25 = stitched(LOUD, FPS, MotionSettings(seed=1), library)
    at50 = stitched(np.ones(1500, np.float32), Fraction(50), MotionSettings(seed=1), library)
    between = (at50.turn[::2] + at50.turn[1::2]) / 2  # the middle of a slow frame
    np.testing.assert_allclose(between[25:-25], at25.turn[25:-25], atol=np.deg2rad(0.05))


def test_a_seed_moves_otherwise_for_other_words_and_alike_for_the_same_ones_a_little_louder():
    """Speeches of 3 seconds whose loudness is the same in the mean."""
    t = np.arange(75)
    said = [np.float32(0.6 + 0.3 * np.sin(t / pace + phase)) for pace, phase in
            ((5, 0), (5, 2), (9, 1), (14, 3))]  # fmt: skip
    same = alike = 0
    for seed in range(10):
        made = [stitched(one - one.mean() + 0.6, FPS, MotionSettings(seed=seed)) for one in said]
        same += sum(distance(a, b) < np.deg2rad(0.3) for n, a in enumerate(made) for b in made[:n])
        louder = stitched(said[0] - said[0].mean() + 0.602, FPS, MotionSettings(seed=seed))
        alike += distance(louder, made[0]) < np.deg2rad(0.3)
    assert same <= 6  # of 60
    assert alike >= 9  # of 10


@pytest.mark.parametrize("first", [0, 7, 12345])
def test_ten_seeds_in_a_row_have_ten_styles_and_many_seeds_all_alike_often(first):
    count = motion_library().clips
    assert len({stitch._style(seed, count) for seed in range(first, first + 10)}) == 10
    often = np.bincount([stitch._style(seed, count) for seed in range(first, first + 100 * count)])
    assert len(often) == count
    assert stitch._style(0, count) == count // 2  # nobody who names no seed has the calmest
    assert often.min() >= 98
    assert often.max() <= 102


def test_hardly_a_seed_has_the_same_luck_with_two_speeches(library):
    t = np.arange(70)
    said = [np.float32(0.6 + 0.3 * np.sin(t / pace)) for pace in (9, 14)]
    alike = []
    for seed in range(100):
        lucks = [
            stitch._Chooser(library, 0, np.random.default_rng(seed))._luck(500, one) for one in said
        ]
        alike.append(np.corrcoef(lucks)[0, 1])
        assert np.isfinite(lucks).all()
        assert np.mean(lucks) == pytest.approx(np.euler_gamma, abs=0.3)  # Gumbel's
    assert max(alike) < 0.9
    assert np.mean(alike) < 0.3


def test_half_of_the_seeds_are_mirrored(library):
    """Nobody's head leans to one side by its library."""
    leaning = replace(library, motion=library.motion + np.deg2rad([0, 3, 0, 0, 0, 0]))
    sides = [
        np.sign(np.median(stitched(LOUD, FPS, MotionSettings(seed=s), leaning).turn[:, 1]))
        for s in range(16)
    ]
    assert 4 <= sides.count(1) <= 12


def test_pieces_lately_used_are_left_alone():
    one = made.library((2.0,), 1500)
    motion = stitch.chained(one, np.ones(500, np.float32), MotionSettings(seed=1))
    steps = np.diff(motion[:, :3], axis=0)
    apart = np.abs(steps[:, None, :2] - steps[None, :, :2]).max(axis=2)  # joins differ
    same = (apart < 1e-6) & (np.abs(np.subtract.outer(np.arange(499), np.arange(499))) > 20)
    runs = sum(np.diag(same, n).sum() for n in range(21, 499))
    assert runs < 25


def test_the_shipped_library_moves_as_people_do():
    library = motion_library()
    assert library.clips > 15
    for first, last in zip(library.begin[:-1], library.begin[1:], strict=True):
        assert np.abs(np.rad2deg(np.median(library.motion[first:last, :3], axis=0))).max() < 0.5
    energy = (np.sin(np.arange(1500) / 6) > -0.5).astype(np.float32)
    moved = [speed(stitched(energy, FPS, MotionSettings(seed=s))).mean() * 25 for s in range(8)]
    assert 5 < np.mean(moved) < 20
