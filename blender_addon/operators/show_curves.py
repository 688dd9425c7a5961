"""Look at what the face was filmed doing, and back at what is dubbed."""

from __future__ import annotations

import bpy
from bpy.props import EnumProperty

from ..head import curve_sets, rig


class GSMOOTH_OT_show_curves(bpy.types.Operator):
    """Show what is dubbed, which you edit, or what was filmed, to compare; no edit is lost"""

    bl_idname = "gsmooth.show_curves"
    bl_label = "Show Curves"
    bl_options = {"REGISTER", "UNDO"}

    which: EnumProperty(
        name="Curves",
        items=(
            ("dubbed", "Dubbed", "The curves that are edited and that Re-render takes"),
            ("filmed", "As Filmed", "What the actor did in the clip; these cannot be edited"),
        ),
        default="dubbed",
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        body = getattr(context, "object", None)
        if not rig.is_head(body):
            cls.poll_message_set("Select a head made by Face Mesh.")
        elif not curve_sets.has_filmed(body):
            cls.poll_message_set("This head does not know what was filmed: make it again.")
        return rig.is_head(body) and curve_sets.has_filmed(body)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Show them."""
        show = curve_sets.show_filmed if self.which == "filmed" else curve_sets.show_dubbed
        show(context.object)
        return {"FINISHED"}


CLASSES = (GSMOOTH_OT_show_curves,)
