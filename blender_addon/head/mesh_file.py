"""Read the mesh that the worker leaves in a job's folder, with the standard library alone.

The folder may have come with a stranger's blend file, so the file is looked through at the door:
what is behind it goes into Blender's own memory, where a wrong index ends the program.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from operator import eq
from pathlib import Path
from typing import Any, TypeGuard

from ..errors import UserError
from ..storage import files
from ..storage.checks import check, is_text, number, whole

_LARGEST = 1 << 29  # bytes of the file
_LARGEST_HEADER = 1 << 20
_LONGEST_NAME = 63  # bytes; Blender cuts off the rest, and then two keys may be called alike
_CODES = {"F32": "f", "I32": "i", "U8": "B"}
# Of a little-endian float32, the last byte is the sign and the upper part of the exponent: below
# 0x47 the number is finite and less than 32768 either way, far beyond any head.
_SANE = bytes(byte for byte in range(256) if byte & 0x7F < 0x47)
_CAMERA = {"focal": number(1e-3, 1e7), "width": whole(1, 100_000), "height": whole(1, 100_000)}
_LAYOUT: dict[str, tuple[str, tuple[str | int, ...]]] = {
    "vertices": ("f", ("V", 3)),
    "faces": ("i", ("F", 3)),
    "uvs": ("f", ("3 F", 2)),
    "shape_keys": ("f", ("E", "V", 3)),
    "values": ("f", ("T", "E")),
    "rotation": ("f", ("T", 3)),
    "translation": ("f", ("T", 3)),
    "usable": ("B", ("T",)),
}
"""Type and shape of the arrays; one letter stands for one size throughout."""
_FILMED = {"tracked": ("f", ("T", "E"))}
"""The same of what a worker of an earlier version does not write."""


@dataclass(frozen=True)
class Tensor:
    """A flat array and its shape."""

    values: array[Any]
    shape: tuple[int, ...]

    def row(self, index: int) -> array[Any]:
        """Entry `index` along the first axis, flat."""
        size = len(self.values) // self.shape[0]
        return self.values[index * size : (index + 1) * size]


@dataclass(frozen=True)
class HeadMesh:
    """The head of one clip: geometry, expression basis, curves and pose (camera space, dm).

    Attributes:
        vertices: (V, 3) mean + identity.
        faces: (F, 3) vertex indices.
        uvs: (3 F, 2), one a face corner.
        shape_keys: (E, V, 3) offsets from `vertices`.
        values: (T, E) expression curves.
        rotation: (T, 3) axis-angle.
        translation: (T, 3).
        usable: (T,) whether a frame's face was found.
        tracked: (T, E) curves of what the face was filmed doing; None where they are not told.
        names: E names of the expression components.
        focal: focal length in pixels.
        width: of the clip in pixels.
        height: of the clip in pixels.
    """

    vertices: Tensor
    faces: Tensor
    uvs: Tensor
    shape_keys: Tensor
    values: Tensor
    rotation: Tensor
    translation: Tensor
    usable: Tensor
    names: tuple[str, ...]
    focal: float
    width: int
    height: int
    tracked: Tensor | None = None

    def __len__(self) -> int:
        return self.values.shape[0]


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file: arrays by name, and its text metadata.

    Raises:
        UserError: it is missing, damaged, or holds types or numbers that no mesh has.
    """
    try:
        return _tensors(files.read_file(path, _LARGEST))
    except files.UNREADABLE as error:
        raise _unusable(path, error) from error


def read_mesh(path: Path) -> HeadMesh:
    """Read a mesh file.

    Raises:
        UserError: it is missing, damaged, something else, or does not fit together.
    """
    arrays, meta = read_tensors(path)
    if meta.get("kind") != "gsmooth-mesh":
        raise UserError(f"'{path}' is no GSmooth mesh file: make the mesh again.")
    try:
        values = {name: _read_text(meta, name) for name in ("names", *_CAMERA)}
        _check_names(values["names"])
        _check_layout(arrays, len(values["names"]))
        _check_faces(arrays["faces"].values, arrays["vertices"].shape[0])
    except files.UNREADABLE as error:
        raise _unusable(path, error) from error
    check(values, _CAMERA, f"the mesh file '{path}'", "make it again.")
    return HeadMesh(
        **{name: arrays[name] for name in _LAYOUT},
        names=tuple(values["names"]),
        focal=float(values["focal"]),
        width=values["width"],
        height=values["height"],
        tracked=arrays.get("tracked"),
    )


def _unusable(path: Path, error: BaseException) -> UserError:
    return UserError(
        f"The mesh file '{path}' cannot be read ({files.reason(error)}): make it again."
    )


