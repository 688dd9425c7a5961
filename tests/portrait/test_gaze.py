"""Irises move behind the lids; nothing else does."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gsmooth_core.portrait.gaze import irises
from gsmooth_core.portrait.lids import Lids
from tests.portrait.drawn import IRIS, cool, draw

WIDTH = 100.0


@pytest.fixture(scope="module")
def drawn():
    return draw(WIDTH)


def _blue(picture: np.ndarray) -> np.ndarray:
    """(H, W) the iris."""
    return np.abs(picture.astype(int) - IRIS).max(2) < 40


def _middle(picture: np.ndarray) -> np.ndarray:
    """Mean place of the blue pixels of the eye at the left; rows by those that lids leave free."""
    y, x = np.nonzero(_blue(picture)[:, : picture.shape[1] // 2])
    return np.array([x.mean(), y.mean()])


def test_no_shift_is_the_photo(drawn):
    assert np.array_equal(irises(drawn.photo, drawn.points, (0, 0)), drawn.photo)


@pytest.mark.parametrize("shift", [-6.0, -3.0, 3.0, 6.0])
def test_irises_move_across(drawn, shift):
    moved = irises(drawn.photo, drawn.points, (shift, 0))
    way = _middle(moved) - _middle(drawn.photo)
    assert way[0] == pytest.approx(shift, rel=0.2)
    assert abs(way[1]) < 0.5


def test_irises_keep_their_size(drawn):
    moved = irises(drawn.photo, drawn.points, (6, 0))
    row = int(drawn.centres[0][1])
    assert abs(int(_blue(moved)[row].sum()) - int(_blue(drawn.photo)[row].sum())) <= 2


def test_irises_move_along():
    drawn = draw(WIDTH, gap=0.7)  # wide open: the upper half of the iris is free
    moved = irises(drawn.photo, drawn.points, (0, -3))
    assert (_middle(moved) - _middle(drawn.photo))[1] == pytest.approx(-3, abs=0.7)


def test_only_eyeballs_change(drawn):
    moved = irises(drawn.photo, drawn.points, (6, -2)).astype(int)
    changed = np.abs(moved - drawn.photo).max(2) > 1  # a level is a matter of OpenCV's version
    assert changed.any()
    opening = cv2.dilate(drawn.between_lids().astype(np.uint8), np.ones((5, 5))) > 0
    assert not (changed & ~opening).any()


def test_what_does_not_move_stays_sharp(drawn):
    moved = irises(drawn.photo, drawn.points, (1e-3, 0))
    assert np.array_equal(moved, drawn.photo)


def test_what_is_uncovered_is_white_or_iris(drawn):
    for shift in ((6, 0), (-6, 0), (0, 3), (0, -3)):
        moved = irises(drawn.photo, drawn.points, shift)
        assert drawn.eyeball(moved) == pytest.approx(drawn.eyeball(drawn.photo), rel=0.02)


def test_long_shifts_are_limited(drawn):
    way = _middle(irises(drawn.photo, drawn.points, (80, 0))) - _middle(drawn.photo)
    assert 0.08 * WIDTH < way[0] < 0.14 * WIDTH


def test_an_iris_in_the_corner_stays_in_the_eye():
    drawn = draw(WIDTH, iris=0.25)
    before, after = drawn.photo, irises(drawn.photo, drawn.points, (10, 0))
    assert _blue(after).sum() > 0.85 * _blue(before).sum()


def test_lids_stay_in_front(drawn):
    lids = Lids(drawn.photo, drawn.points)
    still, moved = lids.closed(0.5), lids.closed(0.5, gaze=(6, 0))
    assert _middle(moved)[0] - _middle(still)[0] == pytest.approx(6, rel=0.25)
    free = cv2.dilate(cool(still).astype(np.uint8), np.ones((11, 11))) > 0
    assert not ((still != moved).any(2) & ~free).any()
    shut = lids.closed(1, gaze=(6, 0)).astype(int) - lids.closed(1)
    assert np.abs(shut).max() <= 2


def test_an_open_eye_may_look_aside(drawn):
    lids = Lids(drawn.photo, drawn.points)
    aside = lids.closed(0, gaze=(5, 1))
    assert np.array_equal(aside, irises(drawn.photo, drawn.points, (5, 1)))
