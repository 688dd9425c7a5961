"""Make the clip again from edited curves."""

from __future__ import annotations

from typing import Any

import bpy

from .. import job_folder, photo_curves, placing, rig, shape_keys, strips, versions
from ..answers import RUNS, longer, read_dub, turned
from ..jobs import worker_task
from ..plan import Plan
from ..task import Task
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
        heads = list(rig.heads(job_folder.resolve(noted)))
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

    def start(self, context: bpy.types.Context) -> Task:
        head = edited_head(context)
        note = rig.noted_job(head)
        self._folder = note.folder
        names = shape_keys.key_names(head)
        values = shape_keys.read_curves(head, note.first, note.count)
        if job_folder.read(note.folder).get("animate"):
            pose = photo_curves.read_pose(head, note.first, note.count)
            names += photo_curves.NAMES
            values = [row + more for row, more in zip(values, pose, strict=True)]
        job_folder.write_curves(self._folder, names, values, note.rate)
        return worker_task(self.title, "dub", job=str(self._folder))

    def finish(self, context: bpy.types.Context, result: dict[str, Any]) -> str:
        output, about = read_dub(result)
        versions.forget()
        shown = list(strips.showing(self._folder))
        same = shown and all(strips.source_path(strip) == output for strip in shown)
        if same and result.get("written") is False:
            return "No curve was edited since: nothing was made and nothing written."
        for strip in shown:
            strips.show(strip, output, f"{about}, edited")
        if not shown:
            plan = Plan.from_dict(job_folder.read_plan(self._folder))
            shape = placing.Shape(longer(result), turned(result))
            shown = placing.place(plan, output, self._folder, about, False, shape)
        return f"'{shown[0].name}' shows your curves now{_anew(result)}."


def _anew(result: dict[str, Any]) -> str:
    """How many frames were made anew, as far as the worker says it."""
    counts = []
    for name in ("made_frames", "touched_frames"):
        if not RUNS.fits(result.get(name)):
            return ""
        counts.append(sum(last - first + 1 for first, last in result[name]))
    made, touched = counts
    beside = f", {touched} of them since they lie beside edited ones" if touched else ""
    return f" ({made} of {result['frames']} frames were made{beside})"


CLASSES = (GSMOOTH_OT_rerender_strip,)