# -- the safetensors format ------------------------------------------------------------------


def _tensors(content: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    size = int.from_bytes(content[:8], "little")
    if size > min(len(content) - 8, _LARGEST_HEADER):
        raise ValueError("its header does not fit into it")
    header = files.parse_object(content[8 : 8 + size])
    meta = header.pop("__metadata__", {})
    if not isinstance(meta, dict) or not all(isinstance(text, str) for text in meta.values()):
        raise ValueError("its '__metadata__' holds other things than texts")
    places = {name: _place(name, entry, len(content) - 8 - size) for name, entry in header.items()}
    _check_no_overlap(places)
    return {
        name: _tensor(name, content, 8 + size + first, 8 + size + end, header[name])
        for name, (first, end) in places.items()
    }, meta


def _place(name: str, entry: Any, length: int) -> tuple[int, int]:
    """Where an array lies in the data of the file, once that is known to agree with its shape."""
    if not isinstance(entry, dict) or entry.get("dtype") not in [*_CODES]:
        raise ValueError(f"'{name}' has a type that no mesh has")
    shape, place = entry.get("shape"), entry.get("data_offsets")
    if not _are_sizes(shape, length) or not _are_sizes(place, length) or len(place) != 2:
        raise ValueError(f"shape and place of '{name}' are no sizes that fit into the file")
    itemsize = array(_CODES[entry["dtype"]]).itemsize
    if place[1] - place[0] != prod(shape) * itemsize:
        raise ValueError(f"'{name}' is not as long as its shape says")
    return place[0], place[1]


def _are_sizes(values: Any, most: int) -> TypeGuard[list[int]]:
    fits = isinstance(values, list) and len(values) <= 8
    return fits and all(type(value) is int and 0 <= value <= most for value in values)


def _check_no_overlap(places: Mapping[str, tuple[int, int]]) -> None:
    """A small file could hold endless arrays otherwise, all in one place."""
    free = 0
    for name, (first, end) in sorted(places.items(), key=lambda item: item[1]):
        if first < free:
            raise ValueError(f"'{name}' lies on another array")
        free = end


def _tensor(name: str, content: bytes, first: int, end: int, entry: dict[str, Any]) -> Tensor:
    values = array(_CODES[entry["dtype"]])
    if values.typecode == "f" and content[first + 3 : end : 4].translate(None, _SANE):
        raise ValueError(f"'{name}' holds numbers that are none, or far too large")
    values.frombytes(memoryview(content)[first:end])
    if sys.byteorder == "big":
        values.byteswap()
    return Tensor(values, tuple(entry["shape"]))


# -- what makes it a mesh --------------------------------------------------------------------


def _read_text(meta: Mapping[str, str], name: str) -> Any:
    try:
        return json.loads(meta.get(name, ""))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its '{name}' cannot be read") from error


def _check_names(names: Any) -> None:
    if not isinstance(names, list) or not all(map(is_text, names)):
        raise ValueError("its 'names' are no texts")
    if any(not 0 < len(name.encode()) <= _LONGEST_NAME for name in names):
        raise ValueError(f"one of its 'names' is empty or longer than {_LONGEST_NAME} bytes")
    if len({*names, "Basis"}) <= len(names):  # "Basis" is Blender's own, for the rest shape
        raise ValueError("its 'names' are not all different, or one is 'Basis'")


def _check_layout(arrays: Mapping[str, Tensor], expressions: int) -> None:
    sizes = {"E": expressions}
    more = _FILMED if "tracked" in arrays else {}
    for name, (code, letters) in {**_LAYOUT, **more}.items():
        if name not in arrays:
            raise ValueError(f"it has no '{name}'")
        values, shape = arrays[name].values, arrays[name].shape
        if values.typecode != code or len(shape) != len(letters) or not values:
            raise ValueError(f"'{name}' is empty, or of another type or shape")
        for letter, size in zip(letters, shape, strict=True):
            if size != (letter if isinstance(letter, int) else sizes.setdefault(letter, size)):
                raise ValueError(f"'{name}' does not fit to the others ({letter} is not {size})")
        sizes["3 F"] = 3 * sizes.get("F", 0)


def _check_faces(corners: array[int], vertices: int) -> None:
    if min(corners) < 0 or max(corners) >= vertices:
        raise ValueError("its 'faces' name vertices that are not there")
    sides = (corners[0::3], corners[1::3], corners[2::3])
    if any(any(map(eq, sides[i], sides[i - 1])) for i in range(3)):
        raise ValueError("one of its 'faces' has a corner twice")
