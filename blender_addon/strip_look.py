"""What a strip looks like, carried over to the strip that takes its place."""

from __future__ import annotations

from typing import Any

import bpy

from . import shape_keys

_LOOK = (
    "blend_type",
    "blend_alpha",
    "color_saturation",
    "color_multiply",
    "color_tag",
    "multiply_alpha",
    "use_flip_x",
    "use_flip_y",
    "use_float",
    "strobe",
)


def copy_look(scene: bpy.types.Scene, old: Any, new: Any) -> None:
    """Give `new` the blending, transform, crop, colour, modifiers and animation of `old`."""
    for name in _LOOK:
        if hasattr(old, name) and hasattr(new, name):
            setattr(new, name, getattr(old, name))
    _copy_values(old.transform, new.transform)
    _copy_values(old.crop, new.crop)
    if old.type == "MOVIE":
        _copy_values(old.colorspace_settings, new.colorspace_settings)
    for modifier in old.modifiers:
        twin = new.modifiers.new(modifier.name, modifier.type)
        if twin:
            _copy_values(modifier, twin)
    shape_keys.copy_animation(scene, _path_part(old), _path_part(new))


def _path_part(strip: Any) -> str:
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
