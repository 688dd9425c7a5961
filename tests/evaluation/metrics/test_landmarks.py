"""Distance of lips, jerk and motion in silence, against loops and known movements."""

import numpy as np
import pytest

from gsmooth_core.evaluation.metrics import landmarks as lm
from gsmooth_core.face.camera import pose, project
from tests.taft import scene


def random_faces(frames=6, seed=0):
    return np.random.default_rng(seed).normal(100, 30, (frames, 478, 2)).astype(np.float32)


def test_there_are_forty_lip_points_and_none_twice():
    assert len(set(lm.LIPS)) == len(lm.LIPS) == 40


def test_lip_distance_is_what_its_words_say():
    a, b = random_faces(seed=1), random_faces(seed=2)
    for frame, distance in enumerate(lm.lip_distance(a, b)):
        shapes = []
        for face in (a, b):
            lips = [face[frame, i].astype(float) for i in lm.LIPS]
            centre = sum(lips) / 40
            shapes.append([point - centre for point in lips])
        apart = [np.hypot(*(p - q)) for p, q in zip(*shapes, strict=True)]
        assert distance == pytest.approx(np.mean(apart), rel=1e-5)


def test_lip_distance_does_not_see_where_the_mouth_is():
    a = random_faces()
    assert lm.lip_distance(a, a + np.float32([30, -12])).max() < 1e-4
    assert lm.lip_distance(a, 1.1 * a).min() > 0.5
    b = a.copy()
    b[2] = np.nan
    assert np.isnan(lm.lip_distance(a, b)).tolist() == [False, False, True, False, False, False]


def test_crop_keeps_head_movement_out():
    clip, model = scene.track(8), scene.face_model()
    places = model.landmarks(model.template(clip.identity))  # one face, carried by the head
    seen = [
        project(pose(places, r, t), clip.focal, clip.width, clip.height)[:, :2]
        for r, t in zip(clip.rotation, clip.translation, strict=True)
    ]
    frames = np.stack(seen).astype(np.float32)
    inside = lm.in_crop(frames, clip, model)
    moved = np.abs(np.diff(frames, axis=0)).max()
    assert np.abs(np.diff(inside, axis=0))[:, list(lm.LIPS)].max() < 0.7 * moved
    assert ((inside[:, list(lm.LIPS)] > 60) & (inside[:, list(lm.LIPS)] < 230)).all()


def test_jerk_of_a_cubic_is_its_third_derivative():
    fps, seconds = 25.0, np.arange(20) / 25.0
    faces = np.zeros((20, 478, 2))
    wave = np.where(np.arange(40) % 2, 1.0, -1.0)  # lips part: half up, half down
    faces[:, list(lm.LIPS), 1] = wave * (4 * seconds**3)[:, None]
    assert lm.jerk(faces, fps) == pytest.approx(24, rel=1e-6)
    faces[:, :, 0] += 7 * seconds[:, None] ** 3  # the whole head moves: no jerk of the lips
    assert lm.jerk(faces, fps) == pytest.approx(24, rel=1e-6)
    assert np.isnan(lm.jerk(faces[:3], fps))


def test_motion_in_silence_is_relative_to_speech():
    fps, t = 25.0, np.arange(100) / 25.0
    silent = np.arange(100) >= 60
    opening = np.where(silent, 0.25, 1.0) * np.abs((t * 5) % 2 - 1)
    assert lm.silence_motion(opening, silent, fps) == pytest.approx(0.25, rel=0.05)
    still = np.where(silent, 0.3, opening)
    assert lm.silence_motion(still, silent, fps) < 0.02
    assert np.isnan(lm.silence_motion(opening, np.zeros(100, bool), fps))
