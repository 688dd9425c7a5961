"""Movements that a user has edited: the head's pose and blinks as columns of curves."""

from __future__ import annotations

import numpy as np

from gsmooth_core.errors import InputError
from gsmooth_core.face.camera import rotation_matrix
from gsmooth_core.face.curves import resample
from gsmooth_core.motion.head import ATLAS, CARRIED, HeadMotion, limited, matrix_turns
from gsmooth_core.types import Bool, Expression, FaceTrack, Float

PLACE = ("headX", "headY", "headZ")
"""Columns of the translation from model to camera space, decimetres."""
TURN = ("headTurnX", "headTurnY", "headTurnZ")
"""Columns of the rotation, axis times angle in radians."""
BLINKS = ("eyeBlinkLeft", "eyeBlinkRight")

_SAME = 2e-3  # radians, decimetres or shares of a blink: what differs by less was not edited
_FREE, _MOST = np.deg2rad(16.0), np.deg2rad(24.0)  # turns of a photo that anybody asks for
_FREE_SHIFT, _MOST_SHIFT = 0.5, 1.0  # and shifts


def edited_motion(curves: Expression, still: FaceTrack, made: HeadMotion) -> HeadMotion:
    """The movement that curves ask for; `made` where they have none, or are as it made them.

    Args:
        curves: an expression with the columns `PLACE`, `TURN` and `BLINKS`, at any rate.
        still: track of the photo, one frame.
        made: T frames of the movement before it was edited.

    Returns:
        T frames; softly kept from turning farther than a photo can be turned at all.

    Raises:
        InputError: the columns hold values that are no numbers.
    """
    if not set(PLACE + TURN) <= set(curves.names):
        return made
    place, vector = (_columns(curves, names, made) for names in (PLACE, TURN))
    at_rest = rotation_matrix(still.rotation[0])
    rotation = rotation_matrix(vector)
    turn = matrix_turns(np.asarray(rotation @ at_rest.T, np.float32))
    atlas = np.array(ATLAS)
    shift = rotation @ atlas + place - (at_rest @ atlas + still.translation[0])
    edited = _unlike(turn, made.turn) | _unlike(shift, made.shift)
    turn = np.where(edited, limited(turn, _FREE, _MOST), made.turn).astype(np.float32)
    shift = np.where(edited, limited(shift, _FREE_SHIFT, _MOST_SHIFT), made.shift)
    sway = made.sway
    if sway is not None and edited.any():  # neck and shoulders follow what is added
        sway = sway + np.pad(CARRIED * (shift - made.shift), ((0, 0), (0, 1)))
    blink = _blink(curves, still, made)
    return HeadMotion(turn, shift.astype(np.float32), blink, made.fps, sway, made.hair, made.brow)


def _columns(curves: Expression, names: tuple[str, ...], made: HeadMotion) -> Float:
    """(T, C) columns of the curves at the movement's frames."""
    values = curves.values[:, [curves.names.index(name) for name in names]].astype(np.float32)
    if not len(values) or not np.isfinite(values).all():
        raise InputError("The head's curves hold values that are no numbers.", "Make them again.")
    if curves.fps == made.fps:
        return np.asarray(values[np.arange(len(made)).clip(0, len(values) - 1)])
    return resample(values, curves.fps, len(made), made.fps)


def _blink(curves: Expression, still: FaceTrack, made: HeadMotion) -> Float:
    """(T,) how far the eyes are closed: as before in frames where the curves say the same."""
    known = [n for n in BLINKS if n in curves.names and n in still.expression_names]
    if not known:
        return made.blink
    asked = _columns(curves, tuple(known), made)
    rest = np.array([still.expression[0, still.expression_names.index(n)] for n in known])
    was = np.maximum(rest, made.blink[:, None])
    own = np.where(asked > rest + _SAME, asked, 0).mean(1)
    same = (np.abs(asked - was) < _SAME).all(1)
    return np.where(same, made.blink, np.clip(own, 0, 1)).astype(np.float32)


def _unlike(a: Float, b: Float) -> Bool:
    """(T, 1) where two of (T, 3) differ by more than rounding."""
    unlike: Bool = (np.abs(a - b) > _SAME).any(1, keepdims=True)
    return unlike
