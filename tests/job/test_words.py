"""A job's words: recognised once, kept, and read back with care."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from gsmooth_core.a2ep.words import Transcript, Word
from gsmooth_core.app import actions
from gsmooth_core.errors import JobError
from gsmooth_core.job import words
from gsmooth_core.job.events import Progress
from gsmooth_core.job.job import Job
from gsmooth_core.job.source import Source
from tests.media.made import numbered_frames, speechlike, write_video, write_wav

SAID = Transcript("fr", (Word("bébé", 0.2, 0.6), Word("là", 0.6, 0.9)))


@pytest.fixture
def asked(monkeypatch):
    """Sounds that were listened to."""
    sounds = []

    def recognise(audio, on_progress=None, recogniser=None):
        sounds.append(audio)
        on_progress(0.9)
        return SAID

    monkeypatch.setattr(words, "recognise", recognise)
    return sounds


@pytest.fixture
def job(tmp_path) -> Job:
    video = write_video(tmp_path / "in.mp4", numbered_frames(25), Fraction(25))
    sound = write_wav(tmp_path / "s.wav", speechlike(1.0), 16000)
    made = Job(video=video, output=tmp_path / "out.mp4", audio=sound)
    (tmp_path / "job").mkdir()
    made.save(tmp_path / "job")
    return made


def test_words_are_recognised_once(job, asked, tmp_path):
    events = []
    for fresh in (True, False):
        found = words.words_of(tmp_path / "job", Source(job), events.append, lambda: False)
        assert found == (SAID, fresh)
    assert len(asked) == 1
    assert events == [Progress("words", 0, 1), Progress("words", 0, 1)]


def test_other_speech_is_listened_to_anew(job, asked, tmp_path):
    words.words_of(tmp_path / "job", Source(job), lambda _: None, lambda: False)
    write_wav(job.audio, speechlike(0.9), 16000)
    assert words.words_of(tmp_path / "job", Source(job), lambda _: None, lambda: False)[1]


def test_the_action_of_the_worker(job, asked, tmp_path):
    made = actions.JOB_ACTIONS["words"](tmp_path / "job", lambda _: None, lambda: False)
    assert made["language"] == "fr"
    assert made["words"][0] == {"text": "bébé", "start": 0.2, "end": 0.6, "closures": ()}
    assert json.loads((tmp_path / "job" / "words.json").read_text())["words"][1]["text"] == "là"


@pytest.mark.parametrize(
    "row",
    [{"text": 1, "start": 0, "end": 1}, {"text": "a", "start": 2, "end": 1}, {"text": "a"}, 3],
)
def test_damaged_words_are_refused(row, tmp_path):
    path = tmp_path / "words.json"
    path.write_text(json.dumps({"language": "en", "words": [row]}))
    with pytest.raises(JobError, match="damaged"):
        words._read(path)
