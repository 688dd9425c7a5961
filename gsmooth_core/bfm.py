"""The Basel Face Model 2009 as a `MorphableModel`, from files that the user has a licence for.

Two layouts are known: `BFM_model_front.mat`, as prepared for Deep3DFaceRecon (35,709 vertices,
80 identity, 64 expression and 80 texture components, scaled to unit variance, decimetres), and
the original `01_MorphableModel.mat` with the files that preparation starts from beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from gsmooth_core.data import Bool, Float, Int
from gsmooth_core.errors import ModelError
from gsmooth_core.face_model import LANDMARK_COUNT, MorphableModel, Region

NAME = "bfm2009"
Y_M = -0.15
"""Eq. 14, decimetres; 14,379 of the 35,709 vertices are below."""
MICROMETRES = 1e5  # in a decimetre
IDENTITY, EXPRESSION, TEXTURE = 80, 64, 80
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
        ModelError: the file is missing, damaged, or holds something else.
    """
    content = _read_mat(path)
    try:
        parts = _original(path, content) if "shapeMU" in content else _front(path, content)
        return _assemble(parts)
    except (ValueError, IndexError) as error:
        raise _not_a_model(path, str(error)) from error


def _read_mat(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ModelError(f"The face model '{path}' is missing.", "Check the path.")
    try:
        return dict(loadmat(path))
    except (MatReadError, ValueError, TypeError, NotImplementedError, OSError, EOFError) as error:
        raise _not_a_model(path, str(error)) from error


def _not_a_model(path: Path, why: str) -> ModelError:
    return ModelError(
        f"'{path.name}' is not a Basel Face Model ({why}).",
        "Use BFM_model_front.mat as Deep3DFaceRecon prepares it, or 01_MorphableModel.mat.",
    )


def _get(path: Path, content: Mapping[str, Any], name: str) -> NDArray[Any]:
    if name not in content:
        raise _not_a_model(path, f"it has no '{name}'")
    return np.asarray(content[name])


def _components(columns: NDArray[Any], count: int) -> Float:
    """(3 N, K) columns -> (count, N, 3)."""
    if columns.ndim != 2 or columns.shape[1] < count:
        raise ValueError(f"{count} components expected, not {columns.shape}")
    kept = columns[:, :count].astype(np.float32).T
    return np.ascontiguousarray(kept.reshape(count, -1, 3))  # (count, 3 N) -> (count, N, 3)


def _indices(values: NDArray[Any]) -> Int:
    """Indices that MATLAB counts from 1."""
    return np.asarray(values, np.int32) - np.int32(1)


def _front(path: Path, content: Mapping[str, Any]) -> _Parts:
    return _Parts(
        mean=_get(path, content, "meanshape").astype(np.float32).reshape(-1, 3),
        identity=_components(_get(path, content, "idBase"), IDENTITY),
        expression=_components(_get(path, content, "exBase"), EXPRESSION),
        mean_texture=_get(path, content, "meantex").astype(np.float32).reshape(-1, 3) / 255,
        texture=_components(_get(path, content, "texBase"), TEXTURE) / 255,
        triangles=_indices(_get(path, content, "tri")),
        keypoints=_indices(_get(path, content, "keypoints")).ravel(),
    )


def _original(path: Path, content: Mapping[str, Any]) -> _Parts:
    """Crop and scale the original model as Deep3DFaceRecon's preparation does."""
    missing = [name for name in COMPANIONS if not path.with_name(name).is_file()]
    if missing:
        raise ModelError(
            f"'{path.name}' alone has no expressions: '{missing[0]}' is missing beside it.",
            f"Put {', '.join(COMPANIONS)} into the same folder.",
        )
    front = _indices(_mat_beside(path, "BFM_front_idx.mat", "idx")).ravel()
    trimmed = _indices(_mat_beside(path, "BFM_exp_idx.mat", "trimIndex")).ravel()
    chosen = trimmed[front]  # vertices of the original model
    shape_scale = _get(path, content, "shapeEV").ravel() / MICROMETRES
    texture_scale = _get(path, content, "texEV").ravel() / 255
    shapes = _components(_get(path, content, "shapePC") * shape_scale, IDENTITY)
    colours = _components(_get(path, content, "texPC") * texture_scale, TEXTURE)
    mean = _get(path, content, "shapeMU").reshape(-1, 3) / MICROMETRES
    return _Parts(
        mean=mean[chosen].astype(np.float32),
        identity=shapes[:, chosen],
        expression=_read_expressions(path)[:, front],
        mean_texture=(_get(path, content, "texMU").reshape(-1, 3) / 255)[chosen].astype(np.float32),
        texture=colours[:, chosen],
        triangles=_indices(_mat_beside(path, "facemodel_info.mat", "tri")),
        keypoints=_indices(_mat_beside(path, "facemodel_info.mat", "keypoints")).ravel(),
    )


def _mat_beside(path: Path, filename: str, name: str) -> NDArray[Any]:
    other = path.with_name(filename)
    return _get(other, _read_mat(other), name)


def _read_expressions(path: Path) -> Float:
    """(64, N', 3) offsets from Exp_Pca.bin: a count K, the mean (3 N'), K vectors of 3 N'."""
    binary = path.with_name("Exp_Pca.bin").read_bytes()
    scale = np.loadtxt(path.with_name("std_exp.txt")).ravel() / MICROMETRES
    count = int(np.frombuffer(binary, "<i4", 1)[0])
    values = np.frombuffer(binary, "<f4", offset=4)
    vectors = values.reshape(count + 1, -1)[1:]  # the mean comes first
    return _components((vectors * scale[:count, None]).T, EXPRESSION)


def _assemble(parts: _Parts) -> MorphableModel:
    # The paper's threshold and R-Net's translation hold for a mean face about its own centre.
    mean = parts.mean - parts.mean.mean(0)
    faces = _outward(mean, parts.triangles)
    _check(parts, len(mean))
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


def _check(parts: _Parts, count: int) -> None:
    sizes = {
        "identity": parts.identity.shape[1],
        "expression": parts.expression.shape[1],
        "mean texture": len(parts.mean_texture),
        "texture": parts.texture.shape[1],
    }
    for name, size in sizes.items():
        if size != count:
            raise ValueError(f"{name} has {size} vertices, the mean shape {count}")
    if len(parts.keypoints) != len(JAW) + len(INNER_FACE):
        raise ValueError(f"68 key points expected, not {len(parts.keypoints)}")
    if parts.keypoints.min() < 0 or parts.keypoints.max() >= count:
        raise ValueError("key points name vertices that do not exist")


def _outward(mean: Float, triangles: Int) -> Int:
    """Turn all triangles round when the face, which looks along +z, would be seen from behind."""
    if triangles.ndim != 2 or triangles.shape[1] != 3 or triangles.min() < 0:
        raise ValueError("triangles expected")
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
