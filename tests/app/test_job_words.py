"""The worker's command `words` of a finished dub: its words with the lips of its picture."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gsmooth_core.a2ep.words import Transcript, Word
from gsmooth_core.app import actions, job_words
from gsmooth_core.errors import ModelError
from gsmooth_core.job.events import Progress
from gsmooth_core.job.job import Job
from tests.media.made import numbered_frames, speechlike, write_video, write_wav

SAID = Transcript("en", (Word("by", 0.42, 0.5), Word("my", 1.2, 1.4)))


def mouth() -> np.ndarray:
    """(50, 478, 2) lips that are shut in frames 10 to 14 alone."""
    points = np.random.default_rng(0).uniform(0, 1, (1, 478, 2)).repeat(50, axis=0)
    points[10:15] = 0.5
    points[:, [33, 263]] = (0.0, 0.0), (1.0, 0.0)  # the eyes
    return points


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A job that is finished, as far as its files say; `asked` notes what was looked at."""
    video = write_video(tmp_path / "in.mp4", numbered_frames(5), Fraction(25))
    sound = write_wav(tmp_path / "s.wav", speechlike(1.0), 16000)
    place = tmp_path / "job"
    place.mkdir()
    Job(video=video, output=place / "out.mp4", audio=sound).save(place)
    for name in ("report.json", "out.mp4"):
        (place / name).touch()
    return place


@pytest.fixture
def asked(folder, monkeypatch) -> list[object]:
    track = SimpleNamespace(usable=np.full(50, True), fps=Fraction(25))
    asked: list[object] = []

    def open_shot(place, face):
        asked.append(face)
        return SimpleNamespace(folder=place / "person_2", source="its source", track=track)

    def words_of(place, source, *_):
        asked.append((place, source))
        return SAID, True

    def found(_shot, on_progress):
        asked.append("lips")
        on_progress("find", 1, 50)
        return mouth()

    monkeypatch.setattr(job_words, "open_shot", open_shot)
    monkeypatch.setattr(job_words, "words_of", words_of)
    monkeypatch.setattr(job_words, "found_landmarks", found)
    return asked


def test_lips_of_a_finished_dub_are_judged(folder, asked):
    events: list[object] = []
    made = actions.words(folder, events.append, lambda: False, "2")
    met = [[c["met"] for c in word["closures"]] for word in made["words"]]
    assert (made["language"], met) == ("en", [[True], [False]])
    assert asked == ["2", (folder / "person_2", "its source"), "lips"]
    assert events == [Progress("find", 1, 50)]


@pytest.mark.parametrize("gone", ["report.json", "out.mp4"])
def test_an_unfinished_one_has_words_alone(folder, asked, gone):
    (folder / gone).unlink()
    made = actions.words(folder, lambda _: None, lambda: False)
    assert [word["closures"] for word in made["words"]] == [(), ()]
    assert [place for place, _ in asked] == [folder]


def test_no_lips_are_looked_at_without_the_recogniser(folder, asked, monkeypatch):
    def fail(*_):
        raise ModelError("Not installed.", "Install it.")

    monkeypatch.setattr(job_words, "words_of", fail)
    with pytest.raises(ModelError):
        actions.words(folder, lambda _: None, lambda: False)
    assert "lips" not in asked
