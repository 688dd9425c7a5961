"""Actions and their F-curves, before Blender 4.4 and since, when they came to have slots."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import bpy

_LINEAR = 1


def value_path(name: str) -> str:
    """Data path of a shape key's value, whatever letters its name has."""
    return f'key_blocks["{bpy.utils.escape_identifier(name)}"].value'


def moved_otherwise(owner: Any) -> bool:
    """Whether more than one action's F-curves moves it: drivers, NLA."""
    data = owner.animation_data
    if data is None:
        return False
    tracks = any(not track.mute and track.strips for track in data.nla_tracks)
    return bool(tracks or len(data.drivers))


def driven(keys: Any) -> set[str]:
    """Names of the shape keys that a driver moves."""
    data = keys.animation_data
    paths = {driver.data_path for driver in data.drivers} if data else set()
    return {block.name for block in keys.key_blocks if value_path(block.name) in paths}


def put_curves(keys: Any, name: str, first: int, columns: Mapping[str, Sequence[float]]) -> None:
    """Give shape keys curves, in their action where there is one; other curves of it stay.

    Args:
        keys: a mesh's shape keys.
        name: of a new action.
        first: scene frame of the first value.
        columns: values by the keys' names; all of one length.
    """
    paths = {value_path(key): values for key, values in columns.items()}
    container = _container(keys, name, "KEY")
    for curve in [curve for curve in container if curve.data_path in paths]:
        container.remove(curve)
    for path, values in paths.items():
        _put(container, path, 0, range(first, first + len(values)), values)


def animate(
    owner: Any,
    name: str,
    id_type: str,
    frames: Iterable[int],
    curves: Iterable[tuple[str, int, Sequence[float]]],
) -> None:
    """A fresh action for `owner` that holds these curves: data path, index, a value a frame."""
    times = list(frames)
    container = _new_action(owner, name, id_type)
    for path, index, values in curves:
        _put(container, path, index, times, values)


def put_curve(owner: Any, id_type: str, path: str, points: Sequence[tuple[int, float]]) -> None:
    """Give one property a curve in place of its own; without points it has none.

    Args:
        owner: the ID whose action it is in.
        id_type: of the owner.
        path: of the property.
        points: scene frame and value of each key.
    """
    drop_curve(owner, path)
    if points:
        times, values = zip(*points, strict=True)
        _put(_container(owner, f"{owner.name} action", id_type), path, 0, times, values)


def drop_curve(owner: Any, path: str) -> None:
    """Remove the curve of one property."""
    for container in _containers(owner):
        for curve in [curve for curve in container if curve.data_path == path]:
            container.remove(curve)


def points_of(owner: Any, path: str) -> list[tuple[int, float]]:
    """The keys of one property's curve."""
    found = (curve for curve in curves_of(owner) if curve.data_path == path)
    return [(round(p.co[0]), p.co[1]) for curve in found for p in curve.keyframe_points]


def assign(owner: Any, action: Any, slot: str = "") -> None:
    """Have an action move `owner`: its slot of that identifier, else its first."""
    data = owner.animation_data_create()
    data.action = action
    if action is not None and hasattr(action, "slots") and len(action.slots):
        named = [each for each in action.slots if each.identifier == slot]
        data.action_slot = [*named, *action.slots][0]


def _put(
    container: Any, path: str, index: int, times: Iterable[int], values: Sequence[float]
) -> None:
    curve = container.new(path, index=index)
    points = curve.keyframe_points
    points.add(len(values))
    pairs = chain.from_iterable(zip(times, values, strict=True))
    points.foreach_set("co", array("f", pairs))
    points.foreach_set("interpolation", array("i", [_LINEAR] * len(values)))
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


def _container(owner: Any, name: str, id_type: str) -> Any:
    """The F-curves of the action that `owner` has, or of a fresh one."""
    data = owner.animation_data
    if data is None or data.action is None:
        return _new_action(owner, name, id_type)
    action = data.action
    if not hasattr(action, "slots"):
        return action.fcurves
    if data.action_slot is None:
        data.action_slot = action.slots.new(id_type=id_type, name=name)
    layer = action.layers[0] if len(action.layers) else action.layers.new("Layer")
    strip = layer.strips[0] if len(layer.strips) else layer.strips.new(type="KEYFRAME")
    return strip.channelbag(data.action_slot, ensure=True).fcurves


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
        for curve in _matching(container, old, ends):
            path = curve.data_path.replace(old, new)
            _copy_points(curve, container.new(path, index=curve.array_index))


def drop_animation(owner: Any, path: str, ends: tuple[str, ...]) -> None:
    """Remove the F-curves whose path holds `path` and goes on with one of `ends`."""
    for container in _containers(owner):
        for curve in _matching(container, path, ends):
            container.remove(curve)


def _matching(container: Any, path: str, ends: tuple[str, ...]) -> list[Any]:
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
