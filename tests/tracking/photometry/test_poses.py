"""Poses by a head's looks, against heads that were drawn in known poses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from gsmooth_core.face.camera import axis_angle, pose, project, rotation_matrix
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import MorphableModel, Region
from gsmooth_core.motion.head import matrix_turns, turn_matrices
from gsmooth_core.tracking.photometry.head import head_points
from gsmooth_core.tracking.photometry.lay import Layer, Pose, Seen
from gsmooth_core.tracking.photometry.poses import refine_poses
from gsmooth_core.tracking.track import track_face
from gsmooth_core.types import Clip, FaceTrack, Float, Image
from tests.tracking.heads import FOCAL, SIZE, Nodding, nodding

FRAMES = 44
TIMES = np.arange(FRAMES) / 25


@pytest.fixture(scope="module")
def model() -> MorphableModel:
    return load_face_model()


@pytest.fixture(scope="module")
def true() -> Nodding:
    return nodding(1, FRAMES)


@pytest.fixture(scope="module")
def tracked(model: MorphableModel, true: Nodding) -> FaceTrack:
    return as_landmarks_see_it(model, true)


def as_landmarks_see_it(model: MorphableModel, true: Nodding) -> FaceTrack:
    """The true track but for nods, of which .7 are left, and trembling."""
    turns = rotation_matrix(true.rotation)
    middle = turns[0]
    seen = matrix_turns(turns @ middle.T) * np.array([0.7, 1, 1], np.float32)
    random = np.random.default_rng(7)
    seen = seen + random.normal(0, 0.002, seen.shape).astype(np.float32)
    shape = model.template(true.identity)
    marks = [
        project(
            pose(model.landmarks(shape), true.rotation[n], true.translation[n]), FOCAL, SIZE, SIZE
        )[:, :2]
        for n in range(FRAMES)
    ]
    light = np.zeros((FRAMES, 9, 3), np.float32)
    return FaceTrack(
        width=SIZE,
        height=SIZE,
        fps=Fraction(25),
        model=model.name,
        focal=FOCAL,
        identity=true.identity,
        expression_names=model.expression_names,
        expression=np.zeros((FRAMES, len(model.expression_names)), np.float32),
        rotation=axis_angle(turn_matrices(seen) @ middle),
        translation=true.translation,
        light=light,
        confidence=np.ones(FRAMES, np.float32),
        landmarks=np.array(marks, np.float32),
    )


def turned(rotation: Float) -> Float:
    """(T, 3) degrees of pitch, yaw and roll about their mean."""
    turns = rotation_matrix(rotation.astype(np.float64))
    angles = np.degrees(matrix_turns(turns @ turns[0].T))
    return np.asarray(angles - angles.mean(0))


def slopes(found: FaceTrack, true: Nodding) -> tuple[Float, Float]:
    """(3,) how much of each turn is found, and (3,) how well the two go together."""
    a, b = turned(found.rotation), turned(true.rotation)
    slope = (a * b).sum(0) / (b * b).sum(0)
    return slope, np.array([np.corrcoef(a[:, k], b[:, k])[0, 1] for k in range(3)])


def test_a_drawn_heads_turns_are_found_whole_where_its_landmarks_nod_too_little(
    model: MorphableModel, true: Nodding, tmp_path: Path
) -> None:
    clip = Clip(tmp_path / "drawn.mp4", SIZE, SIZE, Fraction(25), FRAMES)
    track = track_face(iter(true.frames), clip, model)
    found = refine_poses(track, model, iter(true.frames), tmp_path)
    before, (slope, along) = slopes(track, true)[0], slopes(found, true)
    assert before[0] < 0.8
    assert (np.abs(slope - 1) < 0.15).all()
    assert (along > 0.95).all()


def test_what_a_track_lacks_of_nods_is_found(
    model: MorphableModel, true: Nodding, tracked: FaceTrack
) -> None:
    found = refine_poses(tracked, model, iter(true.frames))
    slope, along = slopes(found, true)
    assert (np.abs(slope - 1) < 0.1).all()
    assert (along > 0.99).all()
    for name in ("expression", "landmarks", "confidence", "identity"):
        assert getattr(found, name) is getattr(tracked, name)


def test_a_pose_trembles_less_than_it_was_tracked(
    model: MorphableModel, true: Nodding, tracked: FaceTrack
) -> None:
    found = refine_poses(tracked, model, iter(true.frames))
    off = [turned(t.rotation) - turned(true.rotation) for t in (tracked, found)]
    shaken, calm = (np.abs(np.diff(each[:, 1:], 2, axis=0)).mean() for each in off)
    assert calm < 0.5 * shaken


def test_light_that_comes_and_goes_is_no_movement(
    model: MorphableModel, true: Nodding, tracked: FaceTrack
) -> None:
    gain = 0.8 + 0.2 * np.cos(TIMES * 9)
    lit = np.rint(true.frames * gain[:, None, None, None]).astype(np.uint8)
    plain, other = (refine_poses(tracked, model, iter(frames)) for frames in (true.frames, lit))
    assert np.abs(turned(plain.rotation) - turned(other.rotation)).max() < 0.4


def test_what_passes_before_a_face_does_not_take_it_along(
    model: MorphableModel, true: Nodding, tracked: FaceTrack
) -> None:
    covered = true.frames.copy()
    for n in range(10, 22):
        left = int(tracked.landmarks[n, :, 0].min()) + 6 * (n - 10)
        covered[n, 110:170, left : left + 40] = (90, 200, 60)
    found = refine_poses(tracked, model, iter(covered))
    plain = refine_poses(tracked, model, iter(true.frames))
    assert np.abs(turned(found.rotation) - turned(plain.rotation)).max() < 0.4


def test_what_stands_still_where_ears_are_thought_holds_a_head_less(
    model: MorphableModel, true: Nodding, tracked: FaceTrack
) -> None:
    """Two striped posts beside the face, before which nothing of the head is seen."""
    face = tracked.landmarks[..., 0]
    left, right = int(face.min(1).mean()), int(face.max(1).mean())
    stripes = np.where(np.arange(SIZE) // 6 % 2, 40, 210).astype(np.uint8)[:, None, None]
    posts = true.frames.copy()
    posts[:, :, left - 24 : left + 8] = posts[:, :, right - 8 : right + 24] = stripes
    found = refine_poses(tracked, model, iter(posts))
    slope, along = slopes(found, true)
    assert slope[0] > 0.56  # .40 where all points count
    assert along[0] > 0.81
    assert (np.abs(slope[1:] - 1) < 0.1).all()
    assert (along[1:] > 0.98).all()


def test_frames_that_show_nothing_are_bridged(
    model: MorphableModel, true: Nodding, tracked: FaceTrack
) -> None:
    torn = true.frames.copy()
    torn[20:22] = np.random.default_rng(2).integers(0, 255, torn[20:22].shape)
    found = refine_poses(tracked, model, iter(torn))
    assert np.abs(turned(found.rotation) - turned(true.rotation))[18:24].max() < 1.2


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize("plain", [slice(0, 15), slice(13, 30), slice(1, FRAMES, 2)])
def test_black_and_blown_frames_are_left_out_and_moved_as_those_beside_them(
    model: MorphableModel, true: Nodding, tracked: FaceTrack, level: int, plain: slice
) -> None:
    frames = true.frames.copy()
    noise = np.random.default_rng(4).normal(level, 2, frames[plain].shape)
    frames[plain] = np.clip(noise, 0, 255).astype(np.uint8)
    found = refine_poses(tracked, model, iter(frames))
    shown = np.ones(FRAMES, bool)
    shown[plain] = False
    off = turned(found.rotation[shown]) - turned(true.rotation[shown])
    assert np.abs(off).max() < 0.4
    steps, before = (
        np.abs(np.diff(turned(t.rotation) - turned(true.rotation), axis=0)).max()
        for t in (found, tracked)
    )
    assert steps < 1.05 * before  # no leap where the picture comes back


def test_where_nothing_fits_poses_stay_as_they_were_tracked(
    model: MorphableModel, tracked: FaceTrack
) -> None:
    random = np.random.default_rng(3)
    noise = random.integers(0, 255, (FRAMES, SIZE, SIZE, 3)).astype(np.uint8)
    found = refine_poses(tracked, model, iter(noise))
    np.testing.assert_array_equal(found.rotation, tracked.rotation)
    np.testing.assert_array_equal(found.translation, tracked.translation)


def test_a_head_that_turns_far_is_compared_with_what_it_showed_on_the_way(
    model: MorphableModel,
) -> None:
    far = nodding(1, FRAMES, (4, 34, 3))
    found = refine_poses(as_landmarks_see_it(model, far), model, iter(far.frames))
    slope, along = slopes(found, far)
    assert (np.abs(slope - 1) < 0.1).all()
    assert (along > 0.95).all()


def test_an_ear_behind_a_cheek_is_hidden_and_the_other_is_not(
    model: MorphableModel, tracked: FaceTrack
) -> None:
    head = head_points(model, tracked)
    turn = rotation_matrix(np.array([0.0, 0.6, 0.0]))
    side, camera = 200, np.array([500.0, 100.0, 100.0])
    way = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    bare = head.bare(turn, np.array([0, 0, -8.0]), camera, way, side)
    ears = np.isin(head.kept, np.flatnonzero(model.in_regions(Region.EARS)))
    left, right = (ears & (s * head.points[:, 0] > 0) for s in (-1, 1))
    near, away = sorted((bare[left].mean(), bare[right].mean()), reverse=True)
    assert near > 0.4
    assert away < 0.05
    facing = (head.normals @ turn.T)[:, 2] > 0.6
    assert bare[facing & ~ears].mean() > 0.97


def test_what_a_head_hides_has_no_looks(model: MorphableModel, tracked: FaceTrack) -> None:
    head, camera = head_points(model, tracked), np.array([500.0, 100.0, 100.0])
    away = Pose(rotation_matrix(np.array([0.0, 0.6, 0.0])), np.array([0.0, 0.0, np.log(8.0)]))
    picture = np.random.default_rng(1).uniform(0, 255, (200, 200)).astype(np.float32)
    seen = Seen((picture, picture), np.eye(2, 3))
    bare = head.bare(away.turn, away.vector, camera, seen.way, 200)
    for _, weight in Layer(head, camera).key(seen, away).templates:
        assert not weight[~bare].any()
        assert (weight[bare] > 0).mean() > 0.7


def test_a_heads_rim_counts_less_than_half_and_what_faces_the_camera_all(
    model: MorphableModel, tracked: FaceTrack
) -> None:
    """By the mesh's silhouette, as OpenCV draws it."""
    head, camera = head_points(model, tracked), np.array([500.0, 100.0, 100.0])
    turn, place = rotation_matrix(np.array([0.1, 0.3, 0.0])), np.array([0.0, 0.0, -8.0])
    posed = (head.shape @ turn.T + place).astype(np.float64)
    seen = np.stack(
        [100 + 500 * posed[:, 0] / -posed[:, 2], 100 - 500 * posed[:, 1] / -posed[:, 2]]
    )
    drawn = np.zeros((200, 200), np.uint8)
    for corners in seen.T[head.faces]:
        cv2.fillConvexPoly(drawn, np.rint(corners).astype(np.int32), 1)
    inside = cv2.distanceTransform(drawn, cv2.DIST_L2, 5)
    column, row = np.clip(seen[:, head.kept].astype(int), 0, 199)
    facing = head.facing(turn, place)
    skin = ~np.isin(head.kept, np.flatnonzero(model.in_regions(Region.EARS)))
    bare = head.bare(turn, place, camera, np.eye(2, 3), 200) & skin
    rim, middle = bare & (inside[row, column] < 1.2), bare & (inside[row, column] > 25)
    assert rim.sum() > 10
    assert middle.sum() > 100
    assert 0.3 < facing[rim].mean() < 0.5
    assert facing[middle].mean() > 0.9
    assert facing.max() == 1


