"""Landmarks against places read off a real photo, and against the photo moved about."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gsmooth_core.face.load import load_face_model
from gsmooth_core.tracking.following.detector import FaceDetector
from gsmooth_core.tracking.following.landmarks import ARKIT_NAMES, Crop, FaceMesh, cut
from gsmooth_core.types import Float, Image
from tests.tracking.places import (
    CHIN,
    EYE_AT_LEFT,
    EYE_AT_RIGHT,
    EYE_DISTANCE,
    MOUTH_AT_LEFT,
    MOUTH_AT_RIGHT,
)

LANDMARKS = [468, 473, 78, 308, 152]  # iris, iris, corners of the inner mouth, chin
EXPECTED = np.array([EYE_AT_LEFT, EYE_AT_RIGHT, MOUTH_AT_LEFT, MOUTH_AT_RIGHT, CHIN])


@pytest.fixture(scope="module")
def points(detector: FaceDetector, mesh: FaceMesh, astronaut: Image) -> Float:
    first = mesh.landmarks(astronaut, Crop.around(detector.detect(astronaut)[0]))
    return mesh.landmarks(astronaut, Crop.of_points(first.points)).points


def test_landmarks_lie_where_the_eye_sees_them(points: Float) -> None:
    error = np.linalg.norm(points[LANDMARKS, :2] - EXPECTED, axis=1) / EYE_DISTANCE
    assert error[:4].max() < 0.05
    assert error[4] < 0.12  # where a chin ends is a matter of taste


@pytest.mark.parametrize("degrees", [-90, -35, 20, 90])
def test_landmarks_turn_with_the_picture(
    mesh: FaceMesh, astronaut: Image, points: Float, degrees: float
) -> None:
    matrix = cv2.getRotationMatrix2D((225, 130), degrees, 1)
    turned = cv2.warpAffine(astronaut, matrix, (512, 512))
    expected = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    crop = Crop.of_points(np.concatenate([expected, points[:, 2:]], 1).astype(np.float32))
    found = mesh.landmarks(turned, crop)
    assert found.presence > 0.99
    error = np.linalg.norm(found.points[:, :2] - expected, axis=1) / EYE_DISTANCE
    assert np.median(error) < 0.03


def test_large_pictures_are_averaged_not_aliased(
    mesh: FaceMesh, astronaut: Image, points: Float
) -> None:
    large = cv2.resize(astronaut, None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0).normal(0, 60, large.shape)
    large = np.clip(large + noise, 0, 255).astype(np.uint8)
    found = mesh.landmarks(large, Crop.of_points(points * 8)).points / 8
    error = np.linalg.norm((found - points)[:, :2], axis=1) / EYE_DISTANCE
    assert np.median(error) < 0.03


@pytest.mark.parametrize("side", [200, 1500, 5000])
def test_cut_agrees_with_a_naive_resampling(side: int) -> None:
    y, x = np.mgrid[0:400, 0:600].astype(np.float32)
    ramp = np.stack([x / 4, y / 4, (x + y) / 8], -1).astype(np.uint8)
    crop = Crop(np.array([300, 200], np.float32), float(side) / 10, 0.3)
    matrix = crop.matrix(64)
    got = cut(ramp, matrix, 64)
    for row, column in ((5, 9), (32, 32), (60, 20)):
        u, v = matrix[:, :2] @ (column + 0.5, row + 0.5) + matrix[:, 2]
        if 0 < u < 600 and 0 < v < 400:
            expected = [(u - 0.5) / 4, (v - 0.5) / 4, (u + v - 1) / 8]
            assert np.abs(got[row, column] - expected).max() < 2.5


def test_no_face_is_not_believed(mesh: FaceMesh, coffee: Image) -> None:
    crop = Crop(np.array([300, 200], np.float32), 300, 0)
    assert mesh.landmarks(coffee, crop).presence < 0.1


def test_scores_see_the_smile(mesh: FaceMesh, points: Float) -> None:
    scores = dict(zip(ARKIT_NAMES, mesh.scores(points), strict=True))
    assert scores["mouthSmileLeft"] > 0.5
    assert scores["mouthSmileRight"] > 0.5
    assert scores["mouthPucker"] < 0.1
    assert scores["eyeBlinkLeft"] < 0.4


def test_scores_do_not_depend_on_place_and_scale(mesh: FaceMesh, points: Float) -> None:
    np.testing.assert_allclose(mesh.scores(points), mesh.scores(points * 3 + 50), atol=1e-3)


def test_names_are_those_of_the_face_model() -> None:
    assert sorted(ARKIT_NAMES) == sorted(load_face_model().expression_names)
