"""Lip shapes: what they must see, and what they must not."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.face.landmarks import SPEECH_POINTS
from gsmooth_core.sync.windows import mouth_shapes, read_lips
from tests.sync.faces import babble, face


def test_place_size_and_tilt_of_the_head_do_not_matter():
    still = face(babble(60))
    time = np.arange(60) / 25
    angle, size = 0.3 * np.sin(time), 1.5 + 0.4 * np.cos(2 * time)
    turn = np.stack(
        [np.stack([np.cos(angle), np.sin(angle)], 1), np.stack([-np.sin(angle), np.cos(angle)], 1)],
        1,
    )
    moved = np.einsum("tni,tij->tnj", still - 128, turn) * size[:, None, None]
    moved += (300 + 50 * np.sin(time))[:, None, None]
    np.testing.assert_allclose(mouth_shapes(moved), mouth_shapes(still), atol=1e-3)


def test_units_are_the_distance_of_the_eye_corners():
    """The lower lip goes down by 12 pixels of 80 between the eyes."""
    shapes = mouth_shapes(face(np.array([0.0, 1.0])))
    down = len(SPEECH_POINTS) + SPEECH_POINTS.index(14)
    assert shapes[1, down] - shapes[0, down] == pytest.approx(12 / 80, abs=1e-5)
    across = SPEECH_POINTS.index(14)
    assert shapes[1, across] == pytest.approx(shapes[0, across], abs=1e-5)


@pytest.mark.parametrize("fps", [12.5, 24000 / 1001, 30, 60])
def test_any_rate_becomes_25(fps):
    frames = round(8 * fps)
    lips = read_lips(face(babble(frames, fps=fps)), fps)
    truth = mouth_shapes(face(babble(200)))
    assert abs(len(lips.shape) - 200) <= 1
    down, count = len(SPEECH_POINTS) + SPEECH_POINTS.index(14), min(200, len(lips.shape))
    got, want = lips.shape[2 : count - 2, down], truth[2 : count - 2, down]
    assert np.corrcoef(got, want)[0, 1] > (0.9 if fps < 20 else 0.985)
    assert lips.valid.all()


def test_25_stays_25():
    landmarks = face(babble(50))
    np.testing.assert_allclose(read_lips(landmarks, 25).shape, mouth_shapes(landmarks), atol=1e-6)


def test_short_gaps_are_bridged_and_long_ones_marked():
    landmarks = face(babble(100))
    landmarks[20:23] = np.nan
    landmarks[50:70] = np.nan
    lips = read_lips(landmarks, 25)
    assert np.isfinite(lips.shape).all()
    assert lips.valid[:50].all()
    assert not lips.valid[53:67].any()
    assert lips.valid[70:].all()