def test_a_cut_parts_one_look_from_another(
    model: MorphableModel, true: Nodding, tracked: FaceTrack
) -> None:
    half = FRAMES // 2
    frames = true.frames.copy()
    frames[half:] = np.rint(127 - 127 * np.cos(frames[half:] / 255 * 9))
    found = refine_poses(
        replace(tracked, shot=(np.arange(FRAMES) >= half).astype(np.int32)), model, iter(frames)
    )
    for part in (slice(0, half), slice(half, FRAMES)):
        a, b = turned(found.rotation[part]), turned(true.rotation[part])
        assert np.abs(a - b).max() < 1.0


def test_frames_without_a_face_keep_what_they_had_and_are_not_looked_at(
    model: MorphableModel, true: Nodding, tracked: FaceTrack
) -> None:
    usable = np.arange(FRAMES) % 11 != 5
    track = replace(tracked, confidence=usable.astype(np.float32))
    black = np.where(usable[:, None, None, None], true.frames, 0).astype(np.uint8)
    found = refine_poses(track, model, iter(black))
    np.testing.assert_array_equal(found.rotation[~usable], tracked.rotation[~usable])
    kept = refine_poses(track, model, iter(true.frames))
    np.testing.assert_array_equal(found.rotation, kept.rotation)


def test_nobody_needs_no_frames(model: MorphableModel, tracked: FaceTrack) -> None:
    track = replace(tracked, confidence=np.zeros(FRAMES, np.float32))

    def none() -> Iterator[Image]:
        yield from ()

    assert refine_poses(track, model, none()) is track


