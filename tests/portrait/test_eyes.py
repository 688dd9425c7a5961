"""Eyes of a moving photo: they look on at what they looked at, and blink."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.portrait.eyes import Eyes
from gsmooth_core.portrait.lids import Lids
from tests.portrait.drawn import IRIS, Drawn, draw

BALL = 40.0
REST = np.zeros(3, np.float32)


@pytest.fixture(scope="module")
def face() -> Drawn:
    return draw(100.0, gap=0.7)  # wide open: all of the iris is free


@pytest.fixture(scope="module")
def eyes(face: Drawn) -> Eyes:
    return Eyes(face.photo, face.points, BALL, Lids(face.photo, face.points))


def iris(picture: np.ndarray) -> np.ndarray:
    """(2,) column and row of the middle of the iris of the eye at the left."""
    blue = np.abs(picture.astype(int) - IRIS).max(2) < 40
    rows, columns = np.nonzero(blue[:, : picture.shape[1] // 2])
    return np.array([columns.mean(), rows.mean()])


def test_open_eyes_of_a_resting_head_are_the_photos(eyes: Eyes, face: Drawn) -> None:
    assert np.array_equal(eyes.at(0.0, REST), face.photo)


@pytest.mark.parametrize("yaw", [-6.0, 6.0])
def test_irises_move_against_the_turn(eyes: Eyes, face: Drawn, yaw: float) -> None:
    turn = np.deg2rad([0, yaw, 0]).astype(np.float32)
    way = iris(eyes.at(0.0, turn)) - iris(face.photo)
    assert way[0] == pytest.approx(-BALL * np.sin(np.deg2rad(yaw)), rel=0.25)


def test_eyes_look_up_as_the_head_nods_down(eyes: Eyes, face: Drawn) -> None:
    way = iris(eyes.at(0.0, np.deg2rad([5, 0, 0]).astype(np.float32))) - iris(face.photo)
    assert way[1] < -1
    assert abs(way[0]) < 0.5


def test_a_roll_moves_no_iris(eyes: Eyes, face: Drawn) -> None:
    assert np.array_equal(eyes.at(0.0, np.deg2rad([0, 0, 8]).astype(np.float32)), face.photo)


def test_shut_lids_hide_the_eyeballs_of_a_turned_head(eyes: Eyes, face: Drawn) -> None:
    turned = eyes.at(1.0, np.deg2rad([0, 6, 0]).astype(np.float32))
    assert face.eyeball(turned) < 0.2 * face.eyeball(face.photo)
    apart = np.abs(turned.astype(int) - eyes.at(1.0, REST))
    assert np.percentile(apart, 99) < 8


def test_eyes_whose_lids_cannot_close_still_look_on(face: Drawn) -> None:
    open_eyes = Eyes(face.photo, face.points, BALL, None)
    assert np.array_equal(open_eyes.at(1.0, REST), face.photo)
    assert not np.array_equal(open_eyes.at(0.0, np.float32([0, 0.1, 0])), face.photo)
