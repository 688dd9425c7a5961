"""Words for a proofreader: which word a mouth belongs to, and where its lips should have met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gsmooth_core.a2ep.closures import opening_of, spoken_words
from gsmooth_core.a2ep.interface import SpeechModel
from gsmooth_core.a2ep.words import Transcript
from gsmooth_core.text import clock
from gsmooth_core.types import Expression


def proofread(said: Transcript, curves: Expression, model: SpeechModel) -> dict[str, Any]:
    """The words of speech beside the curves that the average speaker makes of it.

    Returns:
        `language`, and `words`: each with text, start and end in seconds, and its closures.
    """
    words = spoken_words(said.words, opening_of(curves, model), float(curves.fps))
    return {"language": said.language, "words": [word.to_json() for word in words]}


def words_table(words: Sequence[Mapping[str, Any]], fps: float) -> str:
    """The words of `proofread` for a person: a line each, and how many closures are missed."""
    width = max([len(word["text"]) for word in words], default=0)
    lines = [
        f"{clock(w['start'])}-{clock(w['end'])}  frame {round(w['start'] * fps):5d}  "
        f"{w['text']:{width}}  {_lips(w['closures'])}".rstrip()
        for w in words
    ]
    judged = [c for w in words for c in w["closures"] if c["met"] is not None]
    missed = sum(not c["met"] for c in judged)
    end = f"{len(words)} words; lips meet on {len(judged) - missed} of {len(judged)} p, b and m."
    return "\n".join([*lines, end])


def _lips(closures: Sequence[Mapping[str, Any]]) -> str:
    words = {True: "shut", False: "OPEN", None: "not seen"}
    return ", ".join(f"{c['letters']} {words[c['met']]}" for c in closures)
