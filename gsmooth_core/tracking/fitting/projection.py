"""Projection of posed landmarks and its derivatives, for many frames at once.

A frame's pose is x = (r, a, b, s): r axis-angle; the model's origin is seen at the direction
(a, b), that is t = e^s (a, b, -1). So a, b move the picture and s scales it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.camera import rotation_matrix

POSE = 6

Reals = NDArray[Any]  # float32 or float64


@dataclass(frozen=True)
class Camera:
    """Focal length and picture size in pixels; the principal point is the middle."""

    focal: float
    width: int
    height: int


def translation(pose: Reals) -> Reals:
    """(T, 3) decimetres, of poses (T, 6)."""
    distance = np.exp(pose[:, 5:6])
    return np.asarray(np.concatenate([pose[:, 3:5] * distance, -distance], 1), np.float32)


def direction(translation: Reals) -> Reals:
    """(T, 3) a, b and s of poses whose translations are (T, 3); undoes `translation`."""
    away = -translation[:, 2:]
    return np.concatenate([translation[:, :2] / away, np.log(away)], 1)


def place(points: Reals, pose: Reals) -> tuple[Reals, Reals]:
    """Pose landmarks (N, 3) or (T, N, 3) by poses (T, 6).

    Returns:
        turned (T, N, 3) and camera-space (T, N, 3) points.
    """
    turned = points @ rotation_matrix(pose[:, :3]).transpose(0, 2, 1)
    return turned, turned + translation(pose)[:, None]


def project(points: Reals, camera: Camera) -> Reals:
    """(T, N, 2) pixels of camera-space points (T, N, 3)."""
    scale = camera.focal / -points[..., 2]
    u = camera.width / 2 + scale * points[..., 0]
    v = camera.height / 2 - scale * points[..., 1]
    return np.stack([u, v], -1)


def point_jacobian(points: Reals, camera: Camera) -> Reals:
    """(T, N, 2, 3) derivative of the pixels by the camera-space points."""
    scale = camera.focal / -points[..., 2]
    jacobian = np.zeros((*points.shape[:-1], 2, 3), np.float32)
    jacobian[..., 0, 0] = scale
    jacobian[..., 1, 1] = -scale
    jacobian[..., 0, 2] = scale * points[..., 0] / -points[..., 2]
    jacobian[..., 1, 2] = -scale * points[..., 1] / -points[..., 2]
    return jacobian


def pose_jacobian(pixel: Reals, turned: Reals, pose: Reals) -> Reals:
    """Derivative of the pixels by the pose.

    Args:
        pixel: (T, N, 2, 3) of `point_jacobian`.
        turned: (T, N, 3) of `place`.
        pose: (T, 6).

    Returns:
        (T, N, 2, 6).
    """
    frames, count = turned.shape[:2]
    by_pose = np.zeros((frames, count, 3, POSE), np.float32)
    by_pose[..., :3] = -_cross(turned) @ _left_jacobian(pose[:, :3])[:, None]
    distance = np.exp(pose[:, 5])[:, None]
    by_pose[..., 0, 3] = distance
    by_pose[..., 1, 4] = distance
    by_pose[..., 5] = translation(pose)[:, None]
    return np.asarray(pixel @ by_pose, np.float32)


def shape_jacobian(pixel: Reals, pose: Reals, basis: Reals) -> Reals:
    """Derivative of the pixels by coefficients of a basis (K, N, 3): (T, N, 2, K)."""
    frames, count = pixel.shape[:2]
    turned = pixel @ rotation_matrix(pose[:, :3])[:, None]  # (T, N, 2, 3): by model space
    rows = turned.transpose(1, 0, 2, 3).reshape(count, frames * 2, 3)
    product = rows @ basis.transpose(1, 2, 0)  # (N, 2T, K)
    return np.asarray(product.reshape(count, frames, 2, -1).transpose(1, 0, 2, 3), np.float32)


def _cross(v: Reals) -> Reals:
    """(..., 3, 3) matrices [v]x with [v]x w = v x w."""
    matrix = np.zeros((*v.shape, 3), v.dtype)
    matrix[..., 0, 1], matrix[..., 0, 2] = -v[..., 2], v[..., 1]
    matrix[..., 1, 0], matrix[..., 1, 2] = v[..., 2], -v[..., 0]
    matrix[..., 2, 0], matrix[..., 2, 1] = -v[..., 1], v[..., 0]
    return matrix


def _left_jacobian(rotation: Reals) -> Reals:
    """(T, 3, 3) J with exp(r + d) = exp(J d) exp(r) to first order."""
    angle = np.linalg.norm(rotation, axis=1)[:, None, None]
    safe = np.maximum(angle, 1e-4)
    cross = _cross(rotation)
    first = np.where(angle < 1e-4, 0.5, (1 - np.cos(safe)) / safe**2)
    second = np.where(angle < 1e-4, 1 / 6, (safe - np.sin(safe)) / safe**3)
    return np.asarray(np.eye(3) + first * cross + second * cross @ cross, np.float32)
