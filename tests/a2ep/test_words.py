"""Words and when they are spoken: a recogniser that is a double, and the real one."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from types import SimpleNamespace

import numpy as np
import pytest

from gsmooth_core.a2ep import words
from gsmooth_core.a2ep.words import INSTALL, Transcript, Word, load_recogniser, recognise
from gsmooth_core.errors import ModelError
from gsmooth_core.job import words as kept

RATE = words.SAMPLE_RATE


def tone(*stretches: tuple[float, float], seconds: float) -> np.ndarray:
    """A tone in some stretches of silence."""
    audio = np.zeros(int(seconds * RATE), np.float32)
    for start, end in stretches:
        at = np.arange(int(start * RATE), int(end * RATE))
        audio[at] = 0.3 * np.sin(2 * np.pi * 200 * at / RATE)
    return audio


class Double:
    """Says what it was told to; keeps what it was asked."""

    def __init__(self, *segments: list[tuple[str, float, float]]) -> None:
        self.segments = segments

    def transcribe(self, audio, **how):
        self.how = how
        made = (
            SimpleNamespace(
                words=[SimpleNamespace(word=w, start=a, end=b) for w, a, b in rows],
                end=rows[-1][2],
            )
            for rows in self.segments
        )
        return made, SimpleNamespace(language="en")


def test_words_are_those_of_all_segments():
    heard, audio = [], tone((0.0, 3.0), seconds=3)
    double = Double([(" Hello", 0.0, 0.5), (" you", 0.5, 1.0)], [(" there.", 1.0, 1.5)])
    said = recognise(audio, heard.append, double)
    assert [word.text for word in said.words] == ["Hello", "you", "there."]
    assert (said.language, heard) == ("en", [1.0, 1.5])
    assert double.how["word_timestamps"]


def test_nothing_is_said_in_no_language():
    assert recognise(tone(seconds=1), recogniser=Double()) == Transcript("", ())


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (("b", 0.6, 0.2), ("b", 0.6, 0.6)),  # ends before it begins
        (("b", -0.3, 0.4), ("b", 0.0, 0.4)),
        (("b", 1.9, 7.0), ("b", 1.9, 2.0)),
        (("b", 3.0, 7.0), ("b", 2.0, 2.0)),
        (("\ud800b", 0.1, 0.2), ("?b", 0.1, 0.2)),
        ((" ", 0.1, 0.2), None),
        (("b", float("nan"), 0.2), None),
        (("b", 0.1, float("inf")), None),
    ],
)
def test_words_lie_within_the_sound_and_can_be_kept(given, found, tmp_path):
    said = recognise(tone(seconds=2), recogniser=Double([given]))
    assert said.words == (() if found is None else (Word(*found),))
    path = tmp_path / "words.json"
    path.write_text(json.dumps(asdict(said), ensure_ascii=False), "utf-8")
    assert kept._read(path) == said


def test_a_word_begins_and_ends_with_its_sound():
    audio = tone((0.4, 0.9), (2.0, 2.6), seconds=4)
    given = [Word("map", 0.1, 0.7), Word("boat", 1.5, 2.3), Word("is", 2.3, 2.5)]
    first, second, third = words.within_sound(given, audio)
    assert (first.start, first.end) == pytest.approx((0.4, 0.9), abs=0.011)
    assert (second.start, second.end) == pytest.approx((2.0, 2.3), abs=0.011)
    assert (third.start, third.end) == pytest.approx((2.3, 2.6), abs=0.011)


def test_a_word_goes_on_for_a_moment_at_most_where_all_is_loud():
    (word,) = words.within_sound([Word("hm", 1.0, 1.2)], tone((0.0, 4.0), seconds=4))
    assert (word.start, word.end) == pytest.approx((1.0, 1.2 + words.LATE))


def test_a_word_in_silence_stays_where_it_was():
    assert words.within_sound([Word("hm", 1.0, 1.2)], tone((3, 4), seconds=4))[0].end == 1.2


def test_a_recogniser_that_is_not_installed_is_named_with_its_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(ModelError, match="not installed") as caught:
        load_recogniser()
    assert caught.value.hint == INSTALL
    assert 'pip install "gsmooth[words]"' in INSTALL


def test_a_folder_that_lacks_a_file_is_refused_before_it_would_be_fetched(tmp_path, monkeypatch):
    made = []
    module = SimpleNamespace(WhisperModel=lambda place, **how: made.append((place, how)))
    monkeypatch.setitem(sys.modules, "faster_whisper", module)
    monkeypatch.setenv("GSMOOTH_MODELS", str(tmp_path))
    folder = tmp_path / "whisper-base"
    folder.mkdir()
    for name in ("model.bin", "config.json"):
        (folder / name).write_bytes(b"x")
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        load_recogniser()
    (folder / "tokenizer.json").write_bytes(b"{}")
    load_recogniser()
    assert [place for place, _ in made] == [str(folder)]
    assert "files" not in made[0][1]


@pytest.mark.slow
def test_real_words_are_found_where_they_were_spoken():
    """Sentences with pauses between them: where each begins and ends is known by construction."""
    pytest.importorskip("faster_whisper", reason="needs gsmooth[words]")
    hibari = pytest.importorskip("hibari", reason="needs the demo's packages")
    from scipy.signal import resample_poly

    sentences = ("Bring the big map.", "My boat is empty.", "Nobody came by.")
    voice, parts, spans = hibari.Hibari(), [np.zeros(int(0.4 * RATE), np.float32)], []
    for sentence in sentences:
        spoken = resample_poly(np.asarray(voice(sentence, seed=0)), RATE, voice.sample_rate)
        loud = np.flatnonzero(np.abs(spoken) > 0.02 * np.abs(spoken).max())
        start = sum(map(len, parts)) / RATE
        parts += [spoken[loud[0] : loud[-1]], np.zeros(int(0.7 * RATE))]
        spans.append((start, start + (loud[-1] - loud[0]) / RATE))
    said = recognise(np.concatenate(parts).astype(np.float32))
    assert " ".join(word.text for word in said.words) == " ".join(sentences)
    assert said.language == "en"
    first, last = ("Bring", "My", "Nobody"), ("map.", "empty.", "by.")
    starts = [word.start for word in said.words if word.text in first]
    ends = [word.end for word in said.words if word.text in last]
    assert starts == pytest.approx([start for start, _ in spans], abs=0.08)
    assert ends == pytest.approx([end for _, end in spans], abs=0.2)  # p: a silence, then a burst
