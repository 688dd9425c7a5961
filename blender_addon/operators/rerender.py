"""Make the clip again from edited curves."""

from __future__ import annotations

import bpy

from .. import api
from ..head import rig
from ..jobs.job import Job
from ..storage import job_folder
from ..timeline import strips
from .worker_operator import WorkerOperator


def edited_head(context: bpy.types.Context) -> bpy.types.Object | None:
    """The head whose curves are meant: in a 3D view the active object, else that of the strip.

    Scripts, which have no area, mean the strip before the object, too.
    """
    chosen = getattr(context, "object", None)
    active_head = chosen if rig.is_head(chosen) else None
    area = context.area.type if context.area is not None else ""
    if area == "VIEW_3D":
        return active_head
    noted = strips.dubbed_job(strips.meant_strip(strips.sequencer_scene(context)))
    if noted:
        heads = list(rig.heads_of_dub(job_folder.resolve(noted)))
        return active_head if active_head in heads else next(iter(heads), None)
    return None if area == "SEQUENCE_EDITOR" else active_head


class GSMOOTH_OT_rerender_strip(WorkerOperator, bpy.types.Operator):
    """Make the dubbed clip again with the shape key curves of its mesh as they are now"""

    bl_idname = "gsmooth.rerender_strip"
    bl_label = "Re-render"
    bl_options = {"REGISTER", "UNDO"}
    title = "Re-render"

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        if edited_head(context) is not None:
            return ""
        if not strips.dubbed_job(strips.meant_strip(strips.sequencer_scene(context))):
            return "Select a dubbed strip that has a Face Mesh."
        return "Make a Face Mesh of the strip first: its curves are what you edit."

    def job(self, context: bpy.types.Context) -> Job:
        return api.rerender(edited_head(context))


CLASSES = (GSMOOTH_OT_rerender_strip,)
