"""Landmark tracks projected from the face model with known parameters: the fit's oracle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gsmooth_core.face.camera import pose, project
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.tracking.fitting.lips import edge_landmarks
from gsmooth_core.tracking.following.follow import LandmarkTrack
from gsmooth_core.tracking.following.landmarks import ARKIT_NAMES, LANDMARKS
from gsmooth_core.types import Float

WIDTH, HEIGHT = 1280, 720


@dataclass(frozen=True)
class Truth:
    """What the landmarks were made from; see `FaceTrack`."""

    focal: float
    identity: Float
    expression: Float
    rotation: Float
    translation: Float


def truth(model: MorphableModel, frames: int = 60, seed: int = 0) -> Truth:
    """A talking head: it turns by 20 degrees, the mouth opens and closes three times a second."""
    random = np.random.default_rng(seed)
    t = np.arange(frames) / 25
    turn = [0.1 * np.sin(3 * t), 0.35 * np.sin(2 * t), 0.08 * np.cos(2.5 * t)]
    place = [0.5 * np.sin(t), 0.2 * np.cos(1.3 * t), -9 + 0.3 * np.sin(0.9 * t)]
    expression = np.zeros((frames, len(model.expression_names)), np.float32)
    names = model.expression_names
    opening = np.maximum(np.sin(2 * np.pi * 3 * t), 0)
    expression[:, names.index("jawOpen")] = 0.5 * opening
    expression[:, names.index("mouthPucker")] = 0.3 + 0.3 * np.sin(2 * np.pi * 0.9 * t)
    for side in ("Left", "Right"):
        expression[:, names.index(f"mouthSmile{side}")] = 0.2 + 0.2 * np.sin(5 * t)
        expression[:, names.index(f"eyeBlink{side}")] = np.sin(2 * t) > 0.97
    return Truth(
        focal=1500.0,
        identity=random.normal(0, 0.7, len(model.identity_basis)).astype(np.float32),
        expression=expression,
        rotation=np.stack(turn, 1).astype(np.float32),
        translation=np.stack(place, 1).astype(np.float32),
    )


def landmarks(
    model: MorphableModel, made: Truth, noise: float = 0.0, score_noise: float = 0.1
) -> LandmarkTrack:
    """What the face mesh would see: pixels with noise, depth relative to the middle, scores."""
    random = np.random.default_rng(1)
    frames = len(made.expression)
    rest = edge_landmarks(model, model.template(made.identity)[None])[0]
    basis = edge_landmarks(model, model.expression_basis)
    points = np.zeros((frames, LANDMARKS, 3), np.float32)
    for t in range(frames):
        shape = rest + np.tensordot(made.expression[t], basis, 1).astype(np.float32)
        pixels = project(
            pose(shape, made.rotation[t], made.translation[t]), made.focal, WIDTH, HEIGHT
        )
        scale = made.focal / pixels[:, 2].mean()
        points[t, :, :2] = pixels[:, :2]
        points[t, :, 2] = (pixels[:, 2] - pixels[:, 2].mean()) * scale
    points[..., :2] += random.normal(0, noise, points[..., :2].shape)
    columns = [model.expression_names.index(name) for name in ARKIT_NAMES]
    scores = made.expression[:, columns] + random.normal(0, score_noise, (frames, 52))
    return LandmarkTrack(
        points=points,
        scores=np.clip(scores, 0, 1).astype(np.float32),
        presence=np.ones(frames, np.float32),
        shot=np.zeros(frames, np.int32),
    )
