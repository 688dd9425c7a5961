from fractions import Fraction

import numpy as np

from gsmooth_core.a2ep.style import PARTS_LIPS, Style
from gsmooth_core.types import FaceTrack

NAMES = ("jawOpen", "mouthSmileLeft", "mouthUpperUpLeft")
OPENING = np.array([0.3, 0.0, 2 * PARTS_LIPS], np.float32)
USUAL_REST = np.array([0.1, 0.05, 0.02], np.float32)


def track(expression):
    count = len(expression)
    zeros = np.zeros((count, 3), np.float32)
    return FaceTrack(
        64, 48, Fraction(25), "face", 100.0, np.zeros(4, np.float32), NAMES, expression, zeros,
        zeros, np.zeros((count, 9, 3), np.float32), np.ones(count, np.float32),
        np.zeros((count, 478, 2), np.float32),
    )  # fmt: skip


def style(expression):
    found = Style.from_track(
        track(expression), NAMES, np.eye(3, dtype=np.float32), OPENING, 0.1, USUAL_REST
    )
    assert found is not None
    return found


def test_the_lips_of_a_photograph_can_meet_and_its_smile_stays():
    photo = np.tile(np.array([[0.4, 0.6, 0.5]], np.float32), (50, 1))
    assert style(photo).amplitude == 1.0
    np.testing.assert_allclose(style(photo).rest, [0.1, 0.6, 0.02])


def test_a_speakers_own_resting_mouth_is_believed():
    wave = 0.5 + 0.3 * np.sin(np.arange(100))
    talking = np.stack([wave, 0 * wave + 0.6, wave], axis=1).astype(np.float32)
    assert style(talking).rest[0] > USUAL_REST[0] + 0.05
