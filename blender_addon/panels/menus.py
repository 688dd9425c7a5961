"""All of GSmooth in the menus of the sequencer."""

from __future__ import annotations

import bpy

from ..timeline import strips
from .dub_panel import dub_button


class GSMOOTH_MT_strip(bpy.types.Menu):
    """All of GSmooth for the strips that are selected."""

    bl_label = "GSmooth"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        dub_button(layout, strips.sequencer_scene(context))
        layout.operator("gsmooth.preview", icon="HIDE_OFF")
        layout.operator("gsmooth.add_to_queue", icon="ADD")
        layout.operator("gsmooth.preview_mesh", icon="MESH_MONKEY")
        layout.operator("gsmooth.rerender_strip", icon="FILE_REFRESH")
        layout.operator("gsmooth.compare_original", icon="MOD_MIRROR")
        layout.operator("gsmooth.check_quality", icon="VIEWZOOM")
        layout.operator("gsmooth.check_sync", icon="SPEAKER")
        layout.operator("gsmooth.move_sound")


def _draw_menu(self: bpy.types.Menu, _context: bpy.types.Context) -> None:
    self.layout.separator()
    self.layout.menu("GSMOOTH_MT_strip")


_MENUS = ("SEQUENCER_MT_strip", "SEQUENCER_MT_context_menu")


def register() -> None:
    """Add the menu entries."""
    for name in _MENUS:
        getattr(bpy.types, name).append(_draw_menu)


def unregister() -> None:
    """Take them away again."""
    for name in _MENUS:
        getattr(bpy.types, name).remove(_draw_menu)


CLASSES = (GSMOOTH_MT_strip,)
