"""A clip reenacted from one frame, on the drawn portrait, whose pose is known."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import numpy as np
import pytest

from gsmooth_core.evaluation.metrics.fidelity import psnr
from gsmooth_core.face.camera import axis_angle, pose, rotation_matrix
from gsmooth_core.motion.head import ATLAS, turn_matrices
from tests.portrait import scene as drawn
from training.head.reenact import chosen
from training.head.scene import SIZE, Scene, angle_between, pose_between, usable_frames

TURN, SHIFT = np.deg2rad([3.0, -6.0, 2.0]), np.array([0.05, -0.02, 0.1])


@pytest.fixture(scope="module")
def track():
    """The portrait's own pose, the same again, and turned; the last frame is not usable."""
    still = drawn.still()
    names = ("expression", "light", "confidence", "landmarks", "translation", "rotation")
    values = {name: np.repeat(getattr(still, name), 4, 0) for name in names}
    atlas = pose(np.array([ATLAS]), still.rotation[0], still.translation[0])[0]
    matrix = turn_matrices(TURN[None])[0]
    values["rotation"][2] = axis_angle(matrix @ rotation_matrix(still.rotation[0]))
    values["translation"][2] = matrix @ (still.translation[0] - atlas) + atlas + SHIFT
    values["confidence"][3] = 0
    return replace(still, **values)


@pytest.fixture(scope="module")
def moved(track) -> Scene:
    return Scene(drawn.photo(), track, 0, drawn.face_model())


def test_the_pose_between_two_frames_is_what_was_put_there(track) -> None:
    turn, shift = pose_between(track, 0, 2)
    np.testing.assert_allclose(turn, TURN, atol=1e-5)
    np.testing.assert_allclose(shift, SHIFT, atol=1e-5)
    assert angle_between(track, 0, 1) == pytest.approx(0, abs=0.05)
    assert angle_between(track, 0, 2) == pytest.approx(7, abs=0.1)


def test_only_usable_frames_of_the_first_shot_count(track) -> None:
    assert usable_frames(track, 4) == [0, 1, 2]
    assert usable_frames(replace(track, shot=np.array([0, 0, 1, 1])), 4) == [0, 1]


def test_a_head_that_rests_is_the_photo_and_one_that_turns_is_not(moved) -> None:
    rest, away = (moved.made(*moved.pose(n)) for n in (1, 2))
    assert {picture.shape for picture in away.values()} == {(SIZE, SIZE, 3)}
    np.testing.assert_array_equal(rest["layer"], rest["static"])
    np.testing.assert_array_equal(away["static"], rest["static"])
    assert psnr(away["static"], away["layer"]) < 35


def test_regions_lie_where_they_are_called(moved) -> None:
    regions = moved.regions(moved.photo, 0)
    assert regions["face"].sum() > 3000
    assert not (regions["upper face"] & ~regions["face"]).any()
    for name in ("hair", "neck"):
        assert not (regions[name] & regions["upper face"]).any()
    rows = {name: np.nonzero(part)[0] for name, part in regions.items()}
    assert rows["upper face"].mean() < rows["face"].mean()
    if len(rows["neck"]):
        assert rows["neck"].min() > rows["face"].max() - 3


def test_frames_are_chosen_evenly_over_the_angles_and_none_is_far(track) -> None:
    degrees = np.array([0, 1, 1.1, 1.2, 1.3, 5, 9, 14, 30])
    rotation = np.zeros((9, 3), np.float32)
    rotation[:, 1] = np.deg2rad(degrees)
    turning = replace(track, rotation=rotation)
    assert chosen(turning, list(range(9)), 3) == [1, 6, 7]
    assert chosen(turning, [0, 8], 3) == []


def test_a_blink_is_no_photo_and_a_face_that_jumps_is_a_cut(track) -> None:
    marks = np.repeat(track.landmarks[:1], 6, 0)
    marks[0, [159, 386]] = marks[0, [145, 374]]  # shut
    marks[4:] += 40
    names = ("expression", "light", "translation", "rotation")
    values = {name: np.repeat(getattr(track, name)[:1], 6, 0) for name in names}
    clip = replace(track, **values, landmarks=marks, confidence=np.ones(6, np.float32))
    assert usable_frames(clip, 6) == [1, 2, 3]


def test_what_lies_beyond_the_photo_is_no_part_of_it(moved, monkeypatch) -> None:
    everybody = np.ones(moved.photo.shape[:2], np.float32)  # a matte that reaches every edge
    monkeypatch.setattr("training.head.scene.find_matte", lambda _: everybody)
    aside = copy(moved)
    aside.crop = moved.crop + np.array([[0, 0, 40.0], [0, 0, 60]])  # two of the photo's edges show
    marked = aside.cut(np.ones(moved.photo.shape[:2], np.uint8), np.uint8(0))
    assert set(np.unique(marked)) == {0, 1}
    assert (aside.cut(moved.photo)[0] > 0).any()
    regions = aside.regions(moved.photo, 0)
    assert all(regions[name].any() for name in ("face", "hair"))
    assert not any((part & (marked == 0)).any() for part in regions.values())
