"""Show which word a mouth belongs to, and take that away again."""

from __future__ import annotations

import bpy

from .. import api
from ..jobs.job import Job
from ..review import words
from ..storage import job_folder
from ..timeline import strips
from .worker_operator import WorkerOperator


class GSMOOTH_OT_show_words(WorkerOperator, bpy.types.Operator):
    """Mark the words of the dubbed strip, and p, b and m with open lips; once more: take away"""

    bl_idname = "gsmooth.show_words"
    bl_label = "Show Words"
    bl_options = {"REGISTER", "UNDO"}
    title = "Words"

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        strip = strips.meant_strip(strips.sequencer_scene(context))
        return "" if strips.dubbed_job(strip) else "Select a dubbed strip."

    def ready(self, context: bpy.types.Context) -> str:
        strip = strips.meant_strip(strips.sequencer_scene(context))
        if not words.are_shown(strip):
            return ""
        words.take_away(job_folder.resolve(strips.dubbed_job(strip)))
        return "The words are no more shown."

    def job(self, context: bpy.types.Context) -> Job:
        return api.show_words(strips.meant_strip(strips.sequencer_scene(context)))


CLASSES = (GSMOOTH_OT_show_words,)
