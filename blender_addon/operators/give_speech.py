"""Give one of several people a speech of their own."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import EnumProperty, IntProperty

from ..errors import UserError
from ..timeline import selection, speeches, strips

_NOBODY = ("-", "No Speech of Their Own", "This person stays as in the clip")
_items: list[tuple[str, str, str]] = []  # Blender reads them after the call


def _picture(context: bpy.types.Context) -> Any:
    try:
        return selection.select(strips.sequencer_scene(context), need_speech=False).picture
    except UserError:
        return None


def _choices(_self: Any, context: bpy.types.Context | None) -> list[tuple[str, str, str]]:
    """The sound strips over the selected clip."""
    picture = _picture(context) if context is not None else None
    names = [strip.name for strip in speeches.sounds(picture)] if picture is not None else []
    _items[:] = [_NOBODY, *((f"+{name}", name, "") for name in sorted(names))]
    return _items


class GSMOOTH_OT_give_speech(bpy.types.Operator):
    """Have this person say the words of a sound strip; several people are dubbed at once"""

    bl_idname = "gsmooth.give_speech"
    bl_label = "Give Speech"
    bl_options = {"REGISTER", "UNDO"}

    person: IntProperty(
        name="Person", min=1, max=speeches.MOST, default=1, options={"HIDDEN", "SKIP_SAVE"}
    )
    sound: EnumProperty(name="Speech", items=_choices)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if _picture(context) is None:
            cls.poll_message_set("Select the clip that shows these people.")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Note it with the clip."""
        sound = strips.find(strips.sequencer_scene(context), self.sound[1:])
        speeches.give(_picture(context), self.person, sound if self.sound[0] == "+" else None)
        return {"FINISHED"}


CLASSES = (GSMOOTH_OT_give_speech,)
