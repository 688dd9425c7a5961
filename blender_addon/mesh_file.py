"""Read the mesh that the worker leaves in a job's folder, with the standard library alone."""

from __future__ import annotations

import json
import struct
import sys
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import UserError

_CODES = {"F32": "f", "I32": "i", "U8": "B"}


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

    def __len__(self) -> int:
        return self.values.shape[0]


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a safetensors file: arrays by name, and its text metadata.

    Raises:
        UserError: it is missing, damaged, or holds types that no mesh has.
    """
    try:
        content = path.read_bytes()
        (size,) = struct.unpack_from("<Q", content)
        header = json.loads(content[8 : 8 + size])
        meta = dict(header.pop("__metadata__", {}))
        return {name: _tensor(content, 8 + size, entry) for name, entry in header.items()}, meta
    except (OSError, ValueError, KeyError, struct.error) as error:
        raise UserError(
            f"The mesh file '{path}' cannot be read ({error}): make it again."
        ) from error


def _tensor(content: bytes, origin: int, entry: dict[str, Any]) -> Tensor:
    first, end = entry["data_offsets"]
    values = array(_CODES[entry["dtype"]])
    values.frombytes(content[origin + first : origin + end])
    if sys.byteorder == "big":
        values.byteswap()
    return Tensor(values, tuple(entry["shape"]))


def read_mesh(path: Path) -> HeadMesh:
    """Read a mesh file.

    Raises:
        UserError: it is missing, damaged, or something else.
    """
    arrays, meta = read_tensors(path)
    if meta.get("kind") != "gsmooth-mesh":
        raise UserError(f"'{path}' is no GSmooth mesh file: make the mesh again.")
    return HeadMesh(
        **arrays,
        names=tuple(json.loads(meta["names"])),
        focal=float(json.loads(meta["focal"])),
        width=int(json.loads(meta["width"])),
        height=int(json.loads(meta["height"])),
    )
