"""Stop the running job."""

from __future__ import annotations

import bpy

from ..worker import runtime


class GSMOOTH_OT_cancel(bpy.types.Operator):
    """Stop the running job; what is finished is kept, and the same job goes on from there later"""

    bl_idname = "gsmooth.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        if runtime.active() is None:
            cls.poll_message_set("No job is running.")
        return runtime.active() is not None

    def execute(self, _context: bpy.types.Context) -> set[str]:
        task = runtime.active()
        if task is not None:
            task.cancel()
        return {"FINISHED"}


CLASSES = (GSMOOTH_OT_cancel,)
