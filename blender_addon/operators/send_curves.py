"""Give the head's curves to other characters."""

from __future__ import annotations

import bpy

from ..errors import UserError
from ..head import retarget, rig, shape_keys


def _targets(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The other selected meshes with shape keys."""
    head = getattr(context, "object", None)
    chosen = getattr(context, "selected_objects", None) or []
    return [body for body in chosen if body != head and retarget.has_keys(body)]


class GSMOOTH_OT_send_curves(bpy.types.Operator):
    """Give the head's curves to the other selected meshes, by the names of their shape keys"""

    bl_idname = "gsmooth.send_curves"
    bl_label = "Send Curves to Rig"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        fits = rig.is_head(getattr(context, "object", None)) and bool(_targets(context))
        if not fits:
            cls.poll_message_set(
                "Select a character's mesh with ARKit shape keys, then the GSmooth head last."
            )
        return fits

    def execute(self, context: bpy.types.Context) -> set[str]:
        head = context.object
        try:
            note = rig.noted_job(head)
            rows = shape_keys.read_curves(head, note.first, note.count)
            names = shape_keys.key_names(head)
            columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
            sent = [retarget.send(columns, note.first, body) for body in _targets(context)]
        except UserError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        for found in sent:
            level = "WARNING" if found.lacks or found.driven else "INFO"
            self.report({level}, f"{found.words()}.")
        return {"FINISHED"}


CLASSES = (GSMOOTH_OT_send_curves,)
