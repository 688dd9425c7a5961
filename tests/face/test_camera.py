"""Camera against matrix exponentials and OpenCV's projection."""

from __future__ import annotations

import warnings

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from gsmooth_core.face.camera import axis_angle, pose, project, rotation_matrix

angles = st.lists(st.floats(-3, 3), min_size=3, max_size=3).map(np.array)


def skew(vector: np.ndarray) -> np.ndarray:
    x, y, z = vector
    return np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])


@given(angles)
def test_rotation_is_the_exponential_of_its_axis(vector: np.ndarray) -> None:
    np.testing.assert_allclose(rotation_matrix(vector), expm(skew(vector)), atol=1e-9)


@given(angles)
def test_axis_angle_gives_the_rotation_back(vector: np.ndarray) -> None:
    matrix = rotation_matrix(vector)
    back = axis_angle(matrix)
    np.testing.assert_allclose(rotation_matrix(back), matrix, atol=1e-9)
    assert np.linalg.norm(back) <= np.pi + 1e-9


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rotations_keep_leading_shape_and_type(shape: tuple[int, ...], dtype: type) -> None:
    vectors = np.random.default_rng(1).uniform(-1, 1, shape).astype(dtype)
    matrices = rotation_matrix(vectors)
    assert matrices.shape == (*shape, 3)
    assert matrices.dtype == dtype
    back = axis_angle(matrices)
    assert back.dtype == dtype
    np.testing.assert_allclose(back, vectors, atol=1e-5)


def test_pose_turns_then_moves() -> None:
    quarter_about_y = np.array([0, np.pi / 2, 0], np.float32)
    points = np.array([[0, 0, 1], [1, 2, 0]], np.float32)
    placed = pose(points, quarter_about_y, np.array([0, 0, -5], np.float32))
    np.testing.assert_allclose(placed, [[1, 0, -5], [0, 2, -6]], atol=1e-6)
    assert placed.dtype == np.float32


def test_projection_is_opencvs_with_y_and_z_turned() -> None:
    rng = np.random.default_rng(2)
    points = rng.uniform([-3, -3, -20], [3, 3, -2], (100, 3))
    focal, width, height = 900.0, 641, 480
    matrix = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    expected, _ = cv2.projectPoints(points * [1, -1, -1], np.zeros(3), np.zeros(3), matrix, None)
    projected = project(points.reshape(4, 25, 3), focal, width, height)
    np.testing.assert_allclose(projected.reshape(100, 3)[:, :2], expected[:, 0], rtol=1e-9)
    np.testing.assert_allclose(projected.reshape(100, 3)[:, 2], -points[:, 2])


def test_points_at_or_behind_the_camera_have_no_positive_depth_and_no_warning() -> None:
    points = np.array([[0, 0, 0], [1, 1, 0], [1, 1, 3]], np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        depth = project(points, 500, 100, 100)[:, 2]
    assert (depth <= 0).all()
