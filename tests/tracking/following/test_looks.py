"""Several looks at one face: mirrored points, and a mean that is steadier and knows no side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gsmooth_core.face.landmarks import MIRRORED, OUTER_EYE_CORNERS
from gsmooth_core.face.load import load_face_model
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.tracking.following.follow import FollowSettings, follow_face
from gsmooth_core.tracking.following.landmarks import LANDMARKS, Crop, FaceLandmarks, FaceMesh
from gsmooth_core.tracking.following.looks import USUAL, Looks
from gsmooth_core.tracking.people.people import follow_people
from gsmooth_core.tracking.tracker import FitTracker, build_tracker
from gsmooth_core.types import Float, Image
from tests.tracking.places import EYE_DISTANCE


def _mirror_image(points: Float, width: int) -> Float:
    """Points (478, 3) of a mirrored picture, where they are in the picture itself."""
    back = points[MIRRORED].copy()
    back[:, 0] = width - back[:, 0]
    return back


def looked_at(mesh: FaceMesh, frame: Image, face: FaceLandmarks, looks: int) -> FaceLandmarks:
    """A face of a single frame, looked at in all ways."""
    found: list[FaceLandmarks] = []
    one = Looks(mesh, looks)
    one.see(frame, face, found.append)
    one.end()
    return found[0]


@pytest.fixture(scope="module")
def crop(astronaut: Image, mesh: FaceMesh) -> Crop:
    rough = mesh.landmarks(astronaut, Crop(np.array([220.0, 120.0]), 260.0, 0.0))
    own = Crop.of_points(rough.points)
    return replace(own, angle=0.05)


def test_a_mirrored_point_is_where_the_symmetric_model_has_it() -> None:
    """The face model's own places know nothing of how the numbers were paired."""
    model = load_face_model()
    places = model.landmarks(model.mean)
    other = places * np.array([-1, 1, 1])
    apart = np.linalg.norm(places[MIRRORED] - other, axis=1)
    width = float(np.ptp(places[:, 0]))
    np.testing.assert_array_equal(MIRRORED[MIRRORED], np.arange(LANDMARKS))
    assert np.median(apart) < 0.005 * width
    assert apart.max() < 0.05 * width


def test_a_look_in_a_mirror_sees_what_a_mirrored_picture_shows(
    astronaut: Image, mesh: FaceMesh, crop: Crop
) -> None:
    width = astronaut.shape[1]
    flipped = np.ascontiguousarray(astronaut[:, ::-1])
    there = Crop(np.array([width - crop.centre[0], crop.centre[1]]), crop.side, -crop.angle)
    expected = _mirror_image(mesh.landmarks(flipped, there).points, width)
    found = mesh.landmarks(astronaut, crop, mirrored=True).points
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_two_looks_know_no_side(astronaut: Image, mesh: FaceMesh, crop: Crop) -> None:
    width = astronaut.shape[1]
    flipped = np.ascontiguousarray(astronaut[:, ::-1])
    there = Crop(np.array([width - crop.centre[0], crop.centre[1]]), crop.side, -crop.angle)
    apart = []
    for looks in (1, 2):
        one = looked_at(mesh, astronaut, mesh.landmarks(astronaut, crop), looks)
        other = looked_at(mesh, flipped, mesh.landmarks(flipped, there), looks)
        apart.append(np.abs(one.points - _mirror_image(other.points, width)).mean())
    assert apart[1] < 0.02 < 0.1 < apart[0]


def test_each_look_more_is_one_more_in_the_mean(
    astronaut: Image, mesh: FaceMesh, crop: Crop
) -> None:
    asked: list[tuple[float, float, bool]] = []

    class Spy:
        def landmarks(self, frame: Image, own: Crop, *, mirrored: bool = False):
            asked.append((*(own.centre - crop.centre) / crop.side, mirrored))
            return mesh.landmarks(frame, own, mirrored=mirrored)

    first = mesh.landmarks(astronaut, crop)
    whole = looked_at(Spy(), astronaut, first, USUAL)  # type: ignore[arg-type]
    assert len({(0.0, 0.0, False), *asked}) == USUAL
    assert sum(mirrored for *_, mirrored in asked) == USUAL / 2
    each = [
        mesh.landmarks(astronaut, replace(crop, centre=crop.centre + shift * crop.side), mirrored=m)
        for *shift, m in np.array(asked, object)
        for shift in [np.array(shift, np.float64)]
    ]
    mean = np.mean([first.points, *(face.points for face in each)], 0)
    np.testing.assert_allclose(whole.points, mean, atol=1e-2)
    assert whole.presence == first.presence
    np.testing.assert_array_equal(looked_at(mesh, astronaut, first, 1).points, first.points)


