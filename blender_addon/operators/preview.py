"""See two seconds of a dub before the whole is made."""

from __future__ import annotations

import bpy

from .. import api
from ..jobs import previewing
from ..jobs.job import Job
from ..timeline import selection, strips
from ..worker import runtime
from .worker_operator import WorkerOperator


class GSMOOTH_OT_preview(WorkerOperator, bpy.types.Operator):
    """Dub the two seconds around the playhead as a draft, laid over the clip"""

    bl_idname = "gsmooth.preview"
    bl_label = "Preview"
    bl_options = {"REGISTER", "UNDO"}
    title = "Preview"

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        scene = strips.sequencer_scene(context)
        reason = selection.why_not(scene)
        if reason:
            return reason
        picture = selection.select(scene).picture
        if strips.left(picture) <= scene.frame_current < strips.right(picture):
            return ""
        return "The playhead is not over the clip: move it there."

    def job(self, context: bpy.types.Context) -> Job:
        scene = strips.sequencer_scene(context)
        chosen = selection.select(scene)
        return api.preview(chosen.picture, chosen.said, frame=scene.frame_current)


class GSMOOTH_OT_discard_preview(bpy.types.Operator):
    """Take the preview away again"""

    bl_idname = "gsmooth.discard_preview"
    bl_label = "Discard Preview"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        there = bool(previewing.of_scene(strips.sequencer_scene(context)))
        if not there:
            cls.poll_message_set("There is no preview.")
        return there

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Take it away."""
        api.discard_preview(strips.sequencer_scene(context))
        runtime.tell(None)  # what is gone need not be announced
        return {"FINISHED"}


CLASSES = (GSMOOTH_OT_preview, GSMOOTH_OT_discard_preview)
