"""The running job in a panel: how far it is, what came of the last one, what stops every one."""

from __future__ import annotations

import bpy

from .. import preferences
from ..jobs import closing, job_queue
from ..worker import runtime
from .layouts import wrapped


def draw_task(layout: bpy.types.UILayout) -> None:
    """Progress of the running job and a way to stop it, else what came of the last one."""
    task = runtime.active()
    if task is None:
        _draw_outcome(layout)
        return
    box = layout.box()
    box.label(text=task.title, icon="SORTTIME")
    row = box.row(align=True)
    row.progress(factor=task.overall, text=task.text)
    row.operator("gsmooth.cancel", text="", icon="X")
    if task.left:
        box.label(text=task.left[:1].upper() + task.left[1:], icon="BLANK1")
    if task.detail:
        wrapped(box, task.detail)
    for note in dict.fromkeys(task.notes):
        wrapped(box, note, "INFO")
    if job_queue.keeps_running():
        wrapped(box, closing.advice(), "INFO")


_STATES = {
    "done": ("CHECKMARK", "done"),
    "failed": ("ERROR", "failed"),
    "cancelled": ("PAUSE", "stopped. Pressed again, it goes on from there"),
}


def _draw_outcome(layout: bpy.types.UILayout) -> None:
    last = runtime.outcome()
    if last is None:
        return
    icon, word = _STATES[last.state]
    box = layout.box()
    wrapped(box, f"{last.title}: {word}", icon)
    if last.state != "cancelled":
        wrapped(box, last.text)
    for note in last.notes:
        wrapped(box, note, "INFO")


def draw_problem(layout: bpy.types.UILayout) -> None:
    """What stops every job, with the way out."""
    if preferences.runtime_problem():
        box = layout.box()
        wrapped(box, preferences.runtime_problem(), "ERROR")
        box.operator("gsmooth.show_preferences", icon="PREFERENCES")
