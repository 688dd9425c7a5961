"""Look at the head through its clip's camera."""

from __future__ import annotations

import bpy

from ..head import rig


class GSMOOTH_OT_view_face(bpy.types.Operator):
    """Look through the clip's camera, so that the mesh lies on the picture (this view only)"""

    bl_idname = "gsmooth.view_face"
    bl_label = "View on the Picture"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        area, body = context.area, getattr(context, "object", None)
        fits = area is not None and area.type == "VIEW_3D" and rig.is_head(body)
        if not fits:
            cls.poll_message_set("Select a head made by Face Mesh in a 3D view.")
        return fits

    def execute(self, context: bpy.types.Context) -> set[str]:
        camera = rig.camera_of(context.object)
        if camera is None:
            self.report({"ERROR"}, "The clip's camera is gone: make the mesh again.")
            return {"CANCELLED"}
        # The scene's own camera stays what it is.
        view = context.space_data
        view.use_local_camera, view.camera = True, camera
        view.region_3d.view_perspective = "CAMERA"
        if view.shading.type == "SOLID":
            view.shading.color_type = "TEXTURE"
        return {"FINISHED"}


CLASSES = (GSMOOTH_OT_view_face,)
