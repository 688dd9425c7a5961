"""The panel about whether the sound fits the lips."""

from __future__ import annotations

import bpy

from ..review import sync_check
from ..timeline import strips
from .layouts import SequencerPanel, wrapped


class GSMOOTH_PT_sync(SequencerPanel, bpy.types.Panel):
    """Whether the sound fits the lips."""

    bl_label = "Lip Sync"

    def draw(self, context: bpy.types.Context) -> None:
        layout, scene = self.layout, strips.sequencer_scene(context)
        layout.operator("gsmooth.check_sync", icon="SPEAKER")
        strip = sync_check.checked(scene)
        if strip is not None:
            sure = sync_check.SECONDS in strip
            box = layout.box()
            box.label(text=strip.name, icon="CHECKMARK" if sure else "QUESTION")
            wrapped(box, str(strip[sync_check.INFO]))
            box.operator("gsmooth.move_sound", icon="TRIA_LEFT_BAR")


CLASSES = (GSMOOTH_PT_sync,)
