"""One half of a clip judged by the other."""

from dataclasses import replace

import numpy as np
import pytest

from gsmooth_core.a2ep.manner_choice import Mouths
from gsmooth_core.face.load import load_face_model
from tests.a2ep.talkers import GRAM, OPENING, REST, USUAL, lesson
from training.a2ep.face import speech_face
from training.a2ep.style import GAP, counted_error, halves, judged_halves, lag_of, later

NAMES = ("jawOpen", "mouthClose", "mouthSmileLeft", "mouthSmileRight", "mouthPucker")
MOUTHS = Mouths(GRAM, OPENING, USUAL, REST)


@pytest.fixture(scope="module")
def face():
    return speech_face(load_face_model(), NAMES)


def test_halves_leave_a_gap_and_each_judges_once():
    (a, b), (c, d) = halves(401)
    assert (a, b) == (d, c)
    assert b.start - a.stop == GAP
    assert (a.start, b.stop) == (0, 401)


@pytest.mark.parametrize("lag", [-3, 0, 2])
def test_the_lag_of_the_sound_is_found(lag):
    true = lesson(300, weights=np.eye(5, dtype=np.float32))
    assert lag_of(replace(true, moved=later(true.moved, -lag)), OPENING) == lag


def test_the_mean_counts(face):
    true = lesson(100).shown
    assert counted_error(face, np.repeat(true.mean(axis=0)[None], 100, axis=0), true) == (
        pytest.approx(1.0, rel=1e-4)
    )
    assert counted_error(face, true, true) == 0
    assert counted_error(face, true + np.float32(0.2), true) > 0.5


def test_who_knows_the_other_half_is_judged_without_error(face):
    """The judging half is never what teaches."""
    clip, seen = lesson(300), []

    def speak(taught, test, mouths):
        seen.append((taught.shown, test.moved))
        at = [np.abs(clip.moved - row).sum(axis=1).argmin() for row in test.moved]
        return clip.shown[at]

    rows = list(judged_halves(clip, MOUTHS, face, speak))
    assert [row.counted for row in rows] == pytest.approx([0, 0], abs=1e-9)
    assert [row.figures.lip_error for row in rows] == pytest.approx([0, 0], abs=1e-6)
    for taught, moved in seen:
        assert len(taught) + len(moved) == 300 - GAP
