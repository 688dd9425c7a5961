"""A dub once more, from the curves of its mesh as they are now."""

from __future__ import annotations

from typing import Any

import bpy

from ..head import curve_sets, photo_curves, rig, shape_keys
from ..review import notices, quality, versions
from ..storage import job_folder
from ..timeline import strips
from ..timeline.plan import Plan
from ..worker.answers import RUNS, longer, read_dub, turned
from ..worker.task import Task
from . import placing
from .job import Job, worker_task


class Rerender(Job):
    """Makes the frames that an edit of a head's curves touches, and shows them in its strips."""

    def __init__(self, head: bpy.types.Object) -> None:
        super().__init__("Re-render")
        self._head = head.name
        self._folder = rig.noted_job(head).folder

    def start(self) -> Task:
        head = bpy.data.objects[self._head]
        curve_sets.show_dubbed(head)
        note = rig.noted_job(head)
        names = shape_keys.key_names(head)
        values = shape_keys.read_curves(head, note.first, note.count)
        if job_folder.read(note.folder).get("animate"):
            pose = photo_curves.read_pose(head, note.first, note.count)
            names += photo_curves.NAMES
            values = [row + more for row, more in zip(values, pose, strict=True)]
        job_folder.write_curves(self._folder, names, values, note.rate)
        self._folder = job_folder.dub_of(self._folder)
        return worker_task(self.title, "dub", job=str(self._folder))

    def finish(self, result: dict[str, Any]) -> str:
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
        for strip in shown:
            notices.note(strip, result)
            quality.note_dub(strip, result)  # what was found of the version before is no more true
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
