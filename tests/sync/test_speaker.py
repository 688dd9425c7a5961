"""Who of several people speaks, with an expert that believes an open mouth to be loud."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.sync.speaker import fits, speaker, turns
from tests.sync.test_measure import LoudnessExpert, speech, talking

EXPERT = LoudnessExpert(null=0.9)
A, B, C = (talking(10, seed=seed) for seed in (0, 3, 7))


def test_each_person_is_measured_with_the_same_sound() -> None:
    found = fits([A, B, C], 25, speech(10, delay=0.12), EXPERT)
    (own, *others) = [f for f in found if f is not None]
    assert len(others) == 2
    assert own.offset_frames == 3
    assert own.sure
    assert own.confidence > 2.5 * max(other.confidence for other in others)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_speaker_is_who_leads(place: int) -> None:
    faces = [B, C]
    faces.insert(place, A)
    assert speaker(fits(faces, 25, speech(10), EXPERT)) == place


def test_nobody_speaks_what_a_stranger_says() -> None:
    assert speaker(fits([A, B, C], 25, speech(10, seed=5), EXPERT)) is None
    assert turns([A, B, C], 25, speech(10, seed=5), 250, EXPERT) is None
    assert speaker([]) is None
    assert speaker([None, None]) is None


def test_one_alone_must_fit_by_himself() -> None:
    assert speaker(fits([A], 25, speech(10), EXPERT)) == 0
    assert speaker(fits([B], 25, speech(10), EXPERT)) is None


def test_who_is_hardly_seen_is_not_measured() -> None:
    glimpse = np.full_like(B, np.nan)
    glimpse[:5] = B[:5]
    own, other, never = fits([A, glimpse, np.full_like(B, np.nan)], 25, speech(10), EXPERT)
    assert own is not None
    assert other is never is None


def _in_turns(seconds: float, change: float) -> np.ndarray:
    sound = speech(seconds)
    sound[round(change * 16000) :] = speech(seconds, seed=3)[round(change * 16000) :]
    return sound


@pytest.mark.parametrize("fps", [25, 30])
def test_speakers_take_turns(fps: int) -> None:
    faces = [talking(12, fps, seed) for seed in (7, 0, 3)]
    whose = turns(faces, fps, _in_turns(12, 5.0), 12 * fps, EXPERT)
    assert whose is not None
    assert len(whose) == 12 * fps
    changes = np.flatnonzero(np.diff(whose)) + 1
    assert list(whose[[0, -1]]) == [1, 2]
    assert changes == pytest.approx([5 * fps], abs=0.6 * fps)


def test_one_speaker_has_all_frames_also_where_he_is_not_seen() -> None:
    away = A.copy()
    away[100:140] = np.nan  # the picture shows who listens
    whose = turns([B, away], 25, speech(10), 250, EXPERT)
    assert whose is not None
    assert (whose == 1).all()
