"""Ask the worker what works on this machine."""

from __future__ import annotations

from typing import Any

import bpy

from .. import preferences
from ..jobs.job import worker_task
from ..storage.checks import FLAG, TEXT, optional, record, rows
from ..worker import runtime
from ..worker.answers import check_answer
from ..worker.task import Task
from .worker_operator import WorkerOperator

_CHECK = {"name": TEXT, "ok": FLAG, "detail": TEXT, "hint": optional(TEXT)}
_ANSWER = {"checks": rows(record(_CHECK, "a check"), "a list of checks")}


class GSMOOTH_OT_check_worker(WorkerOperator, bpy.types.Operator):
    """Start the worker once and show what works on this machine and what is missing"""

    bl_idname = "gsmooth.check_worker"
    bl_label = "Check"
    title = "Check"
    about_file = False

    def start(self, _context: bpy.types.Context) -> Task:
        preferences.look_again()
        runtime.stop_worker()  # a new one sees what was installed since
        return worker_task(self.title, "doctor")

    def finish(self, _context: bpy.types.Context, result: dict[str, Any]) -> str:
        check_answer(result, _ANSWER)
        checks = [check for check in result["checks"] if not check.get("optional")]
        preferences.note_check([(check["ok"], _line(check)) for check in checks])
        failed = sum(not check["ok"] for check in checks)
        return f"{failed} of {len(checks)} checks failed." if failed else "The worker is ready."


def _line(check: dict[str, Any]) -> str:
    text = f"{check['name']}: {check['detail']}"
    return text if check["ok"] else f"{text} {check.get('hint') or ''}".strip()


CLASSES = (GSMOOTH_OT_check_worker,)