def test_a_face_that_moves_by_parts_of_a_pixel_trembles_less(astronaut: Image) -> None:
    """The same picture, larger and moved: all that differs is how it falls on the grid."""
    cv2 = pytest.importorskip("cv2")
    shifts = np.linspace(0, 7, 12)
    frames = [
        cv2.warpAffine(astronaut, np.array([[1, 0, s], [0, 1, s / 2]]), (512, 400)) for s in shifts
    ]
    tremble = []
    for looks in (1, USUAL):
        points = follow_face(frames, FollowSettings(looks=looks)).points[..., :2]
        still = points - shifts[:, None, None] * np.array([1, 0.5])
        tremble.append(float(np.std(still, 0).mean()) / EYE_DISTANCE)
    assert tremble[1] < 0.9 * tremble[0]


def test_what_makes_a_mouth_looks_as_often_as_it_is_told() -> None:
    assert DubSettings().looks == USUAL
    tracker = build_tracker("fit", load_face_model(), "cpu", 3)
    assert isinstance(tracker, FitTracker)
    assert tracker.looks == 3
    assert FollowSettings().looks == 1


class Drifting:
    """A network whose looks differ from the first one by what drifts steadily, each by its own.

    The face is 50 pixels wide and sways by `sway` of them.
    """

    def __init__(self, sway: float = 0) -> None:
        self.time, self.sway, self.asked = 0, sway, list[tuple[int, float, bool]]()

    def apart(self, moved: float, mirrored: bool, time: int) -> float:
        return 1 + 40 * moved + 8 * mirrored + time * (0.5 + 10 * moved - 2 * mirrored)

    def landmarks(self, frame: Image, own: Crop, *, mirrored: bool = False) -> FaceLandmarks:
        moved = round(float(own.centre[0]) / own.side, 3)
        self.asked.append((self.time, moved, mirrored))
        apart = np.float32(self.apart(moved, mirrored, self.time))
        return FaceLandmarks(self.first(self.time) + apart, 1.0, own)

    def first(self, time: int) -> Float:
        face = np.linspace(0, 50, 3 * LANDMARKS, dtype=np.float32).reshape(LANDMARKS, 3)
        face[OUTER_EYE_CORNERS[0]], face[OUTER_EYE_CORNERS[1]] = (0, 0, 0), (50, 0, 0)
        return face + np.float32(self.sway * np.sin(np.pi * time / 2))

    def see(self, looks: Looks, count: int, settled: list[FaceLandmarks]) -> None:
        frame, crop = np.zeros((8, 8, 3), np.uint8), Crop(np.zeros(2, np.float32), 50.0, 0.0)
        for _ in range(count):
            looks.see(frame, FaceLandmarks(self.first(self.time), 1.0, crop), settled.append)
            self.time += 1


WAYS = ((0.0, True), (0.02, False), (-0.02, True))


@pytest.mark.parametrize("looks", range(1, USUAL + 1))
def test_what_a_look_would_differ_by_is_interpolated(looks: int) -> None:
    """Where the difference changes steadily, nothing is lost by looking in turn."""
    mesh, found = Drifting(), list[FaceLandmarks]()
    ways = WAYS[: looks - 1]
    several = Looks(mesh, looks)  # type: ignore[arg-type]
    mesh.see(several, 12, found)
    assert 12 - len(found) == max(looks - 2, 0)  # those behind which a look is still to come
    several.end()
    assert [f.presence for f in found] == [1.0] * 12
    for time, face in enumerate(found):
        apart = sum(mesh.apart(*way, time) for way in ways) / looks
        inside = time <= 12 - len(ways)  # behind the last of a look its difference stays
        if inside:
            np.testing.assert_allclose(face.points, mesh.first(time) + apart, atol=1e-3)
        else:
            assert np.abs(face.points - mesh.first(time) - apart).max() < 3
    asked = [sum(t == time for t, *_ in mesh.asked) for time in range(12)]
    assert asked == [len(ways), *[min(len(ways), 1)] * 11]


