"""The Basel Face Model 2009 as a `MorphableModel`, from files that the user has a licence for.

Two layouts are known: `BFM_model_front.mat`, as prepared for Deep3DFaceRecon (35,709 vertices,
80 identity, 64 expression and 80 texture components, scaled to unit variance, decimetres), and
the original `01_MorphableModel.mat` with the files that preparation starts from beside it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.errors import ModelError
from gsmooth_core.face.morphable import LANDMARK_COUNT, REACH, MorphableModel, Region
from gsmooth_core.models.matfile import MatError, Tables, read_tables
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.types import Bool, Float, Int

NAME = "bfm2009"
Y_M = -0.15
"""Eq. 14, decimetres; 14,379 of the 35,709 vertices are below."""
MICROMETRES = 1e5  # in a decimetre
IDENTITY, EXPRESSION, TEXTURE = 80, 64, 80

_FRONT = ("meanshape", "idBase", "exBase", "meantex", "texBase", "tri", "keypoints")
_ORIGINAL = ("shapeMU", "shapePC", "shapeEV", "texMU", "texPC", "texEV")
_LARGEST = 768 << 20  # bytes; 01_MorphableModel.mat has 240 MB, its tables as much
_LARGEST_TEXT = 1 << 20
_COLOUR = 10.0  # of 0..1; a component may go beyond
_MOST_TRIANGLES = 1_000_000  # BFM 2009 has 106,000

COMPANIONS = (
    *("Exp_Pca.bin", "std_exp.txt", "BFM_front_idx.mat", "BFM_exp_idx.mat"),
    "facemodel_info.mat",
)

# Landmark of the tracker (of 478) that stands for each of the model's 68 key points.
# fmt: off
JAW = (127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356)
INNER_FACE = (
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300, 168, 197, 5, 4, 98, 97, 2, 326, 327,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 81, 13, 311, 308, 402, 14, 178,
)
# fmt: on
JAW_WEIGHT = 0.1  # the tracker's points slide along the contour when the head turns
OUTER_LIP, INNER_LIP = slice(48, 60), slice(60, 68)


@dataclass(frozen=True)
class _Parts:
    """What both layouts come down to; N vertices, decimetres, colours 0..1.

    Attributes:
        mean: (N, 3).
        identity: (80, N, 3).
        expression: (64, N, 3).
        mean_texture: (N, 3).
        texture: (80, N, 3).
        triangles: (F, 3), from 0.
        keypoints: (68,) vertices, from 0.
    """

    mean: Float
    identity: Float
    expression: Float
    mean_texture: Float
    texture: Float
    triangles: Int
    keypoints: Int


def read_bfm(path: Path) -> MorphableModel:
    """Read either layout.

    Args:
        path: `BFM_model_front.mat`, or `01_MorphableModel.mat` with its companions beside it.

    Raises:
        ModelError: the file is missing, damaged, far too large, or holds something else.
    """
    source = _source(path)
    tables = _tables(source, (*_FRONT, *_ORIGINAL))
    with np.errstate(over="ignore", invalid="ignore"):  # what comes of that is refused
        parts = _original(source, tables) if "shapeMU" in tables else _front(source, tables)
    _check(source, parts)
    return _assemble(parts)


def _source(path: Path) -> ModelSource:
    return ModelSource(
        path,
        "Basel Face Model",
        "Use BFM_model_front.mat as Deep3DFaceRecon prepares it, or 01_MorphableModel.mat.",
    )


def _tables(source: ModelSource, names: Collection[str]) -> Tables:
    try:
        return read_tables(source.read(_LARGEST), names, _LARGEST)
    except MatError as error:
        raise source.refused(str(error)) from error


def _get(source: ModelSource, tables: Tables, name: str) -> NDArray[Any]:
    if name not in tables:
        raise source.refused(f"it has no '{name}'")
    return tables[name]


def _components(
    source: ModelSource, tables: Tables, name: str, count: int, scale: NDArray[Any] | None = None
) -> Float:
    """(3 N, K) columns, each times its `scale` -> (count, N, 3)."""
    columns = _get(source, tables, name)
    rows, kept = (*columns.shape, 0)[:2]
    if columns.ndim != 2 or kept < count or rows % 3 or columns.dtype.kind not in "fiu":
        raise source.refused(f"'{name}' has not {count} components but the shape {columns.shape}")
    chosen = columns[:, :count] if scale is None else columns[:, :count] * scale[:count]
    flat = np.ascontiguousarray(chosen.T, np.float32)
    return flat.reshape(count, -1, 3)  # (count, 3 N) -> (count, N, 3)


def _points(source: ModelSource, tables: Tables, name: str) -> NDArray[Any]:
    """3 N numbers -> (N, 3)."""
    values = _get(source, tables, name)
    if values.size % 3 or not values.size:
        raise source.refused(f"'{name}' holds {values.size} numbers, not three a vertex")
    return values.reshape(-1, 3)


def _scale(source: ModelSource, tables: Tables, name: str, count: int) -> NDArray[Any]:
    values = _get(source, tables, name).ravel()
    if len(values) < count:
        raise source.refused(f"'{name}' has {len(values)} numbers, not {count}")
    return values


def _indices(source: ModelSource, tables: Tables, name: str, count: int) -> Int:
    """Indices of `count` things that MATLAB counts from 1, counted from 0."""
    values = _get(source, tables, name)
    source.bounded(name, values, 1, count)
    if (values % 1).any():
        raise source.refused(f"'{name}' holds numbers that are not whole")
    return np.asarray(values, np.int32) - np.int32(1)


def _front(source: ModelSource, tables: Tables) -> _Parts:
    mean = _points(source, tables, "meanshape").astype(np.float32)
    return _Parts(
        mean=mean,
        identity=_components(source, tables, "idBase", IDENTITY),
        expression=_components(source, tables, "exBase", EXPRESSION),
        mean_texture=_points(source, tables, "meantex").astype(np.float32) / 255,
        texture=_components(source, tables, "texBase", TEXTURE) / 255,
        triangles=_indices(source, tables, "tri", len(mean)),
        keypoints=_indices(source, tables, "keypoints", len(mean)).ravel(),
    )


def _original(source: ModelSource, tables: Tables) -> _Parts:
    """Crop and scale the original model as Deep3DFaceRecon's preparation does."""
    missing = [name for name in COMPANIONS if not source.path.with_name(name).exists()]
    if missing:
        raise ModelError(
            f"'{source.path.name}' alone has no expressions: '{missing[0]}' is missing beside it.",
            f"Put {', '.join(COMPANIONS)} into the same folder.",
        )
    mean = _points(source, tables, "shapeMU") / MICROMETRES
    expressions = _read_expressions(source)
    trimmed = _beside(source, "BFM_exp_idx.mat", "trimIndex", len(mean)).ravel()
    front = _beside(source, "BFM_front_idx.mat", "idx", min(len(trimmed), expressions.shape[1]))
    front = front.ravel()
    chosen = trimmed[front]  # vertices of the original model
    shape_scale = _scale(source, tables, "shapeEV", IDENTITY) / MICROMETRES
    texture_scale = _scale(source, tables, "texEV", TEXTURE) / 255
    shapes = _components(source, tables, "shapePC", IDENTITY, shape_scale)
    colours = _components(source, tables, "texPC", TEXTURE, texture_scale)
    mean_texture = _points(source, tables, "texMU") / 255
    _check_sizes(
        source, len(mean), shapePC=shapes.shape[1], texPC=colours.shape[1], texMU=len(mean_texture)
    )
    return _Parts(
        mean=mean[chosen].astype(np.float32),
        identity=shapes[:, chosen],
        expression=expressions[:, front],
        mean_texture=mean_texture[chosen].astype(np.float32),
        texture=colours[:, chosen],
        triangles=_beside(source, "facemodel_info.mat", "tri", len(chosen)),
        keypoints=_beside(source, "facemodel_info.mat", "keypoints", len(chosen)).ravel(),
    )


