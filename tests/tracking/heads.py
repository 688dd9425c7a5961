"""A second person that anyone may use: the CC0 head, drawn with skin, brows and hair."""

from __future__ import annotations

import numpy as np

from gsmooth_core.face.load import load_face_model
from gsmooth_core.types import Image
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
