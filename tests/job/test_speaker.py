"""The person that "speaker" names, of people who were followed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.job import speaker
from gsmooth_core.job.speaker import choose, own_sound, turns_of, voices
from gsmooth_core.media import probe
from gsmooth_core.tracking.following.found import FollowedFace
from gsmooth_core.tracking.people.people import People, Person
from gsmooth_core.tracking.people.sightings import Sighting
from gsmooth_core.types import Clip
from tests.media import made
from tests.sync.test_measure import LoudnessExpert, speech, talking

SECONDS = 10
FRAMES = 25 * SECONDS


def _person(number: int, seed: int, size: float) -> Person:
    points = np.zeros((FRAMES, 478, 3), np.float32)
    points[..., :2] = size * talking(SECONDS, seed=seed)
    sighting = Sighting()
    for frame, own in enumerate(points):
        sighting.keep(frame, FollowedFace(own, np.zeros(52, np.float32), 1.0), None)
    return Person(number, (sighting,))


PEOPLE = People(
    (_person(1, 3, 1.0), _person(2, 0, 0.5), _person(3, 7, 2.0)), np.zeros(FRAMES, np.int32)
)


@pytest.fixture(autouse=True)
def expert(monkeypatch: pytest.MonkeyPatch) -> None:
    place = "gsmooth_core.sync.speaker.load_sync_expert"
    monkeypatch.setattr(place, lambda: LoudnessExpert(null=0.9))


def _clip(monkeypatch: pytest.MonkeyPatch, sound: np.ndarray | None) -> Clip:
    monkeypatch.setattr(speaker, "own_sound", lambda *_: sound)
    return Clip(Path("c.mp4"), 9, 9, Fraction(25), FRAMES, has_audio=True)


def test_the_speaker_is_whose_lips_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    clip, warned = _clip(monkeypatch, speech(SECONDS)), []
    chosen = choose(PEOPLE, "speaker", clip, 0, warned.append)
    assert chosen is PEOPLE.people[1]
    assert not warned
    found = voices(PEOPLE, clip, 0)
    assert [f is not None and f.sure for f in found] == [False, True, False]
    assert list(turns_of(PEOPLE, clip, 0)) == ["2"]


def test_of_two_who_take_turns_it_is_who_speaks_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = speech(SECONDS, seed=3)
    sound[: 4 * 16000] = speech(SECONDS)[: 4 * 16000]
    clip = _clip(monkeypatch, sound)
    found = turns_of(PEOPLE, clip, 0)
    assert {number: bool(frames[0]) for number, frames in found.items()} == {"1": False, "2": True}
    assert choose(PEOPLE, "speaker", clip, 0, pytest.fail) is PEOPLE.people[0]


@pytest.mark.parametrize("sound", [None, speech(SECONDS, seed=5)], ids=["silence", "a stranger"])
def test_where_nobody_fits_it_is_the_largest_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, sound: np.ndarray | None
) -> None:
    warned: list[str] = []
    chosen = choose(PEOPLE, "speaker", _clip(monkeypatch, sound), 0, warned.append)
    assert chosen is PEOPLE.people[2]
    (text,) = warned
    assert "largest" in text and "gsmooth faces" in text


def test_who_is_alone_speaks_and_numbers_need_no_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    clip = _clip(monkeypatch, None)
    alone = People(PEOPLE.people[:1], PEOPLE.shot)
    assert choose(alone, "speaker", clip, 0, pytest.fail) is PEOPLE.people[0]
    assert choose(PEOPLE, "1", clip, 0, pytest.fail) is PEOPLE.people[0]
    assert choose(PEOPLE, "largest", clip, 0, pytest.fail) is PEOPLE.people[2]
    assert choose(People((), PEOPLE.shot), "speaker", clip, 0, pytest.fail) is None


def test_own_sound_is_that_of_the_frames(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    made.write_video(path, np.zeros((50, 48, 64, 3), np.uint8), 25)
    assert own_sound(probe(path), 0, 50) is None
