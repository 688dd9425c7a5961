"""Movements that a user has edited, as columns of curves."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.errors import InputError
from gsmooth_core.face.camera import axis_angle, pose, rotation_matrix
from gsmooth_core.motion.edited import BLINKS, PLACE, TURN, edited_motion
from gsmooth_core.motion.head import ATLAS, CARRIED, HeadMotion, turn_matrices
from gsmooth_core.types import Expression
from tests.portrait import scene

COUNT = 8
NAMES = ("jawOpen", *BLINKS, *PLACE, *TURN)


@pytest.fixture(scope="module")
def still():
    return scene.still()


@pytest.fixture(scope="module")
def made() -> HeadMotion:
    turn = np.deg2rad(np.linspace(-6, 6, 3 * COUNT).reshape(COUNT, 3)).astype(np.float32)
    shift = np.linspace(-0.1, 0.1, 3 * COUNT).reshape(COUNT, 3).astype(np.float32)
    blink = np.array([0, 0, 0.5, 1, 0.6, 0, 0, 0], np.float32)
    return HeadMotion(turn, shift, blink, Fraction(25))


def curves_of(motion: HeadMotion, still) -> Expression:
    """What Blender would send: poses by the definition of turn and shift, one by one."""
    rows = []
    rest = rotation_matrix(still.rotation[0])
    atlas = pose(np.array([ATLAS]), still.rotation[0], still.translation[0])[0]
    for matrix, shift, blink in zip(
        turn_matrices(motion.turn), motion.shift, motion.blink, strict=True
    ):
        place = matrix @ (still.translation[0] - atlas) + atlas + shift
        rows.append([0.3, blink, blink, *place, *axis_angle(matrix @ rest)])
    return Expression(NAMES, np.array(rows, np.float32), motion.fps)


def test_what_was_not_edited_stays_bit_by_bit(still, made) -> None:
    same = edited_motion(curves_of(made, still), still, made)
    for name in ("turn", "shift", "blink"):
        np.testing.assert_array_equal(getattr(same, name), getattr(made, name))
    known = replace(made, **dict.fromkeys(("sway", "hair"), np.ones((COUNT, 4), np.float32)))
    kept = edited_motion(curves_of(made, still), still, known)
    assert kept.sway is known.sway
    assert kept.hair is known.hair


def test_curves_without_a_head_change_nothing(still, made) -> None:
    curves = curves_of(made, still)
    mouth = Expression(NAMES[:3], np.ones((COUNT, 3), np.float32), curves.fps)
    assert edited_motion(mouth, still, made) is made


def test_an_edited_pose_is_followed(still, made) -> None:
    asked = replace(made, turn=made.turn[::-1].copy(), shift=-made.shift)
    found = edited_motion(curves_of(asked, still), still, made)
    np.testing.assert_allclose(found.turn, asked.turn, atol=1e-4)
    np.testing.assert_allclose(found.shift, asked.shift, atol=1e-4)


def test_an_edit_moves_the_head_and_what_is_below_it_in_its_own_frames_alone(still, made) -> None:
    shift = made.shift.copy()
    shift[3] += (0.05, 0, 0.1)
    swaying = replace(made, sway=np.full((COUNT, 4), 0.02, np.float32))
    found = edited_motion(curves_of(replace(swaying, shift=shift), still), still, swaying)
    others = np.arange(COUNT) != 3
    for name in ("turn", "shift", "sway"):
        np.testing.assert_array_equal(getattr(found, name)[others], getattr(swaying, name)[others])
    added = CARRIED * np.array([0.05, 0, 0.1, 0])
    np.testing.assert_allclose(found.sway[3] - swaying.sway[3], added, atol=1e-4)


def test_edited_blinks_close_the_eyes_and_the_others_stay(still, made) -> None:
    curves = curves_of(made, still)
    values = curves.values.copy()
    values[0, 1:3] = 0.8
    values[3, 1:3] = 0.0
    found = edited_motion(replace(curves, values=values), still, made)
    np.testing.assert_allclose(found.blink, [0.8, 0, 0.5, 0, 0.6, 0, 0, 0], atol=1e-6)


def test_no_photo_is_turned_to_its_back(still, made) -> None:
    turn = np.zeros((COUNT, 3), np.float32)
    turn[:, 1] = np.deg2rad(80)
    found = edited_motion(curves_of(replace(made, turn=turn), still), still, made)
    assert np.deg2rad(16) < np.linalg.norm(found.turn, axis=1).max() < np.deg2rad(24.01)


def test_curves_of_another_rate_keep_their_time(still, made) -> None:
    held = replace(made, turn=np.full_like(made.turn, 0.05), shift=np.zeros_like(made.shift))
    curves = replace(curves_of(held, still), fps=Fraction(50))
    found = edited_motion(curves, still, made)
    np.testing.assert_allclose(found.turn, held.turn, atol=1e-3)


def test_numbers_that_are_none_are_refused(still, made) -> None:
    curves = curves_of(made, still)
    values = curves.values.copy()
    values[2, 4] = np.nan
    with pytest.raises(InputError):
        edited_motion(replace(curves, values=values), still, made)
