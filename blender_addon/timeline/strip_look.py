"""What a strip looks like, carried over to the strip that takes its place."""

from __future__ import annotations

import math
from typing import Any

import bpy

from ..head import actions

NEUTRAL: dict[str, Any] = {
    "blend_type": "REPLACE",
    "blend_alpha": 1.0,
    "color_saturation": 1.0,
    "color_multiply": 1.0,
    "multiply_alpha": False,
    "use_flip_x": False,
    "use_flip_y": False,
    "strobe": 1.0,
}
"""What a look sets, and the values that change no picture."""
PATHS = (*NEUTRAL, "transform.", "crop.", "modifiers[")
"""Beginnings of the data paths, behind the strip's, that belong to the look."""
_LOOK = (*NEUTRAL, "color_tag", "use_float")


def copy_look(scene: bpy.types.Scene, old: Any, new: Any, rendered: bool) -> None:
    """Give `new` the blending, transform, crop, colour, modifiers and animation of `old`.

    Args:
        scene: whose strips they are.
        old: the strip that has the look.
        new: a movie strip.
        rendered: whether its file was rendered, so that its colours are what Blender made of them.
    """
    for name in _LOOK:
        if hasattr(old, name) and hasattr(new, name):
            setattr(new, name, getattr(old, name))
    _copy_values(old.transform, new.transform)
    _copy_values(old.crop, new.crop)
    if old.type == "MOVIE" and not rendered:
        _copy_values(old.colorspace_settings, new.colorspace_settings)
    for modifier in old.modifiers:
        twin = new.modifiers.new(modifier.name, modifier.type)
        if twin:
            _copy_values(modifier, twin)
    actions.copy_animation(scene, path_part(old), path_part(new), PATHS)


def turn_back(strip: Any, degrees: int) -> None:
    """Show a strip whose picture stands upright as one that lies as it was stored.

    Args:
        strip: it has the look of a strip that shows the stored picture.
        degrees: by which it is turned anticlockwise: 90, 180 or 270.
    """
    move, crop = strip.transform, strip.crop
    for _ in range(degrees // 90):
        move.rotation -= math.pi / 2
        move.scale_x, move.scale_y = move.scale_y, move.scale_x
        move.origin = 1 - move.origin[1], move.origin[0]
        # What is left of the stored picture is at the bottom of the turned one, and so on round.
        sides = crop.max_y, crop.min_y, crop.min_x, crop.max_x
        crop.min_x, crop.max_x, crop.min_y, crop.max_y = sides


def path_part(strip: Any) -> str:
    """The part of data paths that names the strip."""
    # The collection's name differs between versions, its end does not.
    return f'_all["{bpy.utils.escape_identifier(strip.name)}"]'


def _copy_values(source: Any, target: Any) -> None:
    """Copy the writable values of one RNA struct to another of the same type."""
    for prop in source.bl_rna.properties:
        name = prop.identifier
        if name in ("rna_type", "name") or prop.type == "COLLECTION":
            continue
        value = getattr(source, name)
        if isinstance(value, bpy.types.CurveMapping):
            _copy_curves(value, getattr(target, name))
        elif prop.type == "POINTER" and prop.is_readonly and value is not None:
            _copy_values(value, getattr(target, name))
        elif not prop.is_readonly:
            setattr(target, name, value)


def _copy_curves(source: bpy.types.CurveMapping, target: bpy.types.CurveMapping) -> None:
    for curve, twin in zip(source.curves, target.curves, strict=True):
        while len(twin.points) < len(curve.points):
            twin.points.new(0.5, 0.5)
        for point, copy in zip(curve.points, twin.points, strict=False):
            copy.location, copy.handle_type = point.location, point.handle_type
    target.update()
