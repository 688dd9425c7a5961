"""Ask the worker what works on this machine."""

from __future__ import annotations

from typing import Any

import bpy

from .. import preferences, runtime
from .worker_operator import WorkerOperator, worker_task


class GSMOOTH_OT_check_worker(WorkerOperator, bpy.types.Operator):
    """Start the worker once and show what works on this machine and what is missing"""

    bl_idname = "gsmooth.check_worker"
    bl_label = "Check"
    title = "Check"

    def start(self, _context: bpy.types.Context) -> runtime.Task:
        preferences.look_again()
        return worker_task(self.title, "doctor", preferences.user_folder())

    def finish(self, _context: bpy.types.Context, result: dict[str, Any]) -> str:
        checks = result.get("checks", [])
        lines = [_line(check) for check in checks]
        preferences.note_check(lines)
        failed = sum(not check.get("ok") for check in checks)
        return f"{failed} of {len(checks)} checks failed." if failed else "The worker is ready."


def _line(check: dict[str, Any]) -> str:
    mark = "OK" if check.get("ok") else "Missing"
    words = (check.get("name"), check.get("detail"), "" if check.get("ok") else check.get("hint"))
    return f"{mark}: " + "  ".join(str(word) for word in words if word)


CLASSES = (GSMOOTH_OT_check_worker,)
