"""What a report says of words whose lips stay open."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from gsmooth_core.a2ep.closures import Closure, SpokenWord
from gsmooth_core.a2ep.words import Transcript, Word
from gsmooth_core.errors import ModelError, NoSpeechError
from gsmooth_core.evaluation.report import words


def spoken(text: str, *met: bool | None, at: float = 1.0) -> SpokenWord:
    return SpokenWord(text, at, at + 0.3, tuple(Closure("b", at, at + 0.3, m) for m in met))


def shot(audio="s.wav", usable=True):
    track = SimpleNamespace(usable=np.full(50, usable), fps=Fraction(25))
    return SimpleNamespace(job=SimpleNamespace(audio=audio), folder=None, source=None, track=track)


def mouth() -> np.ndarray:
    """(50, 478, 2) lips that are shut in frames 10 to 14 alone."""
    points = np.random.default_rng(0).uniform(0, 1, (1, 478, 2)).repeat(50, axis=0)
    points[10:15] = 0.5
    points[:, [33, 263]] = (0.0, 0.0), (1.0, 0.0)  # the eyes
    return points


def test_missed_words_are_named():
    said = [spoken("maybe", True, False, at=61.0), spoken("bob", True, True), spoken("hm", None)]
    found = words.finding(said)
    assert (found.kind, found.name) == ("good", "Closed lips")
    assert found.text == "Lips meet on 3 of 4 p, b and m; open in 'maybe' 1:01.00."


def test_many_missed_words_deserve_a_look():
    found = words.finding([spoken("by", False)] * 5)
    assert (found.kind, found.fault) == ("fair", "lips open on p, b and m")
    assert found.text.endswith("and 2 more.")
    assert words.finding([spoken("by", False)] * 4).kind == "good"  # too few to tell
    assert words.finding([spoken("by", True, False, True)] * 2).kind == "good"  # people miss some
    assert words.finding([spoken("by", True)]).text == "Lips meet on 1 of 1 p, b and m."


def test_speech_without_such_letters_is_not_judged():
    assert words.finding([spoken("no"), spoken("hm", None)]).kind == ""
    assert words.word_elements([spoken("no"), spoken("by", True)]) == []


def test_the_page_lists_them_and_escapes_what_was_said():
    text = " ".join(words.word_elements([spoken("<b>by", False), spoken("bob", True)]))
    assert "&lt;b&gt;by" in text and "<td>bob" not in text and "0:01.00" in text


def test_lips_of_the_dub_are_judged(monkeypatch):
    said = Transcript("en", (Word("by", 0.42, 0.5), Word("my", 1.2, 1.4)))
    monkeypatch.setattr(words, "words_of", lambda *_: (said, True))
    by, my = words.proofread(shot(), mouth(), lambda _: None, lambda: False)
    assert (by.missed, my.missed) == ("", "m")
    unseen = words.proofread(shot(usable=False), mouth(), lambda _: None, lambda: False)
    assert [word.closures[0].met for word in unseen] == [None, None]


@pytest.mark.parametrize(
    ("error", "told"), [(ModelError("Not installed.", "Install it."), 1), (NoSpeechError("-"), 0)]
)
def test_a_report_does_without_words(monkeypatch, error, told):
    def fail(*_):
        raise error

    events = []
    monkeypatch.setattr(words, "words_of", fail)
    assert words.proofread(shot(), mouth(), events.append, lambda: False) == ()
    assert len(events) == told
    assert all("Install it." in event.text for event in events)
    assert words.proofread(shot(audio=None), mouth(), events.append, lambda: False) == ()