def _beside(source: ModelSource, filename: str, name: str, count: int) -> Int:
    other = replace(source, path=source.path.with_name(filename))
    return _indices(other, _tables(other, (name,)), name, count)


def _read_expressions(source: ModelSource) -> Float:
    """(64, N', 3) offsets from Exp_Pca.bin: a count K, the mean (3 N'), K vectors of 3 N'."""
    file = replace(source, path=source.path.with_name("Exp_Pca.bin"))
    binary = file.read(_LARGEST)
    count = int.from_bytes(binary[:4], "little", signed=True)
    if count < EXPRESSION or len(binary) <= 4 or (len(binary) - 4) % (12 * (count + 1)):
        raise file.refused(f"its size does not fit {count} components")
    values = np.frombuffer(binary, "<f4", offset=4)
    columns = values.reshape(count + 1, -1)[1:].T  # the mean comes first
    scale = _scales(replace(source, path=source.path.with_name("std_exp.txt")), count)
    return _components(file, {"vectors": columns}, "vectors", EXPRESSION, scale / MICROMETRES)


def _scales(source: ModelSource, count: int) -> NDArray[np.float64]:
    try:
        scales = np.array([float(word) for word in source.read(_LARGEST_TEXT).split()])
    except ValueError as error:
        raise source.refused(f"it holds no numbers ({error})") from error
    if len(scales) < count:
        raise source.refused(f"it has {len(scales)} numbers, not {count}")
    return scales


