"""A second person that anyone may use: the CC0 head, drawn with skin, brows and hair."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gsmooth_core.face.camera import axis_angle, rotation_matrix
from gsmooth_core.face.load import load_face_model
from gsmooth_core.motion.head import turn_matrices
from gsmooth_core.types import Float, Image
from training.face.render import View, take

_SKIN = ((0.35, 0.22, 0.16), (0.8, 0.65, 0.55), (0.5, 0.35, 0.25))


def drawn_head(person: int = 0, size: int = 240, turn: float = 0.1, jaw: float = 0.0) -> Image:
    """(size, size, 3): one of three people, turned by `turn` radians, the jaw open by `jaw`."""
    return take(load_face_model(), drawn_view(person, size, turn, jaw), size).image


def drawn_view(person: int = 0, size: int = 240, turn: float = 0.1, jaw: float = 0.0) -> View:
    """What `drawn_head` takes a picture of."""
    model = load_face_model()
    identity = np.random.default_rng(person + 1).standard_normal(len(model.identity_basis))
    expression = np.zeros(len(model.expression_names), np.float32)
    expression[model.expression_names.index("jawOpen")] = jaw
    light = np.zeros((9, 3), np.float32)
    light[:3] = np.array([2.6, 0.3, 0.4])[:, None]
    return View(
        identity=identity.astype(np.float32),
        expression=expression,
        rotation=np.array([0.03, turn, 0], np.float32),
        translation=np.array([0, 0, -8], np.float32),
        focal=2.4 * size,
        light=light,
        skin=np.array(_SKIN[person % 3], np.float32),
        background=np.array([0.3, 0.4, 0.5], np.float32),
    )


SIZE, FOCAL = 240, 580.0


@dataclass(frozen=True)
class Nodding:
    """Frames (T, SIZE, SIZE, 3) of a head that nods, turns and tilts, and its true poses."""

    frames: Image
    rotation: Float
    translation: Float
    identity: Float


def nodding(person: int, count: int, degrees: tuple[float, ...] = (5, 8, 4)) -> Nodding:
    """A drawn head that goes to and fro by `degrees` of pitch, yaw and roll, its jaw by a third."""
    t = np.arange(count) / 25
    sines = np.stack([np.sin(t * 6), np.sin(t * 4 + 1), np.sin(t * 7 + 2)], axis=1)
    turns = turn_matrices(np.deg2rad(degrees * sines).astype(np.float32))
    rotation = axis_angle(turns @ rotation_matrix(np.array([0.05, 0.08, 0], np.float32)))
    translation = ((0, 0, -8) + (0.1, 0.05, 0.1) * sines[:, ::-1]).astype(np.float32)
    views = [drawn_view(person, SIZE, jaw=0.1 * (n % 4)) for n in range(count)]
    posed = [
        replace(view, rotation=rotation[n], translation=translation[n], focal=FOCAL)
        for n, view in enumerate(views)
    ]
    pictures = np.array([take(load_face_model(), view, SIZE).image for view in posed])
    noise = np.random.default_rng(person).normal(0, 2, pictures.shape)
    grainy = np.clip(pictures + noise, 0, 255).astype(np.uint8)
    return Nodding(grainy, rotation, translation, views[0].identity)
