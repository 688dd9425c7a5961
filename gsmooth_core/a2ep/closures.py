"""Words whose lips should meet, and do not: p, b and m by the letters, the lips by the curves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from gsmooth_core.a2ep.interface import SpeechModel
from gsmooth_core.a2ep.words import Word
from gsmooth_core.types import Bool, Expression, Float

SHUT = 0.1
"""Of the 95th percentile of the opening: below it lips count as touching."""
SLACK = 0.06
"""Seconds that lips may meet before a word begins and after it ends: recognisers err by as much."""
_OTHERS = "\u043f\u0431\u043c\u03c0\u03bc\u0628\u0645"  # Cyrillic, Greek and Arabic p, b, m
_LETTERS = re.compile(f"(?:p(?!h)|[bm{_OTHERS}])+", re.IGNORECASE)  # "ph" is an f
_NO_LETTER = re.compile(r"[\W\d_]+")


@dataclass(frozen=True)
class Closure:
    """A place at which lips should meet.

    Attributes:
        letters: that say so; neighbours such as "mp" are one closure.
        start: seconds, from which on they may.
        end: until when.
        met: whether they do; None where no face was seen all the while.
    """

    letters: str
    start: float
    end: float
    met: bool | None


@dataclass(frozen=True)
class SpokenWord:
    """A word and its lips.

    Attributes:
        text: as it is written.
        start: seconds.
        end: seconds.
        closures: where lips should meet in it; none for scripts whose letters do not say so.
    """

    text: str
    start: float
    end: float
    closures: tuple[Closure, ...] = ()

    @property
    def missed(self) -> str:
        """Letters at which the lips stay open, such as "m, b"; "" where there are none."""
        return ", ".join(c.letters for c in self.closures if c.met is False)

    def to_json(self) -> dict[str, Any]:
        """As a JSON object, times in seconds."""
        return asdict(self)


def bilabials(text: str) -> list[tuple[str, float]]:
    """Letters of a word at which lips meet, each with its place in the word, 0..1."""
    word = _NO_LETTER.sub("", text)
    found = _LETTERS.finditer(word)
    return [(m.group().lower(), (m.start() + m.end()) / 2 / len(word)) for m in found]


def shut_lips(opening: Float) -> Bool:
    """(T,) opening of the lips, 0 where they meet, NaN without a face -> (T,) whether they meet."""
    known = opening[np.isfinite(opening)]
    if not len(known):
        return np.zeros(len(opening), bool)
    apart = np.nan_to_num(opening, nan=np.inf)
    shut = (apart <= 0) | (apart < SHUT * np.percentile(known, 95))  # they may never open
    return np.asarray(shut, bool)


def opening_of(curves: Expression, model: SpeechModel) -> Float:
    """(T,) how far curves of the average speaker open the lips; 0 where they meet."""
    places = [curves.names.index(name) for name in model.names]
    moved = curves.values[:, places] - model.array("rest")
    return np.asarray(moved @ model.array("opening"), np.float32)


def spoken_words(words: Sequence[Word], opening: Float, fps: float) -> tuple[SpokenWord, ...]:
    """See of each word whether its lips meet.

    A word that needs several closures is parted half way between their letters, so that one
    closure does not count for two.

    Args:
        words: as recognised.
        opening: (T,) of the lips, 0 where they meet; NaN where no face is seen.
        fps: rate of `opening`.
    """
    shut, seen = shut_lips(opening), np.isfinite(opening)
    return tuple(SpokenWord(w.text, w.start, w.end, _closures(w, shut, seen, fps)) for w in words)


def _closures(word: Word, shut: Bool, seen: Bool, fps: float) -> tuple[Closure, ...]:
    letters = bilabials(word.text)
    places = [place for _, place in letters]
    inner = [word.start + (a + b) / 2 * (word.end - word.start) for a, b in pairwise(places)]
    edges = pairwise([word.start - SLACK, *inner, word.end + SLACK])
    found = []
    for (name, _), (start, end) in zip(letters, edges, strict=False):
        frames = frames_between(start, end, fps)
        known = len(seen[frames]) > 0 and bool(seen[frames].all())
        met = bool(shut[frames].any()) if known or shut[frames].any() else None
        found.append(Closure(name, round(max(start, 0.0), 3), round(end, 3), met))
    return tuple(found)


def frames_between(start: float, end: float, fps: float) -> slice:
    """Frames whose middle lies within (seconds); one at least."""
    first = int(np.ceil(start * fps - 0.5))
    last = int(np.floor(end * fps - 0.5))
    return slice(max(first, 0), max(last + 1, first + 1, 1))