def _check_sizes(source: ModelSource, count: int, **sizes: int) -> None:
    for name, size in sizes.items():
        if size != count:
            raise source.refused(f"{name} has {size} vertices, the mean shape {count}")


def _check(source: ModelSource, parts: _Parts) -> None:
    _check_sizes(
        source,
        len(parts.mean),
        identity=parts.identity.shape[1],
        expression=parts.expression.shape[1],
        mean_texture=len(parts.mean_texture),
        texture=parts.texture.shape[1],
    )
    for name in ("mean", "identity", "expression"):
        source.bounded(name, getattr(parts, name), -REACH, REACH)
    source.bounded("mean texture", parts.mean_texture, -_COLOUR, _COLOUR)
    source.bounded("texture", parts.texture, -_COLOUR, _COLOUR)
    if len(parts.keypoints) != len(JAW) + len(INNER_FACE):
        raise source.refused(f"68 key points expected, not {len(parts.keypoints)}")
    triangles = parts.triangles
    if triangles.ndim != 2 or triangles.shape[1] != 3 or len(triangles) > _MOST_TRIANGLES:
        raise source.refused(f"'tri' is no list of triangles but has the shape {triangles.shape}")


def _assemble(parts: _Parts) -> MorphableModel:
    # The paper's threshold and R-Net's translation hold for a mean face about its own centre.
    mean = parts.mean - parts.mean.mean(0)
    faces = _outward(mean, parts.triangles)
    mouth = mean[:, 1] < Y_M
    weight, landmark_faces, barycentric = _landmarks(faces, parts.keypoints)
    return MorphableModel(
        name=NAME,
        mean=mean,
        identity_basis=parts.identity,
        expression_basis=parts.expression,
        expression_names=tuple(f"bfm_{k:02d}" for k in range(EXPRESSION)),
        faces=faces,
        uvs=_cylinder(mean),
        uv_faces=faces,
        regions=_regions(mean, mouth, parts.keypoints),
        mouth_mask=mouth,
        landmark_faces=landmark_faces,
        landmark_barycentric=barycentric,
        landmark_weight=weight,
        mean_texture=parts.mean_texture,
        texture_basis=parts.texture,
    )


def _outward(mean: Float, triangles: Int) -> Int:
    """Turn all triangles round when the face, which looks along +z, would be seen from behind."""
    a, b, c = (mean[triangles[:, k]] for k in range(3))
    towards = np.cross(b - a, c - a)[:, 2].sum()
    return np.ascontiguousarray(triangles if towards >= 0 else triangles[:, ::-1])


def _cylinder(mean: Float) -> Float:
    """(N, 2) cylindrical projection about a vertical axis behind the face."""
    axis = float(mean[:, 2].min())
    angle = np.arctan2(mean[:, 0], mean[:, 2] - axis + 1e-3)
    height = mean[:, 1] - mean[:, 1].min()
    u = 0.5 + angle / (2 * max(float(np.abs(angle).max()), 1e-6))
    v = height / max(float(height.max()), 1e-6)
    return np.asarray(np.stack([u, v], axis=1), np.float32)


def _regions(mean: Float, mouth: Bool, keypoints: Int) -> NDArray[np.uint8]:
    """Lower face by height, lips between the outer and the inner contour of the key points."""
    regions = np.where(mouth, Region.LOWER_FACE, Region.SKIN).astype(np.uint8)
    outer = _inside(mean[:, :2], mean[keypoints[OUTER_LIP], :2])
    inner = _inside(mean[:, :2], mean[keypoints[INNER_LIP], :2])
    regions[outer & ~inner] = Region.LIPS
    return regions


def _inside(points: Float, polygon: Float) -> Bool:
    """(P,) whether points (P, 2) are inside a polygon (K, 2): an odd number of crossings."""
    inside = np.zeros(len(points), bool)
    x, y = points.T
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        crosses = (y0 > y) != (y1 > y)
        rise = y1 - y0 if y1 != y0 else np.float32(1)
        inside ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / rise)
    return np.asarray(inside)


def _landmarks(faces: Int, keypoints: Int) -> tuple[Float, Int, Float]:
    """Weight, face and barycentric place of the 478 landmarks; only key points have weight."""
    weight = np.zeros(LANDMARK_COUNT, np.float32)
    where = np.zeros(LANDMARK_COUNT, np.int32)
    barycentric = np.full((LANDMARK_COUNT, 3), 1 / 3, np.float32)
    for landmark, vertex in zip((*JAW, *INNER_FACE), keypoints, strict=True):
        corners = np.argwhere(faces == vertex)  # (K, 2): face, corner
        if len(corners):
            where[landmark] = corners[0, 0]
            barycentric[landmark] = np.eye(3, dtype=np.float32)[corners[0, 1]]
            weight[landmark] = JAW_WEIGHT if landmark in JAW else 1.0
    return weight, where, barycentric
