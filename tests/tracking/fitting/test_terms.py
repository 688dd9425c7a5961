"""Derivatives of the data term against finite differences."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gsmooth_core.face import camera
from gsmooth_core.tracking.fitting import projection
from gsmooth_core.tracking.fitting.projection import Camera
from gsmooth_core.tracking.fitting.sequence import unwrap

RNG = np.random.default_rng(3)
CAMERA = Camera(900.0, 640, 480)
FRAMES, POINTS, SHAPES = 3, 5, 4


@pytest.fixture
def setup() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    points = RNG.normal(0, 0.7, (POINTS, 3))
    basis = RNG.normal(0, 0.1, (SHAPES, POINTS, 3))
    pose = np.column_stack([RNG.normal(0, 0.6, (FRAMES, 3)), RNG.normal(0, 0.1, (FRAMES, 2))])
    return points, basis, np.column_stack([pose, RNG.uniform(1.5, 2.5, FRAMES)])


def _pixels(points: NDArray[np.float64], pose: NDArray[np.float64]) -> NDArray[np.float64]:
    return projection.project(projection.place(points, pose)[1], CAMERA)


def test_projection_is_the_cameras(setup: tuple[NDArray[np.float64], ...]) -> None:
    points, _, pose = setup
    for t in range(FRAMES):
        posed = camera.pose(points, pose[t, :3], projection.translation(pose)[t])
        expected = camera.project(posed, CAMERA.focal, CAMERA.width, CAMERA.height)[:, :2]
        np.testing.assert_allclose(_pixels(points, pose)[t], expected, rtol=1e-5)


@pytest.mark.parametrize("parameter", range(6))
def test_pose_derivative(setup: tuple[NDArray[np.float64], ...], parameter: int) -> None:
    points, _, pose = setup
    turned, placed = projection.place(points, pose)
    pixel = projection.point_jacobian(placed, CAMERA)
    found = projection.pose_jacobian(pixel, turned, pose)[..., parameter]
    ahead, behind = pose.copy(), pose.copy()
    ahead[:, parameter] += 1e-4
    behind[:, parameter] -= 1e-4
    expected = (_pixels(points, ahead) - _pixels(points, behind)) / 2e-4
    np.testing.assert_allclose(found, expected, atol=2e-3 * np.abs(expected).max())


def test_shape_derivative(setup: tuple[NDArray[np.float64], ...]) -> None:
    points, basis, pose = setup
    _, placed = projection.place(points, pose)
    pixel = projection.point_jacobian(placed, CAMERA)
    found = projection.shape_jacobian(pixel, pose, basis.astype(np.float32))
    for k in range(SHAPES):
        change = _pixels(points + 1e-4 * basis[k], pose) - _pixels(points - 1e-4 * basis[k], pose)
        expected = change / 2e-4
        np.testing.assert_allclose(found[..., k], expected, atol=2e-3 * np.abs(expected).max())


def test_unwrap_keeps_the_turn_and_takes_the_nearer_form() -> None:
    angles = np.linspace(2.6, 3.7, 12)  # passes half a turn
    wrapped = np.zeros((12, 3))
    wrapped[:, 2] = np.where(angles > np.pi, angles - 2 * np.pi, angles)
    found = unwrap(wrapped)
    np.testing.assert_allclose(found[:, 2], angles, atol=1e-9)
    np.testing.assert_allclose(
        camera.rotation_matrix(found), camera.rotation_matrix(wrapped), atol=1e-9
    )
