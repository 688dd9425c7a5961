"""The check of a dub as a viewer would judge it; of several people each one by themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..review import quality
from ..storage import job_folder
from ..timeline import strips
from ..worker.task import Task
from .each_person import EachPerson
from .job import Job


class Judge(EachPerson):
    """Asks about all people whom a job dubs, one after another.

    Args:
        title: what is going on, for people.
        folder: the job's.
    """

    def __init__(self, title: str, folder: Path) -> None:
        super().__init__(title, folder, "report")

    def note(self) -> str:
        """Keep what was found with the job's strips; returns the verdict.

        Raises:
            UserError: the answers hold something else.
        """
        return quality.note(self._folder, self.answers)


class Report(Job):
    """Judges a dub; the job's folder, or each person's in it, then holds a page."""

    def __init__(self, strip: Any) -> None:
        super().__init__(f"Check '{strip.name}'")
        self._folder = job_folder.resolve(strips.dubbed_job(strip))
        self._judge: Judge

    def start(self) -> Task:
        self._judge = Judge(self.title, self._folder)
        return self._judge.ask()

    def follow(self, result: dict[str, Any]) -> Task | None:
        return self._judge.take(result)

    def finish(self, _result: dict[str, Any]) -> str:
        return self._judge.note()
