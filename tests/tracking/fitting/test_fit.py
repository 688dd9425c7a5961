"""The fit against landmarks made from known parameters, and its answers to missing faces."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from gsmooth_core.errors import NoFaceError
from gsmooth_core.face.camera import pose, project
from gsmooth_core.face.landmarks import INNER_LOWER_LIP, INNER_UPPER_LIP
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import MorphableModel, Region
from gsmooth_core.tracking.fitting.fit import FitSettings, fit_landmarks, ramp
from gsmooth_core.tracking.fitting.lips import (
    ClosedLips,
    closed_gap,
    edge_landmarks,
    lip_gap,
    remove_closed_gap,
)
from gsmooth_core.tracking.fitting.terms import face_size
from gsmooth_core.tracking.following.follow import LandmarkTrack
from gsmooth_core.types import FaceTrack, Float
from tests.tracking.synthetic import HEIGHT, WIDTH, Truth, landmarks, truth

FPS = Fraction(25)
OPEN_LIPS = FitSettings(closed_lips=ClosedLips(usual=0.05, most=0.05, open=0.1))
"""For made-up landmarks, whose closed lips are closed."""


@pytest.fixture(scope="module")
def model() -> MorphableModel:
    return load_face_model()


@pytest.fixture(scope="module")
def made(model: MorphableModel) -> Truth:
    return truth(model)


@pytest.fixture(scope="module")
def seen(model: MorphableModel, made: Truth) -> LandmarkTrack:
    return landmarks(model, made, noise=0.3)


@pytest.fixture(scope="module")
def track(model: MorphableModel, seen: LandmarkTrack) -> FaceTrack:
    return fit_landmarks(seen, model, WIDTH, HEIGHT, FPS, OPEN_LIPS)


def _pixels(model: MorphableModel, track: FaceTrack, t: int) -> Float:
    shape = model.shape(track.identity, track.expression[t])
    points = edge_landmarks(model, shape[None])[0]
    posed = pose(points, track.rotation[t], track.translation[t])
    return project(posed, track.focal, WIDTH, HEIGHT)[:, :2]


def test_pose_is_recovered(track: FaceTrack, made: Truth) -> None:
    turn = Rotation.from_rotvec(track.rotation) * Rotation.from_rotvec(made.rotation).inv()
    assert np.degrees(turn.magnitude()).max() < 2.5
    # Only size in the picture is sure: distance and focal length stand for each other.
    size = track.translation[:, 2] / track.focal
    np.testing.assert_allclose(size, made.translation[:, 2] / made.focal, rtol=0.03)


def test_picture_is_recovered(model: MorphableModel, track: FaceTrack, seen: LandmarkTrack) -> None:
    for t in range(0, len(track), 7):
        error = np.linalg.norm(_pixels(model, track, t) - seen.points[t, :, :2], axis=1)
        assert np.median(error[:468]) < 0.012 * face_size(seen.points)[t]


def test_expression_is_recovered(model: MorphableModel, track: FaceTrack, made: Truth) -> None:
    for name in ("jawOpen", "mouthPucker", "mouthSmileLeft"):
        column = model.expression_names.index(name)
        found, expected = track.expression[:, column], made.expression[:, column]
        assert np.corrcoef(found, expected)[0, 1] > 0.95
        assert np.abs(found - expected).mean() < 0.12


def test_opening_of_the_mouth_is_right_to_the_pixel(
    model: MorphableModel, track: FaceTrack, seen: LandmarkTrack
) -> None:
    upper, lower = list(INNER_UPPER_LIP), list(INNER_LOWER_LIP)
    mesh = np.array([_pixels(model, track, t) for t in range(len(track))])
    found = np.linalg.norm(mesh[:, upper] - mesh[:, lower], axis=-1)
    expected = np.linalg.norm((seen.points[:, upper] - seen.points[:, lower])[..., :2], axis=-1)
    assert np.corrcoef(found[:, 4], expected[:, 4])[0, 1] > 0.99
    assert np.abs(found - expected).mean() < 0.6


def test_a_closure_of_one_frame_is_kept(model: MorphableModel, made: Truth) -> None:
    column = model.expression_names.index("jawOpen")
    expression = made.expression.copy()
    expression[:, column] = 0.4
    expression[20, column] = 0.0
    seen = landmarks(model, replace(made, expression=expression), noise=0.3)
    track = fit_landmarks(seen, model, WIDTH, HEIGHT, FPS, OPEN_LIPS)
    gaps = [_pixels(model, track, t)[[13, 14], 1] for t in (18, 20, 22)]
    opening = [abs(float(b - a)) for a, b in gaps]
    assert opening[1] < 0.15 * opening[0]
    assert opening[2] == pytest.approx(opening[0], rel=0.2)


def test_values_stay_where_they_mean_something(track: FaceTrack) -> None:
    assert track.expression.min() >= 0
    assert track.expression.max() <= 1
    assert (track.translation[:, 2] < 0).all()
    assert np.abs(track.identity).max() < 5
    assert all(np.isfinite(getattr(track, n)).all() for n in ("rotation", "light", "confidence"))


def test_a_still_head_stays_still(model: MorphableModel, made: Truth) -> None:
    still = replace(
        made,
        rotation=np.zeros_like(made.rotation),
        translation=np.tile(np.float32([0.3, 0.1, -9]), (len(made.rotation), 1)),
    )
    track = fit_landmarks(landmarks(model, still, noise=0.5), model, WIDTH, HEIGHT, FPS, OPEN_LIPS)
    assert np.degrees(track.rotation.std(0)).max() < 0.15


def test_frames_that_follow_faster_are_smoothed_more(
    model: MorphableModel, track: FaceTrack, seen: LandmarkTrack
) -> None:
    """A head turns less between frames that are a quarter as far apart."""
    faster = fit_landmarks(seen, model, WIDTH, HEIGHT, 4 * FPS, OPEN_LIPS)
    usual, smooth = (np.diff(t.rotation, 2, axis=0).std() for t in (track, faster))
    assert smooth < 0.9 * usual


def test_frames_without_a_face_are_marked_and_bridged(
    model: MorphableModel, seen: LandmarkTrack
) -> None:
    missing = slice(20, 30)
    points, presence = seen.points.copy(), seen.presence.copy()
    points[missing], presence[missing] = np.nan, 0
    holed = replace(seen, points=points, presence=presence)
    track = fit_landmarks(holed, model, WIDTH, HEIGHT, FPS, OPEN_LIPS)
    assert not track.usable[missing].any()
    assert track.usable[:20].all()
    assert np.isfinite(track.rotation).all()
    low, high = sorted((track.rotation[19, 1], track.rotation[30, 1]))
    assert (track.rotation[missing, 1] >= low - 1e-6).all()
    assert (track.rotation[missing, 1] <= high + 1e-6).all()


def test_no_face_at_all_is_a_clear_error(model: MorphableModel, seen: LandmarkTrack) -> None:
    empty = replace(
        seen, points=np.full_like(seen.points, np.nan), presence=np.zeros_like(seen.presence)
    )
    with pytest.raises(NoFaceError, match="No face"):
        fit_landmarks(empty, model, WIDTH, HEIGHT, FPS)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_very_short_clips(model: MorphableModel, seen: LandmarkTrack, frames: int) -> None:
    parts = {name: getattr(seen, name)[:frames] for name in seen.__dataclass_fields__}
    track = fit_landmarks(LandmarkTrack(**parts), model, WIDTH, HEIGHT, FPS, OPEN_LIPS)
    assert len(track) == frames
    assert track.usable.all()


def test_profile_and_tiny_faces_are_not_usable(model: MorphableModel, made: Truth) -> None:
    away = replace(made, rotation=made.rotation + np.float32([0, 1.45, 0]))
    track = fit_landmarks(landmarks(model, away), model, WIDTH, HEIGHT, FPS, OPEN_LIPS)
    assert not track.usable.any()
    seen = landmarks(model, made)
    centre = np.float32([WIDTH / 2, HEIGHT / 2, 0])
    tiny = replace(seen, points=(seen.points - centre) * np.float32(0.05) + centre)
    track = fit_landmarks(tiny, model, WIDTH, HEIGHT, FPS, OPEN_LIPS)
    assert not track.usable.any()


def test_motion_does_not_flow_across_a_cut(model: MorphableModel, made: Truth) -> None:
    rotation = made.rotation.copy()
    rotation[30:, 1] = rotation[30:, 1] * 0 - 0.4
    rotation[:30, 1] = 0.4
    seen = landmarks(model, replace(made, rotation=rotation))
    cut = replace(seen, shot=(np.arange(60) >= 30).astype(np.int32))
    track = fit_landmarks(cut, model, WIDTH, HEIGHT, FPS, OPEN_LIPS)
    assert abs(np.diff(track.rotation[28:32, 1])[[0, 2]]).max() < np.radians(0.5)


def test_a_long_clip_has_no_seams_between_windows(model: MorphableModel, made: Truth) -> None:
    long = truth(model, frames=600)
    track = fit_landmarks(landmarks(model, long, noise=0.3), model, WIDTH, HEIGHT, FPS, OPEN_LIPS)
    jump = np.abs(np.diff(track.rotation, n=2, axis=0)).max(1)
    assert jump[505:518].max() < 1.5 * np.quantile(jump, 0.98)


def test_closed_lips_close_and_open_ones_stay(model: MorphableModel, seen: LandmarkTrack) -> None:
    settings = ClosedLips(quantile=0.2, most=1.5)
    size = face_size(seen.points)
    pairs = (list(INNER_UPPER_LIP), list(INNER_LOWER_LIP))

    def gap(points: Float) -> Float:
        return np.linalg.norm((points[:, pairs[0]] - points[:, pairs[1]])[..., :2], axis=-1)

    apart = seen.points.copy()
    apart[:, pairs[0], 1] -= 0.004 * size[:, None]
    apart[:, pairs[1], 1] += 0.004 * size[:, None]
    closed = apart.copy()
    both = np.stack([INNER_UPPER_LIP, INNER_LOWER_LIP], 1).astype(np.int32)
    shut_gap = closed_gap(lip_gap(closed, both, size), settings)
    remove_closed_gap(closed, both, size, shut_gap, settings)
    before, after = gap(apart) / size[:, None], gap(closed) / size[:, None]
    shut = np.argsort(before[:, 4])[:10]
    wide = before[:, 4] > 0.1
    assert after[shut, 4].max() < 0.004
    np.testing.assert_allclose(after[wide, 4], before[wide, 4], rtol=0.05)
    others = np.setdiff1d(np.arange(478), [*pairs[0], *pairs[1]])
    np.testing.assert_array_equal(closed[:, others], apart[:, others])


def test_lip_edges_are_the_mouths_opening(model: MorphableModel) -> None:
    """No lip vertex hangs into the opening further than the landmarks that bound it."""
    shape = model.mean + 0.5 * model.expression_basis[model.expression_names.index("jawOpen")]
    points = edge_landmarks(model, shape[None])[0]
    upper, lower = points[13], points[14]
    lips = shape[model.in_regions(Region.LIPS)]
    middle = lips[np.abs(lips[:, 0]) < 0.02]
    between = (middle[:, 1] < upper[1] - 0.004) & (middle[:, 1] > lower[1] + 0.004)
    assert upper[1] - lower[1] > 0.1
    assert not between.any()


def test_ramp_is_one_then_straight_then_zero() -> None:
    np.testing.assert_allclose(ramp(np.float32([0, 45, 50, 55, 90]), (45, 55)), [1, 1, 0.5, 0, 0])
    np.testing.assert_allclose(ramp(np.float32([20, 15, 10, 5]), (20, 10)), [1, 0.5, 0, 0])
