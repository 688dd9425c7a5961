"""Measure whether the sound fits the lips of a movie strip, and move it if it does not."""

from dataclasses import asdict
from typing import Any

import bpy
from bpy.props import BoolProperty

from .. import job_folder, planning, preferences, rendering, strips, sync_check
from ..answers import check_answer
from ..checks import FLAG, TEXT, number
from ..errors import UserError
from ..jobs import worker_task
from ..task import Task
from .worker_operator import WorkerOperator

_OFFSET = number(-3600.0, 3600.0)
_ANSWER = {"text": TEXT, "sure": FLAG}


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

    def start(self, context: bpy.types.Context) -> Task:
        scene = strips.sequencer_scene(context)
        self._plan = planning.make_plan(scene, sync_check.choose(scene))
        if self._plan.rendered:
            raise UserError("The clip plays at an adjusted rate: only a plain one can be checked.")
        return rendering.next_task(self.title, self._plan) or self._check()

    def follow(self, context: bpy.types.Context, result: dict[str, Any]) -> Task | None:
        if not rendering.missing(self._plan):
            return None
        self._plan = rendering.with_file(self._plan, result)
        return self._check()

    def _check(self) -> Task:
        settings = bpy.data.scenes[self._plan.scene].gsmooth.for_job()
        job = sync_check.job_of(self._plan, settings)
        # A folder beside those of dubs: the same strips make the same job there.
        folder = job_folder.make(preferences.jobs_folder() / "sync", job, asdict(self._plan))
        return worker_task(self.title, "sync", job=str(folder))

    def finish(self, context: bpy.types.Context, result: dict[str, Any]) -> str:
        check_answer(result, _ANSWER)
        if result["sure"]:
            check_answer(result, {"offset_seconds": _OFFSET})
        scene = bpy.data.scenes.get(self._plan.scene)
        strip = strips.find(scene, self._plan.picture)
        if strip is None:
            raise UserError(f"The strip '{self._plan.picture}' is gone. {result['text']}")
        sync_check.note(strip, result, self._plan.speech)
        if self.move and not sync_check.obstacle(scene, strip):
            return f"{result['text']} {sync_check.move_sound(scene, strip)}"
        return str(result["text"])


def _why_not_moved(scene: bpy.types.Scene) -> str:
    """Why the sound cannot be moved; what is noted on a strip may be a stranger's."""
    strip = sync_check.checked(scene)
    if strip is not None and not _OFFSET.fits(strip.get(sync_check.SECONDS, 0.0)):
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
