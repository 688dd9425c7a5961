"""Mesh, expression basis and curves as shape keys and F-curves: the only file that knows actions.

The face model is linear in its expression, so the rest mesh is mean + identity, each expression
component is one relative shape key, and the pose is the object's own transform: nothing is lost.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import add
from typing import Any

import bpy
from mathutils import Quaternion, Vector

from .checks import check, number
from .errors import UserError
from .mesh_file import HeadMesh

SLIDER = (-1.0, 2.0)  # tracked and edited values may leave ARKit's 0..1
_HARD_LIMIT = 10.0  # Blender clamps shape key values there, silently
_LINEAR = 1
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
    columns = ((_value_path(key), 0, column) for key, column in _columns(head))
    _animate(keys, f"{name} expression", "KEY", frames, columns)
    body.rotation_mode = "QUATERNION"
    _animate(body, f"{name} pose", "OBJECT", frames, _pose_curves(head))
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
    largest = max(map(abs, head.values.values), default=0.0)
    return max(1.0, math.ceil(largest / _HARD_LIMIT))


def _add_keys(body: bpy.types.Object, head: HeadMesh) -> None:
    scale = _key_scale(head)
    body[_SCALE] = scale
    body.shape_key_add(name="Basis", from_mix=False)
    rest = head.vertices.values
    for index, name in enumerate(head.names):
        key = body.shape_key_add(name=name, from_mix=False)
        offsets = head.shape_keys.row(index)
        if scale != 1.0:
            offsets = array("f", (scale * offset for offset in offsets))
        key.data.foreach_set("co", array("f", map(add, rest, offsets)))
        column = head.values.values[index :: len(head.names)]
        key.slider_min = max(-_HARD_LIMIT, min(SLIDER[0], math.floor(min(column) / scale)))
        key.slider_max = min(_HARD_LIMIT, max(SLIDER[1], math.ceil(max(column) / scale)))


def _value_path(name: str) -> str:
    """Data path of a shape key's value, whatever letters its name has."""
    return f'key_blocks["{bpy.utils.escape_identifier(name)}"].value'


def _columns(head: HeadMesh) -> Iterator[tuple[str, Sequence[float]]]:
    scale = _key_scale(head)
    for index, name in enumerate(head.names):
        column = head.values.values[index :: len(head.names)]
        yield name, [value / scale for value in column] if scale != 1.0 else column


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
    curves = {curve.data_path: curve for curve in curves_of(keys)}
    columns = []
    for name in names:
        curve = curves.get(_value_path(name))
        column = _column(keys.key_blocks[name], curve, first, count, scale)
        if not all(map(math.isfinite, column)):
            raise UserError(f"The curve of '{name}' has values that are no numbers: edit it.")
        columns.append(column)
    return [list(row) for row in zip(*columns, strict=True)]


def _column(key: Any, curve: Any, first: int, count: int, scale: float) -> list[float]:
    if key.mute:
        return [0.0] * count
    if curve is None or curve.mute:
        return [round(scale * key.value, 6)] * count
    low, high = key.slider_min, key.slider_max
    values = (curve.evaluate(frame) for frame in range(first, first + count))
    return [round(scale * min(max(value, low), high), 6) for value in values]


# -- actions, before and since slots (4.4) ---------------------------------------------------


def _animate(
    owner: Any,
    name: str,
    id_type: str,
    frames: Iterable[int],
    curves: Iterable[tuple[str, int, Sequence[float]]],
) -> None:
    times = list(frames)
    container = _new_action(owner, name, id_type)
    for path, index, values in curves:
        curve = container.new(path, index=index)
        points = curve.keyframe_points
        points.add(len(times))
        pairs = chain.from_iterable(zip(times, values, strict=True))
        points.foreach_set("co", array("f", pairs))
        points.foreach_set("interpolation", array("i", [_LINEAR] * len(times)))
        curve.update()


def _new_action(owner: Any, name: str, id_type: str) -> Any:
    """A fresh action on `owner`; returns its collection of F-curves."""
    action = bpy.data.actions.new(name)
    data = owner.animation_data_create()
    if not hasattr(action, "slots"):
        data.action = action
        return action.fcurves
    slot = action.slots.new(id_type=id_type, name=name)
    strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
    bag = strip.channelbag(slot, ensure=True)
    data.action, data.action_slot = action, slot
    return bag.fcurves


def _containers(owner: Any) -> Iterator[Any]:
    """The collections of F-curves that drive `owner`."""
    data = owner.animation_data
    if data is None or data.action is None:
        return
    if not hasattr(data.action, "slots"):
        yield data.action.fcurves
        return
    for layer in data.action.layers:
        for strip in layer.strips:
            bag = strip.channelbag(data.action_slot) if data.action_slot else None
            if bag:
                yield bag.fcurves


def curves_of(owner: Any) -> Iterator[Any]:
    """The F-curves that drive `owner`."""
    for container in _containers(owner):
        yield from container


def copy_animation(owner: Any, old: str, new: str, ends: tuple[str, ...]) -> None:
    """Copy the F-curves whose path holds `old` to the path that holds `new` instead.

    Args:
        owner: the ID whose action it is.
        old: part of a data path.
        new: what stands there in the copies.
        ends: with what the rest of the path begins.
    """
    for container in _containers(owner):
        for curve in _curves_of(container, old, ends):
            path = curve.data_path.replace(old, new)
            _copy_points(curve, container.new(path, index=curve.array_index))


def drop_animation(owner: Any, path: str, ends: tuple[str, ...]) -> None:
    """Remove the F-curves whose path holds `path` and goes on with one of `ends`."""
    for container in _containers(owner):
        for curve in _curves_of(container, path, ends):
            container.remove(curve)


def _curves_of(container: Any, path: str, ends: tuple[str, ...]) -> list[Any]:
    def fits(curve: Any) -> bool:
        _before, found, rest = curve.data_path.partition(path)
        return bool(found) and rest.lstrip(".").startswith(ends)

    return [curve for curve in container if fits(curve)]


def _copy_points(curve: Any, twin: Any) -> None:
    twin.extrapolation = curve.extrapolation
    points, copies = curve.keyframe_points, twin.keyframe_points
    copies.add(len(points))
    for name in ("handle_left_type", "handle_right_type", "interpolation"):
        numbers = array("i", [0] * len(points))
        points.foreach_get(name, numbers)
        copies.foreach_set(name, numbers)
    for name in ("co", "handle_left", "handle_right"):
        pairs = array("f", [0.0] * (2 * len(points)))
        points.foreach_get(name, pairs)
        copies.foreach_set(name, pairs)
    twin.update()
