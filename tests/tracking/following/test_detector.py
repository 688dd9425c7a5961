"""The detector against places read off a real photo, and against pictures without a face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gsmooth_core.networks.blaze import Detection
from gsmooth_core.tracking.following.detector import DetectorSettings, FaceDetector
from gsmooth_core.types import Image
from tests.tracking.places import EYE_AT_LEFT, EYE_AT_RIGHT, EYE_DISTANCE, MOUTH


def _pasted(picture: Image, scale: float, left: int, top: int, size: tuple[int, int]) -> Image:
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas = np.full((size[1], size[0], 3), 90, np.uint8)
    canvas[top : top + small.shape[0], left : left + small.shape[1]] = small
    return canvas


def _places(detection: Detection) -> np.ndarray:
    return detection.keypoints[[0, 1, 3]]


EXPECTED = np.array([EYE_AT_LEFT, EYE_AT_RIGHT, MOUTH])


def test_face_is_found_where_it_is(detector: FaceDetector, astronaut: Image) -> None:
    best = detector.detect(astronaut)[0]
    assert best.score > 0.8
    error = np.linalg.norm(_places(best) - EXPECTED, axis=1)
    assert error.max() < 0.2 * EYE_DISTANCE
    assert 1.5 < best.width / EYE_DISTANCE < 3


@pytest.mark.parametrize("colour", [0, 128, 255])
def test_blank_frame_has_no_face(detector: FaceDetector, colour: int) -> None:
    assert detector.detect(np.full((120, 200, 3), colour, np.uint8)) == []


def test_noise_is_hardly_a_face(detector: FaceDetector) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3)).astype(np.uint8)
    assert all(d.score < 0.7 for d in detector.detect(noise))


def test_tiles_find_a_face_too_small_for_the_whole_frame(
    detector: FaceDetector, astronaut: Image
) -> None:
    frame = _pasted(astronaut, 0.5, 1200, 400, (1920, 1080))
    assert detector.detect(frame, depth=0) == []
    best = detector.detect(frame)[0]
    error = np.linalg.norm(_places(best) - EXPECTED * 0.5 - (1200, 400), axis=1)
    assert error.max() < 0.2 * EYE_DISTANCE * 0.5


@pytest.mark.parametrize("size", [(512, 512), (900, 512), (512, 900), (641, 523)])
def test_place_does_not_depend_on_the_frames_shape(
    detector: FaceDetector, astronaut: Image, size: tuple[int, int]
) -> None:
    left, top = (size[0] - 512) // 2, (size[1] - 512) // 2
    best = detector.detect(_pasted(astronaut, 1, left, top, size))[0]
    error = np.linalg.norm(_places(best) - EXPECTED - (left, top), axis=1)
    assert np.median(error) < 2 * max(size) / 128  # pixels of the network's own input


def test_one_face_gives_one_detection(detector: FaceDetector, astronaut: Image) -> None:
    assert len(detector.detect(astronaut)) == 1


def test_two_faces_give_two_detections(detector: FaceDetector, astronaut: Image) -> None:
    face = astronaut[40:240, 120:320]
    found = detector.detect(np.concatenate([face, face[:, ::-1]], 1))
    assert len(found) == 2
    assert abs(found[0].centre[0] - found[1].centre[0]) > 100


def test_small_boxes_are_dropped(astronaut: Image) -> None:
    settings = DetectorSettings(smallest=400)
    assert FaceDetector(settings).detect(astronaut, depth=0) == []