def test_points_are_all_over_the_head_but_lips_and_lids(
    model: MorphableModel, tracked: FaceTrack
) -> None:
    head = head_points(model, tracked)
    assert 1000 < len(head.weight) < 5000
    assert (head.weight > 0).all()
    np.testing.assert_allclose(np.linalg.norm(head.normals, axis=1), 1, atol=1e-4)
    shape = model.template(tracked.identity).astype(np.float64)
    moved = shape + 0.3 * model.expression_basis[model.expression_names.index("eyeBlinkLeft")]
    lids = shape[np.linalg.norm(moved - shape, axis=1) > 0.02]
    lips = shape[model.in_regions(Region.LIPS)]
    for apart in (lips, lids):
        gap = np.linalg.norm(head.points[:, None] - apart[None], axis=2).min()
        assert gap > 0.005


@pytest.mark.parametrize("level", [0, 77, 255])
def test_a_head_of_one_level_keeps_its_poses(
    model: MorphableModel, tracked: FaceTrack, level: int
) -> None:
    found = refine_poses(tracked, model, FRAMES * [np.full((SIZE, SIZE, 3), level, np.uint8)])
    np.testing.assert_array_equal(found.rotation, tracked.rotation)
    np.testing.assert_array_equal(found.translation, tracked.translation)
