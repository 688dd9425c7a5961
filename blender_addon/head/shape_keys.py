"""Mesh, expression basis and curves as shape keys and F-curves.

The face model is linear in its expression, so the rest mesh is mean + identity, each expression
component is one relative shape key, and the pose is the object's own transform: nothing is lost.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from operator import add
from typing import Any

import bpy
from mathutils import Quaternion, Vector

from ..errors import UserError
from ..storage.checks import check, number
from . import actions, curve_sets, evaluated
from .mesh_file import HeadMesh, Tensor

SLIDER = (-1.0, 2.0)  # tracked and edited values may leave ARKit's 0..1
_HARD_LIMIT = 10.0  # Blender clamps shape key values there, silently
_SCALE = "gsmooth_key_scale"


# -- mesh to Blender -------------------------------------------------------------------------


def build_head(name: str, head: HeadMesh, first: int) -> bpy.types.Object:
    """An animated mesh object; frame 0 of the curves stands at scene frame `first`.

    Args:
        name: of the object.
        head: geometry, basis, curves, pose.
        first: scene frame of the first value.

    Returns:
        an object that is in no collection yet; it is posed in camera space.
    """
    body = bpy.data.objects.new(name, _mesh(name, head))
    _add_keys(body, head)
    frames = range(first, first + len(head))
    keys = body.data.shape_keys
    if head.tracked is not None:
        filmed = _curves(head, head.tracked)
        actions.animate(keys, f"{name} as filmed", "KEY", frames, filmed)
        curve_sets.keep_filmed(body)
    actions.animate(keys, f"{name} expression", "KEY", frames, _curves(head, head.values))
    body.rotation_mode = "QUATERNION"
    actions.animate(body, f"{name} pose", "OBJECT", frames, _pose_curves(head))
    return body


def _mesh(name: str, head: HeadMesh) -> bpy.types.Mesh:
    mesh = bpy.data.meshes.new(name)
    corners = len(head.faces.values)
    mesh.vertices.add(head.vertices.shape[0])
    mesh.vertices.foreach_set("co", head.vertices.values)
    mesh.loops.add(corners)
    mesh.loops.foreach_set("vertex_index", head.faces.values)
    mesh.polygons.add(corners // 3)
    mesh.polygons.foreach_set("loop_start", array("i", range(0, corners, 3)))
    mesh.update(calc_edges=True)
    mesh.uv_layers.new(name="UVMap").uv.foreach_set("vector", head.uvs.values)
    mesh.shade_smooth()
    return mesh


def _key_scale(head: HeadMesh) -> float:
    """What one unit of a slider stands for: 1, unless a curve would be clamped."""
    largest = max(map(abs, _all_values(head)), default=0.0)
    return max(1.0, math.ceil(largest / _HARD_LIMIT))


def _all_values(head: HeadMesh) -> array[float]:
    """Of the curves that are shown in turn."""
    return head.values.values + (head.tracked.values if head.tracked is not None else array("f"))


def _add_keys(body: bpy.types.Object, head: HeadMesh) -> None:
    scale, values = _key_scale(head), _all_values(head)
    body[_SCALE] = scale
    body.shape_key_add(name="Basis", from_mix=False)
    rest = head.vertices.values
    for index, name in enumerate(head.names):
        key = body.shape_key_add(name=name, from_mix=False)
        offsets = head.shape_keys.row(index)
        if scale != 1.0:
            offsets = array("f", (scale * offset for offset in offsets))
        key.data.foreach_set("co", array("f", map(add, rest, offsets)))
        column = values[index :: len(head.names)]
        key.slider_min = max(-_HARD_LIMIT, min(SLIDER[0], math.floor(min(column) / scale)))
        key.slider_max = min(_HARD_LIMIT, max(SLIDER[1], math.ceil(max(column) / scale)))


def _curves(head: HeadMesh, values: Tensor) -> Iterator[tuple[str, int, Sequence[float]]]:
    scale = _key_scale(head)
    for index, name in enumerate(head.names):
        column = values.values[index :: len(head.names)]
        scaled = [value / scale for value in column] if scale != 1.0 else column
        yield actions.value_path(name), 0, scaled


def _pose_curves(head: HeadMesh) -> Iterator[tuple[str, int, Sequence[float]]]:
    for axis in range(3):
        yield "location", axis, head.translation.values[axis::3]
    turns = _quaternions(head.rotation.values)
    for axis in range(4):
        yield "rotation_quaternion", axis, [turn[axis] for turn in turns]


def _quaternions(axis_angles: Sequence[float]) -> list[Quaternion]:
    """Axis-angle rows as quaternions that keep to one side, so that curves do not jump."""
    turns: list[Quaternion] = []
    for i in range(0, len(axis_angles), 3):
        axis = Vector(axis_angles[i : i + 3])
        turn = Quaternion(axis, axis.length) if axis.length > 0 else Quaternion()
        if turns and turn.dot(turns[-1]) < 0:
            turn.negate()
        turns.append(turn)
    return turns


# -- curves back -----------------------------------------------------------------------------


def key_names(body: bpy.types.Object) -> list[str]:
    """Names of the expression keys of a head made here.

    Raises:
        UserError: the object has no shape keys (any more).
    """
    keys = body.data.shape_keys if body.type == "MESH" else None
    if keys is None or len(keys.key_blocks) < 2:
        raise UserError(f"'{body.name}' has no expression shape keys: make the mesh again.")
    return [key.name for key in keys.key_blocks[1:]]


def read_curves(body: bpy.types.Object, first: int, count: int) -> list[list[float]]:
    """Values of the shape keys as they act on the mesh: edited, clamped, muted.

    Args:
        body: a head made by `build_head`.
        first: scene frame of the first row.
        count: number of rows.

    Returns:
        `count` rows of one value a key, in the order of `key_names`.

    Raises:
        UserError: the object has no shape keys, or holds other things than numbers.
    """
    names = key_names(body)
    keys, scale = body.data.shape_keys, body.get(_SCALE, 1.0)
    check({_SCALE: scale}, {_SCALE: number(1.0, 1e6)}, f"'{body.name}'", "make the mesh again.")
    if actions.moved_otherwise(keys):
        return _evaluated(body, names, first, count, scale)
    curves = {curve.data_path: curve for curve in actions.curves_of(keys)}
    columns = []
    for name in names:
        curve = curves.get(actions.value_path(name))
        column = _column(keys.key_blocks[name], curve, first, count, scale)
        if not all(map(math.isfinite, column)):
            raise UserError(f"The curve of '{name}' has values that are no numbers: edit it.")
        columns.append(column)
    return [list(row) for row in zip(*columns, strict=True)]


def give_curves(body: bpy.types.Object, first: int, columns: Mapping[str, Sequence[float]]) -> int:
    """Put curves from elsewhere in the place of the head's own.

    Args:
        body: a head made by `build_head`.
        first: scene frame of the first value.
        columns: values of ARKit shapes by name; those that the head lacks are left out.

    Returns:
        the number of curves that were put.

    Raises:
        UserError: the head has none of these shapes.
    """
    names, scale = key_names(body), body.get(_SCALE, 1.0)
    check({_SCALE: scale}, {_SCALE: number(1.0, 1e6)}, f"'{body.name}'", "make the mesh again.")
    shared = {
        name: [min(max(value / scale, -_HARD_LIMIT), _HARD_LIMIT) for value in values]
        for name, values in columns.items()
        if name in names
    }
    if not shared:
        raise UserError(f"None of these curves is one of '{body.name}'.")
    curve_sets.show_dubbed(body)
    actions.put_curves(body.data.shape_keys, f"{body.name} expression", first, shared)
    return len(shared)


def _column(key: Any, curve: Any, first: int, count: int, scale: float) -> list[float]:
    if key.mute:
        return [0.0] * count
    if curve is None or curve.mute:
        return [round(scale * key.value, 6)] * count
    low, high = key.slider_min, key.slider_max
    values = (curve.evaluate(frame) for frame in range(first, first + count))
    return [round(scale * min(max(value, low), high), 6) for value in values]


def _evaluated(
    body: bpy.types.Object, names: list[str], first: int, count: int, scale: float
) -> list[list[float]]:
    """The keys' values as Blender itself finds them, frame by frame."""
    rows = []
    for shown in evaluated.frames(body, first, count):
        blocks = shown.data.shape_keys.key_blocks
        row = [0.0 if blocks[name].mute else blocks[name].value for name in names]
        rows.append([round(scale * value, 6) for value in row])
    return rows
