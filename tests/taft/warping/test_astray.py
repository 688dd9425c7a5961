"""What lies beside a face in a reference, brought to where the frame has it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gsmooth_core.taft.warping.astray import bring

SIDE = 256
FACE = np.zeros((SIDE, SIDE), bool)
FACE[:150, 60:200] = True
STRIP = np.zeros_like(FACE)
STRIP[150:162, 60:200] = True
AROUND = ~(FACE | STRIP)


def cloth(seed: int = 0) -> np.ndarray:
    """(SIDE, SIDE, 3) folds and seams a few pixels wide, 0..1."""
    noise = np.random.default_rng(seed).uniform(0, 1, (SIDE, SIDE, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 3)
    return np.asarray((smooth - smooth.min()) / np.ptp(smooth), np.float32)


def apart(picture: np.ndarray, where: np.ndarray) -> float:
    return float(np.abs(picture - cloth())[where].mean())


@pytest.mark.parametrize(("x", "y"), [(4, 0), (-4, 3), (0, -5), (2, 2)])
def test_each_reference_is_moved_to_where_the_frame_has_its_surroundings(x: int, y: int) -> None:
    astray = np.roll(cloth(), (y, x), (0, 1))
    pictures = np.stack([astray, cloth()])
    bring(pictures, cloth(), AROUND, STRIP, FACE)
    assert apart(pictures[0], STRIP) < 0.45 * apart(astray, STRIP)
    assert apart(pictures[1], STRIP) < 0.02  # it was there already


def test_what_is_astray_in_different_ways_is_moved_in_different_ways() -> None:
    left, right = (np.roll(cloth(), x, 1) for x in (4, -4))
    astray = np.where((np.arange(SIDE) < 130)[:, None], left, right)
    pictures = astray[None].copy()
    bring(pictures, cloth(), AROUND, STRIP, FACE)
    for columns in (np.s_[70:110], np.s_[150:190]):
        where = np.zeros_like(STRIP)
        where[152:162, columns] = True
        assert apart(pictures[0], where) < 0.4 * apart(astray, where)


def test_the_face_and_what_is_far_from_it_stay() -> None:
    astray = np.roll(cloth(), 4, 1)
    pictures = astray[None].copy()
    bring(pictures, cloth(), AROUND, STRIP, FACE)
    np.testing.assert_array_equal(pictures[0][FACE], astray[FACE])
    np.testing.assert_array_equal(pictures[0][200:], astray[200:])
    assert np.abs(pictures[0] - astray).max() > 0.1


def test_what_the_mask_hides_says_nothing() -> None:
    first, second = (np.roll(cloth(), 4, 1)[None].copy() for _ in range(2))
    bring(first, cloth(), AROUND, STRIP, FACE)
    poisoned = np.where(AROUND[..., None], cloth(), cloth(1))
    bring(second, poisoned, AROUND, STRIP, FACE)
    np.testing.assert_array_equal(first, second)


def test_a_shade_is_no_reason_to_move() -> None:
    """A wall that is a little lighter than in the reference is so four pixels further, too."""
    wall = (0.3 + 0.001 * np.arange(SIDE, dtype=np.float32))[None, :, None].repeat(3, -1)
    wall = np.broadcast_to(wall, (SIDE, SIDE, 3))
    picture = np.where(STRIP[..., None], cloth(), wall).astype(np.float32)
    pictures = picture[None].copy()
    bring(pictures, wall + np.float32(0.004), AROUND, STRIP, FACE)
    assert np.abs(pictures[0] - picture)[STRIP].mean() < 0.012


def test_nothing_is_moved_where_nothing_is_seen_or_nothing_is_made() -> None:
    pictures = cloth(2)[None].copy()
    bring(pictures, cloth(), np.zeros_like(AROUND), STRIP, FACE)
    bring(pictures, cloth(), AROUND, np.zeros_like(STRIP), FACE)
    np.testing.assert_array_equal(pictures[0], cloth(2))
