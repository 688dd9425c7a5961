"""Make the clip again from edited curves."""

from __future__ import annotations

from typing import Any

import bpy

from .. import job_folder, rig, shape_keys, strips
from ..plan import Plan
from ..task import Task
from .dub_strip import longer, read_answer
from .worker_operator import WorkerOperator, worker_task


def edited_head(context: bpy.types.Context) -> bpy.types.Object | None:
    """The head whose curves are meant: the active object in a 3D view, else the strip's."""
    chosen = getattr(context, "object", None)
    in_sequencer = context.area is not None and context.area.type == "SEQUENCE_EDITOR"
    if rig.is_head(chosen) and not in_sequencer:
        return chosen
    noted = strips.dubbed_job(strips.active_strip(strips.sequencer_scene(context)))
    if not noted:
        return chosen if rig.is_head(chosen) else None
    heads = list(rig.heads(job_folder.resolve(noted)))
    return chosen if chosen in heads else next(iter(heads), None)


class GSMOOTH_OT_rerender_strip(WorkerOperator, bpy.types.Operator):
    """Make the dubbed clip again with the shape key curves of its mesh as they are now"""

    bl_idname = "gsmooth.rerender_strip"
    bl_label = "Re-render"
    bl_options = {"REGISTER", "UNDO"}
    title = "Re-render"

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        if edited_head(context) is None:
            return "Make a Face Mesh of the strip first: its curves are what you edit."
        return ""

    def start(self, context: bpy.types.Context) -> Task:
        head = edited_head(context)
        note = rig.noted_job(head)
        self._folder = note.folder
        names = shape_keys.key_names(head)
        values = shape_keys.read_curves(head, note.first, note.count)
        job_folder.write_curves(self._folder, names, values, note.rate)
        return worker_task(self.title, "dub", job=str(self._folder))

    def finish(self, context: bpy.types.Context, result: dict[str, Any]) -> str:
        output, about = read_answer(result)
        shown = list(strips.showing(self._folder))
        for strip in shown:
            strips.show(strip, output, f"{about}, edited")
        if not shown:
            plan = Plan.from_dict(job_folder.read_plan(self._folder))
            shown = [strips.place(plan, output, self._folder, about, False, longer(result))]
        return f"'{shown[0].name}' shows your curves now."


CLASSES = (GSMOOTH_OT_rerender_strip,)
