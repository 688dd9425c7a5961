"""The queue's buttons."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import EnumProperty, IntProperty

from .. import api
from ..errors import UserError
from ..jobs import job_queue
from ..jobs.job import Job
from ..timeline import selection, strips
from .worker_operator import WorkerOperator

_ACTIONS = {
    "UP": ("Earlier", lambda index: job_queue.move(index, -1)),
    "DOWN": ("Later", lambda index: job_queue.move(index, 1)),
    "REMOVE": ("Remove", job_queue.remove),
    "AGAIN": ("Once More", job_queue.again),
}


class GSMOOTH_OT_add_to_queue(bpy.types.Operator):
    """Put the selected clips into the queue, each with the selected speech that lies over it"""

    bl_idname = "gsmooth.add_to_queue"
    bl_label = "Add to Queue"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        try:
            selection.pairs(strips.sequencer_scene(context))
        except UserError as error:
            cls.poll_message_set(str(error))
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Add them."""
        found = selection.pairs(strips.sequencer_scene(context))
        for chosen in found:
            api.add_to_queue(chosen.picture, chosen.said)
        self.report({"INFO"}, f"{len(found)} in the queue now: Start Queue dubs them.")
        return {"FINISHED"}


class GSMOOTH_OT_run_queue(WorkerOperator, bpy.types.Operator):
    """Dub what waits in the queue, one after another; one that fails stops no other"""

    bl_idname = "gsmooth.run_queue"
    bl_label = "Start Queue"
    title = "Queue"

    @classmethod
    def why_not(cls, _context: bpy.types.Context) -> str:
        return "" if job_queue.waiting() else "Nothing waits in the queue: add clips to it."

    def job(self, _context: bpy.types.Context) -> Job:
        return job_queue.Run()


class GSMOOTH_OT_pause_queue(bpy.types.Operator):
    """Stop here; Start Queue goes on from this very frame"""

    bl_idname = "gsmooth.pause_queue"
    bl_label = "Pause Queue"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        if job_queue.running() is None:
            cls.poll_message_set("The queue does not run.")
        return job_queue.running() is not None

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Pause it."""
        run = job_queue.running()
        if run is not None:
            run.pause()
        return {"FINISHED"}


class GSMOOTH_OT_queue_entry(bpy.types.Operator):
    """Change this entry of the queue"""

    bl_idname = "gsmooth.queue_entry"
    bl_label = "Change Queue"

    index: IntProperty(options={"HIDDEN", "SKIP_SAVE"})
    action: EnumProperty(
        items=[(key, name, "") for key, (name, _act) in _ACTIONS.items()],
        options={"HIDDEN", "SKIP_SAVE"},
    )

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: Any) -> str:
        """What this button does."""
        return _ACTIONS[properties.action][0]

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Change it."""
        _ACTIONS[self.action][1](self.index)
        return {"FINISHED"}


class GSMOOTH_OT_clear_queue(bpy.types.Operator):
    """Take what is done out of the list"""

    bl_idname = "gsmooth.clear_queue"
    bl_label = "Clear Done"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        done = any(entry.state == "done" for entry in job_queue.entries())
        if not done:
            cls.poll_message_set("Nothing in the queue is done.")
        return done

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Clear it."""
        job_queue.clear()
        return {"FINISHED"}


CLASSES = (
    GSMOOTH_OT_add_to_queue,
    GSMOOTH_OT_run_queue,
    GSMOOTH_OT_pause_queue,
    GSMOOTH_OT_queue_entry,
    GSMOOTH_OT_clear_queue,
)
