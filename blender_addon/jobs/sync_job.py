"""Measuring whether the sound fits the lips of a movie strip, and moving it if it does not."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import bpy

from .. import preferences
from ..errors import UserError
from ..review import sync_check
from ..settings.options import options_of
from ..storage import job_folder
from ..storage.checks import FLAG, TEXT, number
from ..timeline import planning, strips
from ..timeline.plan import Plan
from ..timeline.selection import Selection
from ..worker.answers import check_answer
from ..worker.task import Task
from .job import worker_task
from .planned import PlannedJob

OFFSET = number(-3600.0, 3600.0)
_ANSWER = {"text": TEXT, "sure": FLAG}


class CheckSync(PlannedJob):
    """Measures how late the sound is for the lips, and moves it where that is wanted and sure."""

    def __init__(self, chosen: Selection, move: bool) -> None:
        super().__init__("Check sync")
        self._chosen, self._move = chosen, move

    def _make_plan(self) -> Plan:
        plan = planning.make_plan(self._chosen.picture.id_data, self._chosen)
        if plan.rendered:
            raise UserError("The clip plays at an adjusted rate: only a plain one can be checked.")
        return plan

    def _ask(self) -> Task:
        settings = options_of(bpy.data.scenes[self._plan.scene]).settings
        job = sync_check.job_of(self._plan, settings)
        # A folder beside those of dubs: the same strips make the same job there.
        folder = job_folder.make(preferences.jobs_folder() / "sync", job, asdict(self._plan))
        return worker_task(self.title, "sync", job=str(folder))

    def finish(self, result: dict[str, Any]) -> str:
        check_answer(result, _ANSWER)
        if result["sure"]:
            check_answer(result, {"offset_seconds": OFFSET})
        scene = bpy.data.scenes.get(self._plan.scene)
        strip = strips.find(scene, self._plan.picture)
        if strip is None:
            raise UserError(f"The strip '{self._plan.picture}' is gone. {result['text']}")
        sync_check.note(strip, result, self._plan.speech)
        if self._move and not sync_check.obstacle(scene, strip):
            return f"{result['text']} {sync_check.move_sound(scene, strip)}"
        return str(result["text"])
