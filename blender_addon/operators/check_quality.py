"""Judge a dub, and look at the page about it."""

from __future__ import annotations

import bpy
from bpy.props import IntProperty

from .. import api
from ..jobs.job import Job
from ..review import quality
from ..timeline import strips
from .worker_operator import WorkerOperator


class GSMOOTH_OT_check_quality(WorkerOperator, bpy.types.Operator):
    """Judge the dubbed strip as a viewer would: lip sync, seams, detail, calm, identity"""

    bl_idname = "gsmooth.check_quality"
    bl_label = "Check Quality"
    bl_options = {"REGISTER", "UNDO"}
    title = "Check"

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        strip = strips.meant_strip(strips.sequencer_scene(context))
        return "" if strips.dubbed_job(strip) else "Select a dubbed strip."

    def job(self, context: bpy.types.Context) -> Job:
        return api.check_quality(strips.meant_strip(strips.sequencer_scene(context)))


class GSMOOTH_OT_open_report(bpy.types.Operator):
    """Open the page about the dubbed strip, with plots and the frames that look worst"""

    bl_idname = "gsmooth.open_report"
    bl_label = "Report"

    person: IntProperty(default=0, options={"HIDDEN", "SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        there = bool(quality.pages(strips.meant_strip(strips.sequencer_scene(context))))
        if not there:
            cls.poll_message_set("Select a dubbed strip, and press Check Quality first.")
        return there

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Open it in the web browser."""
        found = quality.pages(strips.meant_strip(strips.sequencer_scene(context)))
        path = found.get(self.person) or next(iter(found.values()), None)
        if path is None:
            return {"CANCELLED"}
        bpy.ops.wm.url_open(url=path.as_uri())
        return {"FINISHED"}


CLASSES = (GSMOOTH_OT_check_quality, GSMOOTH_OT_open_report)
