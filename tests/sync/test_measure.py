"""`measure_sync` from landmarks and samples to a result, with an expert made for the test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gsmooth_core.errors import InputError, NoFaceError, NoSpeechError
from gsmooth_core.face.landmarks import SPEECH_POINTS
from gsmooth_core.sync import measure_sync
from gsmooth_core.sync.windows import read_lips
from tests.doubles import face_track
from tests.sync.faces import babble, face

RATE = 16000
DOWN = len(SPEECH_POINTS) + SPEECH_POINTS.index(14)


class LoudnessExpert:
    """Believes that an open mouth is loud: both are curves, seven frames of which are compared."""

    name, wants_pictures = "loudness", False

    def __init__(self, null=0.0):
        self.null = null

    def embed_face(self, face):
        lips = read_lips(face.landmarks, face.fps)
        return self.windows(lips.shape[:, DOWN]), lips.valid

    def embed_sound(self, audio):
        blocks = audio[: len(audio) // 640 * 640].reshape(-1, 640)
        return self.windows(np.sqrt((blocks**2).mean(axis=1)))

    def windows(self, curve):
        curve = (curve - curve.mean()) / (curve.std() + 1e-9)
        padded = np.pad(curve, 3, mode="edge")
        return np.stack([padded[i : i + len(curve)] for i in range(7)], axis=1).astype(np.float32)

    def threshold(self, frames):
        return self.null


def speech(seconds, seed=0, delay=0.0):
    """(S,) noise as loud as the mouth of `babble(seed)` is open, `delay` seconds later."""
    count = round(seconds * RATE)
    time = np.arange(count) / RATE - delay
    frames = np.clip(np.round(time * 100 - 0.5).astype(int) + 500, 0, None)
    level = babble(frames.max() + 1, seed, 100.0)[frames]
    dice = np.random.default_rng(seed + 99)
    return (0.2 * level * dice.uniform(-1, 1, count)).astype(np.float32)


def talking(seconds, fps=25.0, seed=0):
    """Landmarks of a mouth that opens as `speech` is loud; both run 5 s into `babble`."""
    count = round(seconds * fps)
    at = ((np.arange(count) + 0.5) / fps * 100 - 0.5 + 500).round().astype(int)
    return face(babble(at.max() + 1, seed, 100.0)[at])


@pytest.mark.parametrize("frames", [-12, -5, 0, 1, 9])
def test_delay_of_the_sound_is_the_offset(frames):
    found = measure_sync(talking(8), 25, speech(8, delay=frames / 25), LoudnessExpert())
    assert found.offset_frames == frames
    assert found.offset_seconds == pytest.approx(frames / 25, abs=0.012)


@pytest.mark.parametrize("fps", [24000 / 1001, 30, 50])
def test_offset_is_in_frames_at_25_whatever_the_rate(fps):
    found = measure_sync(talking(8, fps), fps, speech(8, delay=0.24), LoudnessExpert())
    assert found.offset_frames == 6
    assert found.offset_seconds == pytest.approx(0.24, abs=0.012)


def test_parts_of_a_frame_are_seen_in_seconds():
    found = measure_sync(talking(12), 25, speech(12, delay=0.116), LoudnessExpert())
    assert found.offset_frames == 3
    assert found.offset_seconds == pytest.approx(0.116, abs=0.012)


def test_wrong_sound_has_little_confidence():
    own = measure_sync(talking(10), 25, speech(10), LoudnessExpert())
    other = measure_sync(talking(10), 25, speech(10, seed=5), LoudnessExpert())
    assert own.confidence > 2.5 * other.confidence


def test_track_and_its_landmarks_are_the_same():
    landmarks = talking(8)
    track = replace(face_track(200), landmarks=landmarks)
    sound = speech(8, delay=0.2)
    one = measure_sync(track, 25, sound, LoudnessExpert())
    two = measure_sync(landmarks, 25, sound, LoudnessExpert())
    np.testing.assert_array_equal(one.distances, two.distances)


def test_unusable_frames_of_a_track_are_left_out():
    landmarks = talking(12)
    landmarks[100:200] = talking(20, seed=3)[:100]  # somebody else, marked as unusable
    confidence = np.ones(300, np.float32)
    confidence[100:200] = 0
    track = replace(face_track(300), landmarks=landmarks, confidence=confidence)
    found = measure_sync(track, 25, speech(12), LoudnessExpert())
    assert found.offset_frames == 0
    all_frames = measure_sync(landmarks, 25, speech(12), LoudnessExpert())
    assert found.confidence > all_frames.confidence + 0.1


def test_sound_farther_away_than_15_frames_is_found_when_it_is_sure():
    sound = speech(14, delay=1.2)
    found = measure_sync(talking(14), 25, sound, LoudnessExpert(null=1.8))
    assert (found.offset_frames, found.centre) == (30, 30)
    assert found.sure
    assert found.distances[15] == found.distances.min()


def test_nothing_far_away_is_believed_lightly():
    other = speech(10, seed=5)
    found = measure_sync(talking(10), 25, other, LoudnessExpert(null=3.0))
    assert found.centre == 0
    assert not found.sure


def test_no_face_no_sound_and_no_rate_are_named():
    expert = LoudnessExpert()
    with pytest.raises(NoFaceError, match="No frame"):
        measure_sync(np.full((50, 478, 2), np.nan, np.float32), 25, speech(2), expert)
    with pytest.raises(NoFaceError, match="No frame"):
        measure_sync(np.zeros((0, 478, 2), np.float32), 25, speech(2), expert)
    with pytest.raises(NoFaceError, match=r"0\.2 seconds"):
        measure_sync(talking(0.2), 25, speech(2), expert)
    with pytest.raises(NoSpeechError, match=r"0\.1 seconds of sound"):
        measure_sync(talking(4), 25, speech(4)[: 3 * 640], expert)
    with pytest.raises(InputError, match="no frame rate"):
        measure_sync(talking(4), 0, speech(4), expert)


def test_sound_that_was_embedded_before_is_not_embedded_again():
    expert, heard = LoudnessExpert(), speech(6, delay=0.2)
    embedded = expert.embed_sound(heard)
    expert.embed_sound = None
    found = measure_sync(talking(6), 25, heard, expert, sound=embedded)
    assert found.offset_frames == 5
