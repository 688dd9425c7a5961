"""Look who is seen in the selected clip, and choose one of them."""

from dataclasses import asdict
from typing import Any

import bpy
from bpy.props import IntProperty

from .. import job_folder, people, planning, preferences, rendering, selection, strips
from ..answers import check_answer
from ..checks import COUNT, FILE, FLAG, number, optional, record, rows, whole
from ..jobs import worker_task
from ..task import Task
from .worker_operator import WorkerOperator

_MOST = 99  # the highest number that a job takes
_PERSON = {
    "number": whole(1, 1_000_000),
    "frames": COUNT,
    "width": number(0.0, 1e6),
    "speaker": optional(FLAG),
    "thumbnail": optional(FILE),
}
_ANSWER = {"people": rows(record(_PERSON, "a person"), "a list of people")}


class GSMOOTH_OT_find_people(WorkerOperator, bpy.types.Operator):
    """Look who is seen in the selected clip; the one to dub is then chosen by a click"""

    bl_idname = "gsmooth.find_people"
    bl_label = "Find People"
    title = "Find people"

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        return selection.why_not(strips.sequencer_scene(context), need_speech=False)

    def start(self, context: bpy.types.Context) -> Task:
        scene = strips.sequencer_scene(context)
        picture = selection.select(scene, need_speech=False).picture
        self._frames = people.frames_of(picture)
        self._plan = planning.make_plan(scene, selection.Selection(picture, None))
        title = f"{self.title} in '{self._plan.picture}'"
        return rendering.next_task(title, self._plan) or self._find()

    def follow(self, context: bpy.types.Context, result: dict[str, Any]) -> Task | None:
        if not rendering.missing(self._plan):
            return None
        self._plan = rendering.with_file(self._plan, result)
        return self._find()

    def _find(self) -> Task:
        job = planning.job_of(self._plan, {})
        # A folder beside those of dubs: whatever the settings, the same strip makes the same job.
        parent = preferences.jobs_folder() / "people"
        folder = job_folder.make(parent, job, asdict(self._plan))
        return worker_task(f"{self.title} in '{self._plan.picture}'", "faces", job=str(folder))

    def finish(self, context: bpy.types.Context, result: dict[str, Any]) -> str:
        check_answer(result, _ANSWER)
        found = [_person(told) for told in result["people"] if told["number"] <= _MOST]
        people.note(self._frames, found)
        if len(found) == 1:
            return "One person is seen."
        return f"{len(found)} people are seen: click on the one to dub."


def _person(told: dict[str, Any]) -> people.Person:
    text = f"Person {told['number']}: {told['frames']} frames, {told['width']:.0f} pixels wide"
    text += ", speaks in the clip's own sound" if told.get("speaker") else ""
    return people.Person(told["number"], told["thumbnail"] or "", text)


class GSMOOTH_OT_choose_person(bpy.types.Operator):
    """Dub this person; once more, and whoever takes up most of the picture"""

    bl_idname = "gsmooth.choose_person"
    bl_label = "Choose Person"
    bl_options = {"REGISTER", "UNDO"}

    person: IntProperty(name="Person", min=0, max=_MOST, options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: Any) -> str:
        """The tooltip, with what is known of the person."""
        known = people.about(properties.person)
        return "\n".join([known, str(cls.__doc__)] if known else [str(cls.__doc__)])

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Choose them."""
        settings = strips.sequencer_scene(context).gsmooth
        settings.person = 0 if settings.person == self.person else self.person
        return {"FINISHED"}


CLASSES = (GSMOOTH_OT_find_people, GSMOOTH_OT_choose_person)
