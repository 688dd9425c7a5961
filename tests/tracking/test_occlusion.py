"""What hides a mouth is told from light: a lamp at one side lights all of that side."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.face.landmarks import NOSE_BASE, SKIN
from gsmooth_core.face.load import load_face_model
from gsmooth_core.tracking.occlusion import hidden_share

FRAMES = 20


@pytest.fixture(scope="module")
def places() -> np.ndarray:
    """(S, 2) where the skin is sampled, x from -1 to 1, y above the base of the nose."""
    model = load_face_model()
    points = model.landmarks(model.mean)
    at = points[SKIN, :2] - points[NOSE_BASE, :2]
    return at / np.abs(at[:, 0]).max()


def shown(places: np.ndarray, light: np.ndarray) -> np.ndarray:
    """(T, S, 3) skin that is uneven in itself, the last frame of it under another light (S,)."""
    rng = np.random.default_rng(0)
    skin = np.float32((150, 105, 85)) * rng.uniform(0.8, 1.2, (len(places), 1))
    frames = skin + rng.normal(0, 2, (FRAMES, *skin.shape))
    frames[-1] *= light[:, None]
    return frames.clip(0, 255).astype(np.uint8)


def last(colours: np.ndarray) -> float:
    return float(hidden_share(colours, np.ones(FRAMES, bool), load_face_model())[-1])


@pytest.mark.parametrize("strength", [-1.0, -0.5, 0.5])
def test_a_lamp_at_one_side_hides_nothing(places: np.ndarray, strength: float) -> None:
    assert last(shown(places, 0.6 * np.exp(strength * places[:, 0]))) < 0.1


def test_a_hand_before_the_mouth_hides_it_in_any_light(places: np.ndarray) -> None:
    lamp = 0.7 * np.exp(0.6 * places[:, 0])
    for light in (np.ones(len(places)), lamp):
        dark = np.where(places[:, 1] < 0, 0.4, 1)
        assert last(shown(places, light * dark)) > 0.9


def test_what_covers_one_side_hides_the_mouth_there(places: np.ndarray) -> None:
    colours = shown(places, np.ones(len(places)))
    colours[-1, places[:, 0] < 0.1] = (40, 60, 30)
    assert last(colours) > 0.3
