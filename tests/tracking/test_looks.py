"""Several looks at one face: mirrored points, and a mean that is steadier and knows no side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gsmooth_core.face.landmarks import MIRRORED
from gsmooth_core.face.load import load_face_model
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.tracking import follow
from gsmooth_core.tracking.follow import FollowSettings, follow_face
from gsmooth_core.tracking.landmarks import LANDMARKS, Crop, FaceLandmarks, FaceMesh
from gsmooth_core.tracking.looks import MOST, USUAL, looked_again
from gsmooth_core.tracking.tracker import FitTracker, build_tracker
from gsmooth_core.types import Float, Image
from tests.tracking.places import EYE_DISTANCE


def _mirror_image(points: Float, width: int) -> Float:
    """Points (478, 3) of a mirrored picture, where they are in the picture itself."""
    back = points[MIRRORED].copy()
    back[:, 0] = width - back[:, 0]
    return back


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
        one = looked_again(mesh, astronaut, mesh.landmarks(astronaut, crop), looks)
        other = looked_again(mesh, flipped, mesh.landmarks(flipped, there), looks)
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
    whole = looked_again(Spy(), astronaut, first, MOST)  # type: ignore[arg-type]
    assert len({(0.0, 0.0, False), *asked}) == MOST
    assert sum(mirrored for *_, mirrored in asked) == MOST / 2
    each = [
        mesh.landmarks(astronaut, replace(crop, centre=crop.centre + shift * crop.side), mirrored=m)
        for *shift, m in np.array(asked, object)
        for shift in [np.array(shift, np.float64)]
    ]
    mean = np.mean([first.points, *(face.points for face in each)], 0)
    np.testing.assert_allclose(whole.points, mean, atol=1e-2)
    assert whole.presence == first.presence
    assert looked_again(mesh, astronaut, first, 1) is first


def test_a_face_that_moves_by_parts_of_a_pixel_trembles_less(astronaut: Image) -> None:
    """The same picture, larger and moved: all that differs is how it falls on the grid."""
    cv2 = pytest.importorskip("cv2")
    shifts = np.linspace(0, 7, 12)
    frames = [
        cv2.warpAffine(astronaut, np.array([[1, 0, s], [0, 1, s / 2]]), (512, 400)) for s in shifts
    ]
    tremble = []
    for looks in (1, MOST):
        points = follow_face(frames, FollowSettings(looks=looks)).points[..., :2]
        still = points - shifts[:, None, None] * np.array([1, 0.5])
        tremble.append(float(np.std(still, 0).mean()) / EYE_DISTANCE)
    assert tremble[1] < 0.9 * tremble[0]


def test_what_makes_a_mouth_looks_as_often_as_it_is_told() -> None:
    assert DubSettings().looks == USUAL <= MOST
    tracker = build_tracker("fit", load_face_model(), "cpu", 3)
    assert isinstance(tracker, FitTracker)
    assert tracker.looks == 3
    assert FollowSettings().looks == 1


def test_where_a_face_is_looked_for_next_does_not_depend_on_how_often_one_looks(
    astronaut: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else people would be found in other frames, and be numbered otherwise."""
    near = np.float32([40, 0, 0])

    def moved(_mesh: FaceMesh, _frame: Image, face: FaceLandmarks, looks: int) -> FaceLandmarks:
        return replace(face, points=face.points + near * (looks > 1))

    monkeypatch.setattr(follow, "looked_again", moved)
    found = {}
    for looks in (1, MOST):
        follower = follow.FaceFollower(settings=FollowSettings(looks=looks))
        found[looks] = [follower.step(astronaut).points for _ in range(3)]
    for once, often in zip(*found.values(), strict=True):
        np.testing.assert_allclose(often, once + near, atol=1e-3)
