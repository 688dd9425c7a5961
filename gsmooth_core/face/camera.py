"""Pose and pinhole camera: model space -> camera space -> pixels.

Camera space is Blender's: x right, y up, the camera at the origin looks along -z, decimetres.
Pixels have x right, y down, and (0.5, 0.5) is the centre of the first pixel; the principal point
is the centre of the frame.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

Reals = NDArray[Any]  # float32 or float64; the result has the type of the first argument


def rotation_matrix(axis_angle: Reals) -> Reals:
    """Rotation matrices of axis-angle vectors.

    Args:
        axis_angle: (..., 3) axis times angle in radians.

    Returns:
        (..., 3, 3) matrices of the same type; `R @ x` turns a column vector x.
    """
    matrix = Rotation.from_rotvec(axis_angle.reshape(-1, 3)).as_matrix()  # (N, 3, 3)
    turns: Reals = matrix.reshape(*axis_angle.shape, 3).astype(axis_angle.dtype)  # (..., 3, 3)
    return turns


def axis_angle(matrix: Reals) -> Reals:
    """Axis-angle vectors of rotation matrices, the inverse of `rotation_matrix`.

    Args:
        matrix: (..., 3, 3) rotations; slight drift from orthonormality is put right.

    Returns:
        (..., 3) axis times angle in radians, angle in 0..pi.
    """
    vector = Rotation.from_matrix(matrix.reshape(-1, 3, 3)).as_rotvec()  # (N, 3)
    vectors: Reals = vector.reshape(matrix.shape[:-1]).astype(matrix.dtype)  # (..., 3)
    return vectors


def pose(vertices: Reals, rotation: Reals, translation: Reals) -> Reals:
    """Move model-space points into camera space.

    Args:
        vertices: (V, 3) decimetres.
        rotation: (3,) axis-angle in radians.
        translation: (3,) decimetres.

    Returns:
        (V, 3) points in camera space, decimetres, of the vertices' type.
    """
    placed: Reals = vertices @ rotation_matrix(rotation).T + translation
    return placed.astype(vertices.dtype, copy=False)


def project(points: Reals, focal: float, width: int, height: int) -> Reals:
    """Perspective projection to pixels.

    Args:
        points: (..., 3) in camera space, decimetres.
        focal: focal length in pixels.
        width: frame width in pixels.
        height: frame height in pixels.

    Returns:
        (..., 3) of u right and v down in pixels, and depth -z in decimetres. Where the depth is
        not positive the point is behind the camera and u, v mean nothing (perhaps inf or NaN).
    """
    depth = -points[..., 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        u = width / 2 + focal * points[..., 0] / depth
        v = height / 2 - focal * points[..., 1] / depth
    pixels: Reals = np.stack([u, v, depth], axis=-1).astype(points.dtype, copy=False)
    return pixels
