"""The animated face to a file that other programs read."""

from __future__ import annotations

from pathlib import Path

import bpy
from bpy.props import BoolProperty, StringProperty

from .. import api
from ..errors import UserError
from ..head import mesh_export, rig


class GSMOOTH_OT_export_mesh(bpy.types.Operator):
    """Write the animated face, with its camera, as USD (shape keys stay) or Alembic"""

    bl_idname = "gsmooth.export_mesh"
    bl_label = "Export Mesh"

    filepath: StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})
    filter_glob: StringProperty(default="*.usdc;*.usda;*.usd;*.usdz;*.abc", options={"HIDDEN"})
    check_existing: BoolProperty(default=True, options={"HIDDEN"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        reason = ""
        if not rig.is_head(getattr(context, "object", None)):
            reason = "Select a head made by Face Mesh."
        elif not mesh_export.formats():
            reason = "This Blender was built without USD and Alembic."
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file; Blender's file browser calls `execute` then."""
        ending = mesh_export.formats()[0]
        self.filepath = f"{bpy.path.clean_name(context.object.name)}{ending}"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write it."""
        path = Path(bpy.path.abspath(self.filepath))
        try:
            api.export_mesh(context.object, path)
        except UserError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, f"'{path.name}' holds the animated face and its camera.")
        return {"FINISHED"}


CLASSES = (GSMOOTH_OT_export_mesh,)
