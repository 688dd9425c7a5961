"""Look who is seen in the selected clip, and choose one of them."""

from typing import Any

import bpy
from bpy.props import IntProperty

from .. import api
from ..jobs.job import Job
from ..review import people
from ..timeline import selection, strips
from ..timeline.speeches import MOST
from .worker_operator import WorkerOperator


class GSMOOTH_OT_find_people(WorkerOperator, bpy.types.Operator):
    """Look who is seen in the selected clip; the one to dub is then chosen by a click"""

    bl_idname = "gsmooth.find_people"
    bl_label = "Find People"
    title = "Find people"

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        return selection.why_not(strips.sequencer_scene(context), need_speech=False)

    def job(self, context: bpy.types.Context) -> Job:
        scene = strips.sequencer_scene(context)
        return api.find_people(selection.select(scene, need_speech=False).picture)


class GSMOOTH_OT_choose_person(bpy.types.Operator):
    """Dub this person; once more, and whoever takes up most of the picture"""

    bl_idname = "gsmooth.choose_person"
    bl_label = "Choose Person"
    bl_options = {"REGISTER", "UNDO"}

    person: IntProperty(name="Person", min=0, max=MOST, options={"HIDDEN", "SKIP_SAVE"})

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
