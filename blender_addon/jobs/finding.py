"""Who is seen in a strip."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .. import preferences
from ..review import people
from ..storage import job_folder
from ..storage.checks import COUNT, FILE, FLAG, number, optional, record, rows, whole
from ..timeline import planning
from ..timeline.plan import Plan
from ..timeline.selection import Selection
from ..timeline.speeches import MOST
from ..worker.answers import check_answer
from ..worker.task import Task
from .job import worker_task
from .planned import PlannedJob

_PERSON = {
    "number": whole(1, 1_000_000),
    "frames": COUNT,
    "width": number(0.0, 1e6),
    "speaker": optional(FLAG),
    "thumbnail": optional(FILE),
}
ANSWER = {"people": rows(record(_PERSON, "a person"), "a list of people")}


class FindPeople(PlannedJob):
    """Looks who is seen in a strip.

    Attributes:
        people: who was found, once it is done.
    """

    def __init__(self, picture: Any) -> None:
        super().__init__(f"Find people in '{picture.name}'")
        self.people: tuple[people.Person, ...] = ()
        self._frames = people.frames_of(picture)
        self._picture = picture

    def _make_plan(self) -> Plan:
        return planning.make_plan(self._picture.id_data, Selection(self._picture, None))

    def _ask(self) -> Task:
        job = planning.job_of(self._plan, {})
        # A folder beside those of dubs: whatever the settings, the same strip makes the same job.
        parent = preferences.jobs_folder() / "people"
        folder = job_folder.make(parent, job, asdict(self._plan))
        return worker_task(self.title, "faces", job=str(folder))

    def finish(self, result: dict[str, Any]) -> str:
        check_answer(result, ANSWER)
        self.people = tuple(_person(t) for t in result["people"] if t["number"] <= MOST)
        people.note(self._frames, self.people)
        if len(self.people) == 1:
            return "One person is seen."
        return f"{len(self.people)} people are seen."


def _person(told: dict[str, Any]) -> people.Person:
    text = f"Person {told['number']}: {told['frames']} frames, {told['width']:.0f} pixels wide"
    text += ", speaks in the clip's own sound" if told.get("speaker") else ""
    return people.Person(told["number"], told["thumbnail"] or "", text)
