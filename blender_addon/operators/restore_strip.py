"""Take a dub away again."""

from __future__ import annotations

import bpy

from .. import api
from ..timeline import stacking, strips
from ..worker import runtime


class GSMOOTH_OT_restore_strip(bpy.types.Operator):
    """Put the strip that was dubbed, and its sound, back in place of the active dubbed strip"""

    bl_idname = "gsmooth.restore_strip"
    bl_label = "Restore Original"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        scene = strips.sequencer_scene(context)
        fits = stacking.original(scene, strips.meant_strip(scene)) is not None
        if not fits:
            cls.poll_message_set("Select a dubbed strip whose original is still there.")
        return fits

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Swap them."""
        scene = strips.sequencer_scene(context)
        runtime.tell(None)
        old = api.restore(strips.meant_strip(scene))
        self.report({"INFO"}, f"'{old.name}' is back.")
        return {"FINISHED"}


CLASSES = (GSMOOTH_OT_restore_strip,)
