"""Hearing the words of a dub, and showing them on the timeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .. import preferences
from ..review import words
from ..review.words import Word
from ..storage import job_folder
from ..timeline import strips
from ..worker.task import Task
from .each_person import EachPerson
from .job import Job

_EXTRA = "gsmooth[words]"
"""What the worker's hint names where it cannot hear words."""
_WAY = "Switch on Words in Preferences > Add-ons > GSmooth and press Install."


class HearWords(Job):
    """Hears the words of a dub.

    Attributes:
        words: what is said, once it is done.
    """

    def __init__(self, strip: Any) -> None:
        super().__init__(f"Words of '{strip.name}'")
        self._folder: Path = job_folder.resolve(strips.dubbed_job(strip))
        self._asked: EachPerson
        self.words: list[Word] = []

    def start(self) -> Task:
        self._asked = EachPerson(self.title, self._folder, "words")
        return self._asked.ask()

    def follow(self, result: dict[str, Any]) -> Task | None:
        return self._asked.take(result)

    def finish(self, _result: dict[str, Any]) -> str:
        self.words = words.read(self._folder, self._asked.answers)
        missed = sum(bool(word.missed) for word in self.words)
        many = f"{len(self.words)} word{'' if len(self.words) == 1 else 's'}"
        return f"{many}; lips stay open in {missed}." if missed else f"{many}."

    def end(self, state: str, text: str) -> None:
        failure = self.task.failure if self.task else None
        if failure is not None and _EXTRA in failure.hint and _made_by_install():
            text = f"{failure.message} {_WAY}"
        super().end(state, text)


class ShowWords(HearWords):
    """Hears them, and marks them on the timeline."""

    def finish(self, result: dict[str, Any]) -> str:
        told = super().finish(result)
        words.note(self._folder, self.words)
        return told


def _made_by_install() -> bool:
    """Whether the worker's Python is not one of the user's own."""
    _origin, python = preferences.find_python()
    return python.is_relative_to(preferences.own_runtime())
