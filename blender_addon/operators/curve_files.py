"""Curves of the head to a file and back: Live Link Face's tables (.csv) and GSmooth's .json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from ..errors import UserError
from ..head import rig, shape_keys
from ..jobs.job import worker_task
from ..storage import files, job_folder
from ..storage.checks import FILE, TEXT, check, number, rows
from ..worker.answers import check_answer
from ..worker.task import Task
from .worker_operator import WorkerOperator

_FORMATS = (".csv", ".json")
_LARGEST = 1 << 29  # bytes of curves
_ROW = rows(number(-1e4, 1e4), "a list of numbers")
_CURVES = {"names": rows(TEXT, "a list of names"), "values": rows(_ROW, "rows of numbers")}


def _between() -> Path:
    """The curves as the worker and Blender pass them to each other."""
    return Path(bpy.app.tempdir) / "gsmooth_curves.json"


def _read() -> dict[str, Any]:
    """What the worker wrote.

    Raises:
        UserError: it holds no curves.
    """
    try:
        content = files.read_object(_between(), _LARGEST)
    except files.UNREADABLE as error:
        raise UserError(f"The curves cannot be read: {files.reason(error)}.") from error
    check(content, _CURVES, "the worker's curves", "update GSmooth.")
    return content


class _CurveFile(WorkerOperator):
    """What both have in common: a head, and a file that the user names."""

    filepath: StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})
    filter_glob: StringProperty(default="*.csv;*.json", options={"HIDDEN"})

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        if rig.is_head(getattr(context, "object", None)):
            return ""
        return "Select a head made by Face Mesh."

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the file; Blender's file browser calls `execute` then."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def cancel(self, _context: bpy.types.Context) -> None:
        """The file browser was closed; nothing runs."""

    def _path(self) -> Path:
        path = Path(bpy.path.abspath(self.filepath))
        if path.suffix.lower() not in _FORMATS:
            raise UserError(f"'{path.name}' is no name for curves: end it in .csv or .json.")
        return path


class GSMOOTH_OT_export_curves(_CurveFile, bpy.types.Operator):
    """Write the head's curves as they are now: .csv for Unreal and other rigs, or .json"""

    bl_idname = "gsmooth.export_curves"
    bl_label = "Export Curves"
    title = "Export curves"
    check_existing: BoolProperty(default=True, options={"HIDDEN"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.filepath = f"{bpy.path.clean_name(context.object.name)}.csv"
        return super().invoke(context, event)

    def start(self, context: bpy.types.Context) -> Task:
        head, path = context.object, self._path()
        note = rig.noted_job(head)
        values = shape_keys.read_curves(head, note.first, note.count)
        names = shape_keys.key_names(head)
        job_folder.write_curve_file(_between(), names, values, note.rate)
        return worker_task(self.title, "curves", curves=str(_between()), output=str(path))

    def finish(self, _context: bpy.types.Context, result: dict[str, Any]) -> str:
        check_answer(result, {"expression": FILE})
        return f"'{Path(result['expression']).name}' holds the curves."


class GSMOOTH_OT_import_curves(_CurveFile, bpy.types.Operator):
    """Give the head the curves of a file: a recording of Live Link Face (.csv), or .json"""

    bl_idname = "gsmooth.import_curves"
    bl_label = "Import Curves"
    bl_options = {"REGISTER", "UNDO"}
    title = "Import curves"

    def start(self, context: bpy.types.Context) -> Task:
        note = rig.noted_job(context.object)
        self._head = context.object.name
        paths = {"curves": str(self._path()), "output": str(_between())}
        return worker_task(self.title, "curves", **paths, fps=note.rate)

    def finish(self, _context: bpy.types.Context, _result: dict[str, Any]) -> str:
        head = bpy.data.objects.get(self._head)
        if not rig.is_head(head):
            raise UserError(f"'{self._head}' is gone: make the mesh again.")
        note, content = rig.noted_job(head), _read()
        columns = {
            name: [row[at] for row in content["values"][: note.count]]
            for at, name in enumerate(content["names"])
        }
        given = shape_keys.give_curves(head, note.first, columns)
        return f"'{head.name}' has {given} curves of the file now: look, then Re-render."


CLASSES = (GSMOOTH_OT_export_curves, GSMOOTH_OT_import_curves)
