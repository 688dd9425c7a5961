"""Open the add-on's preferences."""

from __future__ import annotations

from typing import Any

import bpy

from .. import preferences


class GSMOOTH_OT_show_preferences(bpy.types.Operator):
    """Open GSmooth's preferences, where the worker's Python is chosen or installed"""

    bl_idname = "gsmooth.show_preferences"
    bl_label = "Open Preferences"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        preferences.look_again()
        if bpy.app.background:
            return {"CANCELLED"}
        shown: Any = bpy.ops.preferences.addon_show(module=preferences.__package__)
        return set(shown)


class GSMOOTH_OT_show_online_access(bpy.types.Operator):
    """Open the page of the preferences on which Blender is allowed to use the network"""

    bl_idname = "gsmooth.show_online_access"
    bl_label = "Allow Online Access"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        if bpy.app.background:
            return {"CANCELLED"}
        shown: Any = bpy.ops.screen.userpref_show(section="SYSTEM")
        return set(shown)


CLASSES = (GSMOOTH_OT_show_preferences, GSMOOTH_OT_show_online_access)