@pytest.mark.parametrize(("sway", "still"), [(0.6, True), (0.8, False)])
def test_a_face_that_moves_is_looked_at_in_all_ways(sway: float, still: bool) -> None:
    """By 2 % of the eyes' distance, 50 pixels, down and aside: .71 of them each."""
    mesh, found = Drifting(sway), list[FaceLandmarks]()
    looks = Looks(mesh, USUAL)  # type: ignore[arg-type]
    mesh.see(looks, 8, found)
    assert len(mesh.asked) == (3 + 7 if still else 3 * 8)
    looks.end()
    assert len(found) == 8
    if not still:
        apart = [sum(mesh.apart(*way, time) for way in WAYS) / USUAL for time in range(8)]
        for time, face in enumerate(found):
            np.testing.assert_allclose(face.points, mesh.first(time) + apart[time], atol=1e-3)


@pytest.mark.parametrize("before", [1, 5])
def test_a_face_that_is_lost_begins_anew(before: int) -> None:
    mesh, found = Drifting(), list[FaceLandmarks]()
    looks = Looks(mesh, USUAL)  # type: ignore[arg-type]
    mesh.see(looks, before, found)
    looks.end()
    assert len(found) == before
    mesh.time = 100  # what the looks differed by before says nothing now
    mesh.see(looks, 1, found)
    apart = sum(mesh.apart(*way, 100) for way in WAYS) / USUAL
    np.testing.assert_allclose(found[before].points, mesh.first(100) + apart, atol=1e-2)


def test_looking_in_turn_is_nearly_as_good_as_all_looks_at_every_frame(
    astronaut: Image, mesh: FaceMesh, crop: Crop
) -> None:
    cv2 = pytest.importorskip("cv2")
    shifts = np.linspace(0, 7, 12)
    frames = [
        cv2.warpAffine(astronaut, np.array([[1, 0, s], [0, 1, s / 2]]), (512, 400)) for s in shifts
    ]
    first = [mesh.landmarks(frame, crop) for frame in frames]
    pairs = list(zip(frames, first, strict=True))
    every = np.array([looked_at(mesh, *pair, USUAL).points for pair in pairs])
    found, looks = list[FaceLandmarks](), Looks(mesh, USUAL)
    for frame, face in pairs:
        looks.see(frame, face, found.append)
    looks.end()
    turns, once = (np.array([f.points for f in faces]) for faces in (found, first))
    assert np.square(turns - every).sum() < 0.15 * np.square(once - every).sum()


def test_who_is_found_and_where_does_not_depend_on_how_often_one_looks(
    astronaut: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else people would be found in other frames, and be numbered otherwise."""
    seen = Looks.see
    near = np.float32([40, 0, 0])

    def moved(self: Looks, frame: Image, face: FaceLandmarks, settled) -> None:
        seen(self, frame, replace(face, points=face.points + near), settled)

    found, asked = {}, {}
    for looks in (1, USUAL):
        calls: list[Crop] = []
        landmarks = FaceMesh.landmarks

        def counted(self, frame, crop, *, mirrored=False, calls=calls, landmarks=landmarks):
            calls.append(crop)
            return landmarks(self, frame, crop, mirrored=mirrored)

        with monkeypatch.context() as patch:
            if looks > 1:
                patch.setattr(Looks, "see", moved)
                patch.setattr("gsmooth_core.tracking.following.looks._AGAIN", ())
            patch.setattr(FaceMesh, "landmarks", counted)
            people = follow_people([astronaut] * 5, lambda *_: None, FollowSettings(looks=looks))
        found[looks], asked[looks] = people, calls
    once, often = (found[looks].people[0].sightings[0] for looks in (1, USUAL))
    assert once.frames == often.frames == list(range(5))
    for one, other in zip(once.points(), often.points(), strict=True):
        np.testing.assert_allclose(other, one + near, atol=1e-3)
    for one, other in zip(*asked.values(), strict=True):
        np.testing.assert_array_equal(one.centre, other.centre)
