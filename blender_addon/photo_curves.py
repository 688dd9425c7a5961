"""The pose of a photo's head as columns beside its expression: Re-render follows both."""

from __future__ import annotations

import math
from typing import Any

import bpy
from mathutils import Euler, Quaternion

from . import actions
from .errors import UserError

NAMES = ("headX", "headY", "headZ", "headTurnX", "headTurnY", "headTurnZ")
"""Place in decimetres and axis times angle in radians, in camera space."""


def read_pose(body: bpy.types.Object, first: int, count: int) -> list[list[float]]:
    """Where a head made by `shape_keys.build_head` is in each frame.

    Args:
        body: the head; its curves may have been edited, muted or removed.
        first: scene frame of the first row.
        count: number of rows.

    Returns:
        `count` rows of `NAMES`.

    Raises:
        UserError: a curve holds values that are no numbers, or it turns about an axis and angle.
    """
    if body.rotation_mode == "AXIS_ANGLE":
        raise UserError(f"'{body.name}' turns by axis and angle: set its rotation to quaternions.")
    turns = "rotation_quaternion" if body.rotation_mode == "QUATERNION" else "rotation_euler"
    curves = {(c.data_path, c.array_index): c for c in actions.curves_of(body)}
    rows = []
    for frame in range(first, first + count):
        place, turn = (_values(body, curves, path, frame) for path in ("location", turns))
        rows.append([round(value, 6) for value in (*place, *_axis_angle(body, turn))])
    if not all(map(math.isfinite, (value for row in rows for value in row))):
        raise UserError(f"The pose of '{body.name}' has values that are no numbers: edit it.")
    return rows


def _values(body: bpy.types.Object, curves: dict[Any, Any], path: str, frame: int) -> list[float]:
    """A property in one frame: its curves where they act, else what it holds."""
    held = list(getattr(body, path))
    for axis in range(len(held)):
        curve = curves.get((path, axis))
        if curve is not None and not curve.mute:
            held[axis] = curve.evaluate(frame)
    return held


def _axis_angle(body: bpy.types.Object, turn: list[float]) -> list[float]:
    if len(turn) == 3:
        axis, angle = Euler(turn, body.rotation_mode).to_quaternion().to_axis_angle()
    else:
        axis, angle = Quaternion(turn).normalized().to_axis_angle()
    return [angle * part for part in axis]
