"""A tracked head's movement, found again and given to a photo."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.errors import NoFaceError
from gsmooth_core.motion.head import ATLAS, TILTED
from gsmooth_core.motion.reference import from_track, head_curves
from tests.motion import made

FPS = Fraction(25)


@pytest.fixture(scope="module")
def motion():
    """(200, 6) of median 0, below the limits."""
    curves = made.waves(200, 1.2, 5)
    return curves - np.median(curves, axis=0)


def turned(motion, **more):
    return made.track(motion[:, :3], motion[:, 3:], **more)


def test_the_movement_is_found_in_its_own_axes(motion):
    found = head_curves(turned(motion))
    np.testing.assert_allclose(found[3:-3, :3], motion[3:-3, :3], atol=np.deg2rad(0.15))
    np.testing.assert_allclose(found[3:-3, 3:], motion[3:-3, 3:], atol=0.004)
    assert np.rad2deg(np.abs(np.median(found[:, :3], axis=0))).max() < 0.1


def test_a_turn_about_the_atlas_is_no_shift(motion):
    found = head_curves(turned(motion * (1, 1, 1, 0, 0, 0)))
    assert np.abs(found[:, 3:]).max() < 1e-5
    assert ATLAS[2] < 0 > ATLAS[1]  # behind and below the nose


def test_frames_without_a_face_are_bridged(motion):
    track = turned(motion)
    seen = np.ones(200, np.bool_)
    seen[[40, 41, 90, 199]] = False
    lost = track.rotation.copy()
    lost[~seen] = 3.0
    found = head_curves(replace(track, rotation=lost).only(seen))
    np.testing.assert_allclose(found, head_curves(track), atol=np.deg2rad(0.6))


def test_the_photo_moves_as_the_video_does_between_its_ends(motion):
    found = from_track(turned(motion), 200, FPS)
    np.testing.assert_allclose(found.turn[25:-25], motion[25:-25, :3], atol=np.deg2rad(0.15))
    for curves in (found.turn, found.shift):
        assert not curves[[0, -1]].any()
    assert found.blink.max() == 1


def test_the_videos_time_is_kept_at_another_rate(motion):
    slow = from_track(turned(motion), 150, FPS)
    fast = from_track(turned(motion), 300, Fraction(50))
    between = (fast.turn[::2] + fast.turn[1::2]) / 2
    np.testing.assert_allclose(between[25:-25], slow.turn[25:-25], atol=np.deg2rad(0.05))
    assert (len(fast), fast.fps) == (300, Fraction(50))


def test_a_video_of_another_rate_keeps_its_time(motion):
    """The same frames as a video at 50 a second move the photo twice as fast."""
    fast = from_track(turned(motion, fps=Fraction(50)), 95, FPS)
    pairs = (motion[0:190:2, :3] + motion[1:190:2, :3]) / 2
    np.testing.assert_allclose(fast.turn[22:-22], pairs[22:-22], atol=np.deg2rad(0.4))


def test_a_short_video_runs_to_and_fro(motion):
    found = from_track(turned(motion[:80]), 300, FPS)
    np.testing.assert_allclose(found.turn[90:135], found.turn[68:23:-1], atol=np.deg2rad(0.3))
    steps = np.linalg.norm(np.diff(found.turn, axis=0), axis=1)
    assert steps.max() < 1.5 * np.linalg.norm(np.diff(motion[:80, :3], axis=0), axis=1).max()


@pytest.mark.parametrize("length", [1, 2])
def test_a_video_of_a_frame_or_two_moves_nothing_far(motion, length):
    found = from_track(turned(motion[:length]), 60, Fraction(30))
    assert np.isfinite(found.turn).all()
    assert np.rad2deg(np.abs(found.turn)).max() < 1


def test_the_longest_shot_is_taken(motion):
    """What lies before the cut is not followed."""
    cut = motion.copy()
    cut[:60, 1] += 1.0
    shot = np.repeat([0, 1], [60, 140]).astype(np.int32)
    found = from_track(turned(cut, shot=shot), 140, FPS)
    alone = from_track(turned(motion[60:]), 140, FPS)
    np.testing.assert_allclose(found.turn, alone.turn, atol=np.deg2rad(0.1))


def test_amount_and_limit_count_for_a_video_too(motion):
    half = from_track(turned(motion), 200, FPS, amount=0.5)
    np.testing.assert_allclose(half.turn, from_track(turned(motion), 200, FPS).turn / 2, atol=1e-4)
    wild = from_track(turned(motion * (12, 12, 12, 1, 1, 1)), 200, FPS)
    far = np.linalg.norm(wild.turn * (1, 1, TILTED), axis=1)
    assert 12 < np.rad2deg(far).max() <= 14.001


def test_given_blinks_are_taken(motion):
    blink = np.linspace(0, 1, 50, dtype=np.float32)
    np.testing.assert_array_equal(from_track(turned(motion), 50, FPS, blink).blink, blink)


def test_a_video_without_a_face_is_refused(motion):
    nobody = turned(motion).only(np.zeros(200, np.bool_))
    with pytest.raises(NoFaceError):
        from_track(nobody, 50, FPS)
    with pytest.raises(NoFaceError):
        head_curves(nobody)


def test_shoulders_sway_as_the_videos_do_from_rest_to_rest(motion):
    sway = np.concatenate([motion[:, 3:], motion[:, :1]], axis=1) * 0.5
    track = replace(turned(motion), sway=(sway + 0.3).astype(np.float32))
    found = from_track(track, 200, FPS)
    away = sway - np.median(sway, axis=0)
    np.testing.assert_allclose(found.sway[25:-25, :3], away[25:-25, :3], atol=0.004)
    np.testing.assert_allclose(found.sway[25:-25, 3], away[25:-25, 3], atol=np.deg2rad(0.15))
    assert not found.sway[[0, -1]].any()
    half = from_track(track, 200, FPS, amount=0.5)
    np.testing.assert_allclose(half.sway, found.sway / 2, atol=1e-6)
    assert from_track(turned(motion), 200, FPS).sway is None


def test_hair_moves_as_the_videos_does_whether_shoulders_are_known_or_not(motion):
    hair = (np.concatenate([motion[:, 3:], motion[:, :1]], axis=1) * 0.1).astype(np.float32)
    track = replace(turned(motion), hair=hair + np.float32(0.02))
    found = from_track(track, 200, FPS)
    away = hair - np.median(hair, axis=0)
    assert np.abs(away).max() > 0.01
    np.testing.assert_allclose(found.hair[25:-25], away[25:-25], atol=0.002)
    assert not found.hair[[0, -1]].any()
    assert found.sway is None
    both = from_track(replace(track, sway=-hair), 200, FPS)
    np.testing.assert_allclose(both.hair, found.hair, atol=1e-6)
    np.testing.assert_allclose(both.sway, -found.hair, atol=1e-6)
    half = from_track(track, 200, FPS, amount=0.5)
    np.testing.assert_allclose(half.hair, found.hair / 2, atol=1e-6)
    assert from_track(turned(motion), 200, FPS).hair is None
