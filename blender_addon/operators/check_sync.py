"""Measure whether the sound fits the lips of a movie strip, and move it if it does not."""

import bpy
from bpy.props import BoolProperty

from .. import api
from ..jobs.job import Job
from ..jobs.sync_job import OFFSET
from ..review import sync_check
from ..timeline import strips
from .worker_operator import WorkerOperator


class GSMOOTH_OT_check_sync(WorkerOperator, bpy.types.Operator):
    """Measure how late or early the sound is for the lips of the selected movie strip"""

    bl_idname = "gsmooth.check_sync"
    bl_label = "Check Sync"
    bl_options = {"REGISTER", "UNDO"}
    title = "Check sync"

    move: BoolProperty(
        name="Move Sound",
        description="Move the sound strip to where it fits, when the measurement is sure",
        default=False,
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        return sync_check.why_not(strips.sequencer_scene(context))

    def job(self, context: bpy.types.Context) -> Job:
        chosen = sync_check.choose(strips.sequencer_scene(context))
        return api.check_sync(chosen.picture, chosen.speech, move=self.move)


def _why_not_moved(scene: bpy.types.Scene) -> str:
    """Why the sound cannot be moved; what is noted on a strip may be a stranger's."""
    strip = sync_check.checked(scene)
    if strip is not None and not OFFSET.fits(strip.get(sync_check.SECONDS, 0.0)):
        return f"What was measured of '{strip.name}' cannot be read any more: check it again."
    return sync_check.why_not_moved(scene)


class GSMOOTH_OT_move_sound(bpy.types.Operator):
    """Move the sound strip by the offset that was measured, so that it fits the lips"""

    bl_idname = "gsmooth.move_sound"
    bl_label = "Move Sound"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        reason = _why_not_moved(strips.sequencer_scene(context))
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Move it."""
        scene = strips.sequencer_scene(context)
        self.report({"INFO"}, sync_check.move_sound(scene, sync_check.checked(scene)))
        return {"FINISHED"}


CLASSES = (GSMOOTH_OT_check_sync, GSMOOTH_OT_move_sound)
