"""Following a face through made-up clips: motion, loss, two faces, cuts."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gsmooth_core.tracking.following.follow import FollowSettings, follow_face
from gsmooth_core.tracking.following.landmarks import LANDMARKS, Crop, FaceMesh
from gsmooth_core.tracking.shots.cuts import CutFinder
from gsmooth_core.types import Image
from tests.tracking.places import EYE_DISTANCE

NOSE = 1


@pytest.fixture(scope="module")
def face(astronaut: Image) -> Image:
    return astronaut[20:260, 100:340]


def _canvas(face: Image, left: int, top: int = 40, colour: int = 90) -> Image:
    canvas = np.full((320, 640, 3), colour, np.uint8)
    canvas[top : top + 240, left : left + 240] = face
    return canvas


def test_a_moving_face_is_followed(face: Image) -> None:
    lefts = np.arange(20, 320, 20)
    track = follow_face(_canvas(face, int(left)) for left in lefts)
    assert track.points.shape == (15, LANDMARKS, 3)
    assert (track.presence > 0.9).all()
    place = track.points[:, NOSE, 0] - lefts
    assert np.ptp(place) < 0.06 * EYE_DISTANCE


def test_a_face_that_only_trembles_is_seen_through_a_crop_that_stands_still(
    face: Image, mesh: FaceMesh
) -> None:
    """Frame by frame as the network sees it through the crop of the first frame."""
    frames = [_canvas(face, 200 + left, 40 + top) for left, top in ((0, 0), (1, 0), (2, 1), (0, 2))]
    track = follow_face(frames)
    still = Crop.of_points(track.points[0])
    assert np.ptp(track.points[:, NOSE], axis=0).max() > 1
    for frame, points in zip(frames[1:], track.points[1:], strict=True):
        np.testing.assert_allclose(points, mesh.landmarks(frame, still).points, atol=1e-3)


def test_a_lost_face_is_marked_and_found_again(face: Image) -> None:
    empty = np.full((320, 640, 3), 90, np.uint8)
    shown = [True] * 4 + [False] * 5 + [True] * 6
    settings = FollowSettings(retry=2)
    track = follow_face((_canvas(face, 200) if s else empty for s in shown), settings)
    found = np.isfinite(track.points).all((1, 2))
    np.testing.assert_array_equal(found, track.presence > 0)
    assert found[:4].all()
    assert not found[4:9].any()
    assert found[11:].all()
    assert (track.scores[4:9] == 0).all()


def test_no_face_anywhere(coffee: Image) -> None:
    track = follow_face([coffee] * 3)
    assert np.isnan(track.points).all()
    assert (track.presence == 0).all()


def test_the_larger_face_is_kept(face: Image) -> None:
    small = cv2.resize(face, (150, 150), interpolation=cv2.INTER_AREA)

    def frame(shift: int) -> Image:
        canvas = _canvas(face, 20 + shift)
        canvas[100:250, 440 - shift : 590 - shift] = small[:, ::-1]
        return canvas

    track = follow_face(frame(4 * t) for t in range(12))
    assert (np.abs(track.points[:, NOSE, 0] - track.points[0, NOSE, 0]) < 60).all()
    assert (track.points[:, NOSE, 0] < 320).all()


def test_a_face_can_be_picked(face: Image) -> None:
    small = cv2.resize(face, (150, 150), interpolation=cv2.INTER_AREA)
    canvas = _canvas(face, 20)
    canvas[100:250, 440:590] = small
    track = follow_face([canvas] * 3, FollowSettings(pick=(0.8, 0.5)))
    assert (track.points[:, NOSE, 0] > 400).all()


def test_the_other_person_is_not_taken_when_one_leaves(face: Image) -> None:
    both = _canvas(face, 10)
    both[40:280, 400:640] = face[:, ::-1]
    alone = _canvas(face[:, ::-1], 400)
    settings = FollowSettings(pick=(0.2, 0.5), reach=1.0)
    track = follow_face([both, both, alone, alone, alone, alone, both, both, both], settings)
    places = track.points[:, NOSE, 0]
    assert np.isnan(places[2:6]).all() or (places[2:6] < 320).all()
    assert places[-1] < 320


def test_a_cut_starts_a_shot_and_finds_the_face_anew(face: Image) -> None:
    first = [_canvas(face, 10, colour=20)] * 4
    second = [_canvas(face, 390, colour=230)] * 4
    track = follow_face(first + second)
    assert track.shot.tolist() == [0] * 4 + [1] * 4
    assert (track.presence > 0.9).all()
    assert np.diff(track.points[:, NOSE, 0])[3] == pytest.approx(380, abs=0.1 * EYE_DISTANCE)


def test_a_pan_is_not_a_row_of_cuts() -> None:
    rng = np.random.default_rng(1)
    wide = cv2.resize(rng.integers(0, 256, (6, 60, 3)).astype(np.uint8), (6000, 320))
    finder = CutFinder()
    starts = [finder.begins_shot(wide[:, 60 * t : 60 * t + 640]) for t in range(40)]
    assert sum(starts) <= 2


def test_of_no_frames_comes_an_empty_track() -> None:
    track = follow_face([])
    assert len(track) == 0
    assert track.points.shape == (0, LANDMARKS, 3)
