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


CLASSES = (GSMOOTH_OT_show_preferences,)
