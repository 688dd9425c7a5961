"""The pose of a photo's head as columns beside its expression: Re-render follows both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import bpy
from mathutils import Euler, Quaternion

from ..errors import UserError
from . import actions, evaluated

NAMES = ("headX", "headY", "headZ", "headTurnX", "headTurnY", "headTurnZ")
"""Place in decimetres and axis times angle in radians, in camera space."""


def read_pose(body: bpy.types.Object, first: int, count: int) -> list[list[float]]:
    """Where a head made by `shape_keys.build_head` is in each frame.

    Args:
        body: the head; its curves may have been edited, muted or removed, and drivers, the NLA
            and constraints may move it.
        first: scene frame of the first row.
        count: number of rows.

    Returns:
        `count` rows of `NAMES`.

    Raises:
        UserError: a curve holds values that are no numbers, or the head is in no scene.
    """
    by_axis = body.rotation_mode == "AXIS_ANGLE"
    if by_axis or _is_constrained(body) or actions.moved_otherwise(body):
        return _evaluated(body, first, count)
    turns = "rotation_quaternion" if body.rotation_mode == "QUATERNION" else "rotation_euler"
    curves = {(c.data_path, c.array_index): c for c in actions.curves_of(body)}
    rows = []
    for frame in range(first, first + count):
        place, turn = (_values(body, curves, path, frame) for path in ("location", turns))
        rows.append(_row(place, _quaternion(body, turn)))
    if not all(map(math.isfinite, (value for row in rows for value in row))):
        raise UserError(f"The pose of '{body.name}' has values that are no numbers: edit it.")
    return rows


def _is_constrained(body: bpy.types.Object) -> bool:
    return any(not constraint.mute for constraint in body.constraints)


def _evaluated(body: bpy.types.Object, first: int, count: int) -> list[list[float]]:
    """Where Blender itself finds the head, relative to the empty on which it hangs."""
    rows = []
    for shown in evaluated.frames(body, first, count):
        place, turn, _scale = shown.matrix_local.decompose()
        rows.append(_row(place, turn))
    return rows


def _row(place: Sequence[float], turn: Quaternion) -> list[float]:
    if turn.w < 0:
        turn.negate()  # the same turn, the shorter way round
    axis, angle = turn.to_axis_angle()
    return [round(value, 6) for value in (*place, *(angle * part for part in axis))]


def _values(body: bpy.types.Object, curves: dict[Any, Any], path: str, frame: int) -> list[float]:
    """A property in one frame: its curves where they act, else what it holds."""
    held = list(getattr(body, path))
    for axis in range(len(held)):
        curve = curves.get((path, axis))
        if curve is not None and not curve.mute:
            held[axis] = curve.evaluate(frame)
    return held


def _quaternion(body: bpy.types.Object, turn: list[float]) -> Quaternion:
    if len(turn) == 3:
        return Euler(turn, body.rotation_mode).to_quaternion()
    return Quaternion(turn).normalized()
