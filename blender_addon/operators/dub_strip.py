"""Dub the selected strip."""

import bpy
from bpy.props import BoolProperty

from .. import api
from ..jobs import job_queue
from ..jobs.job import Job
from ..timeline import selection, strips
from .worker_operator import WorkerOperator


class GSMOOTH_OT_dub_strip(WorkerOperator, bpy.types.Operator):
    """Make the person in the selected clip say the words of the selected sound strip"""

    bl_idname = "gsmooth.dub_strip"
    bl_label = "Dub Strip"
    bl_options = {"REGISTER", "UNDO"}
    title = "Dub"

    replace: BoolProperty(
        name="Replace Strip",
        description="Remove the old strip instead of muting it on another channel",
        default=False,
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        return selection.why_not(strips.sequencer_scene(context))

    def job(self, context: bpy.types.Context) -> Job:
        chosen = selection.select(strips.sequencer_scene(context))
        return job_queue.watch(api.dub(chosen.picture, chosen.said, replace=self.replace))


CLASSES = (GSMOOTH_OT_dub_strip,)
