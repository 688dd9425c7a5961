"""A question to the worker about all people whom a job dubs, one after another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..storage import job_folder
from ..worker.task import Task
from .job import worker_task


class EachPerson:
    """Asks about each of them.

    Args:
        title: what is going on, for people.
        folder: the job's.
        command: of the worker, that takes a job and one of its faces.

    Attributes:
        answers: the worker's by the numbers of the people; 0 for one alone.
    """

    def __init__(self, title: str, folder: Path, command: str) -> None:
        self._title, self._folder, self._command = title, folder, command
        self._people = job_folder.people(folder) or [0]
        self.answers: dict[int, dict[str, Any]] = {}

    def ask(self) -> Task:
        """The request about the next one.

        Raises:
            UserError: the worker cannot be asked.
        """
        number = self._people[len(self.answers)]
        face = {"face": str(number)} if number else {}
        title = f"{self._title}, person {number}" if number else self._title
        return worker_task(title, self._command, job=str(self._folder), **face)

    def take(self, answer: dict[str, Any]) -> Task | None:
        """Take an answer in; the next request, or None where that was the last."""
        self.answers[self._people[len(self.answers)]] = answer
        return self.ask() if len(self.answers) < len(self._people) else None
