"""Which word a mouth belongs to, on the timeline: a marker a word, with its missed closures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy

from ..storage import job_folder
from ..storage.checks import FILE_FRAME, FLAG, TEXT, number, optional, record, rows, whole
from ..storage.files import noted_object
from ..timeline import strips
from ..worker.answers import check_answer

NOTED = "gsmooth_words"
"""Custom property of a dubbed strip: its words, as JSON."""
PREFIX = "\N{MIDDLE DOT} "
"""Beginning of our markers' names, short as timelines are full; no other is touched."""
_LONGEST = 63  # bytes of a marker's name
_MOST = 10_000  # words of one strip: an hour of hurried speech
_DAY = 86_400.0

_SECONDS = number(0.0, _DAY)
_CLOSURE = record({"letters": TEXT, "met": optional(FLAG)}, "a closure")
_HEARD = record(
    {"text": TEXT, "start": _SECONDS, "end": _SECONDS, "closures": rows(_CLOSURE, "closures")},
    "a word",
)
_ANSWER = {"words": rows(_HEARD, "a list of words")}
_WORD = record(
    {"text": TEXT, "first": FILE_FRAME, "end": FILE_FRAME, "missed": TEXT, "person": whole(0, 99)},
    "a word",
)
_WORDS = rows(_WORD, "a list of words")


@dataclass(frozen=True)
class Word:
    """A word of a dub.

    Attributes:
        text: as it is written, with its punctuation.
        first: frame of the dubbed file in which it begins, from 0.
        end: the frame after its last.
        missed: letters on which the lips stay open, such as "m, b"; "" where there are none.
        person: number of who says it, of several; 0 of one alone.
    """

    text: str
    first: int
    end: int
    missed: str = ""
    person: int = 0

    @property
    def label(self) -> str:
        """For a marker."""
        who = f"{self.person}: " if self.person else ""
        return f"{who}{self.text}{f' ({self.missed} open)' if self.missed else ''}"


def read(folder: Path, answers: Mapping[int, dict[str, Any]]) -> list[Word]:
    """The words of a job, in their order.

    Args:
        folder: the job's.
        answers: the worker's by the numbers of the people whom the job dubs; 0 for one alone.

    Raises:
        UserError: an answer holds something else, or the folder no job.
    """
    for answer in answers.values():
        check_answer(answer, _ANSWER)
    rate = Fraction(job_folder.read(folder)["fps"] or strips.scene_rate(bpy.context.scene))
    pairs = [(person, said) for person, answer in answers.items() for said in answer["words"]]
    words = [_word(said, person, rate) for person, said in pairs]
    return sorted(words, key=lambda word: (word.first, word.person))


def _word(said: dict[str, Any], person: int, rate: Fraction) -> Word:
    first, end = (round(said[name] * rate) for name in ("start", "end"))
    missed = ", ".join(c["letters"] for c in said["closures"] if c["met"] is False)
    return Word(said["text"], first, max(end, first + 1), missed, person)


def note(folder: Path, words: Sequence[Word]) -> None:
    """Keep a job's words with its strips, and mark them."""
    for strip in strips.showing(folder.absolute()):
        strip[NOTED] = json.dumps({"words": [asdict(word) for word in words[:_MOST]]})
        mark(strip.id_data)


def take_away(folder: Path) -> None:
    """Forget a job's words, and take their markers away."""
    for strip in strips.showing(folder.absolute()):
        forget(strip)


def forget(strip: Any) -> None:
    """Forget the words of a strip, which says others now, or should show none."""
    if strip.pop(NOTED, None) is not None:
        mark(strip.id_data)


def are_shown(strip: Any) -> bool:
    """Whether a strip's words are marked; quick, for panels."""
    return strip is not None and NOTED in strip


def of_strip(strip: Any) -> list[Word]:
    """What is noted with a strip; nothing where that cannot be understood."""
    content = noted_object(strip, NOTED)
    if not _WORDS.fits(content.get("words")):
        return []
    names = [field.name for field in fields(Word)]
    return [Word(**{name: row[name] for name in names}) for row in content["words"][:_MOST]]


def mark(scene: bpy.types.Scene) -> None:
    """Have the markers of the words that are noted with the scene's dubs, and no others."""
    markers = scene.timeline_markers
    for marker in [m for m in markers if m.name.startswith(PREFIX)]:
        markers.remove(marker)
    for strip in strips.all_strips(scene):
        if strips.dubbed_job(strip) and not strip.mute:
            _mark_strip(markers, strip)


def _mark_strip(markers: Any, strip: Any) -> None:
    begin, left, right = strips.first_source_frame(strip), strips.left(strip), strips.right(strip)
    for word in of_strip(strip):
        frame = max(begin + word.first, left)
        if frame < min(begin + word.end, right):
            markers.new(_short(PREFIX + word.label), frame=frame)


def _short(name: str) -> str:
    """As much of a name as a marker holds."""
    return name.encode()[:_LONGEST].decode("utf-8", "ignore")
