"""The panel of the queue."""

from __future__ import annotations

import bpy

from ..jobs import job_queue
from .layouts import SequencerPanel, wrapped

_ENTRY_ICONS = {
    "waiting": "TIME",
    "running": "PLAY",
    "done": "CHECKMARK",
    "failed": "ERROR",
    "cancelled": "X",
}


class GSMOOTH_PT_queue(SequencerPanel, bpy.types.Panel):
    """Clips that are dubbed one after another."""

    bl_label = "Queue"
    bl_parent_id = "GSMOOTH_PT_dub"

    def draw(self, _context: bpy.types.Context) -> None:
        layout, entries = self.layout, job_queue.entries()
        layout.operator("gsmooth.add_to_queue", icon="ADD")
        column = layout.column(align=True)
        for index, entry in enumerate(entries):
            _draw_entry(column, index, entry)
        if not entries:
            return
        row = layout.row(align=True)
        if job_queue.running() is None:
            row.operator("gsmooth.run_queue", icon="PLAY")
        else:
            row.operator("gsmooth.pause_queue", icon="PAUSE")
        row.operator("gsmooth.clear_queue")


def _draw_entry(layout: bpy.types.UILayout, index: int, entry: job_queue.Entry) -> None:
    row = layout.row(align=True)
    row.label(text=f"{entry.target.picture}: {entry.state}", icon=_ENTRY_ICONS[entry.state])
    actions = {"UP": "TRIA_UP", "DOWN": "TRIA_DOWN"} if entry.state == "waiting" else {}
    actions |= {"AGAIN": "FILE_REFRESH"} if entry.state in ("failed", "cancelled") else {}
    actions |= {} if entry.state == "running" else {"REMOVE": "X"}
    for action, icon in actions.items():
        button = row.operator("gsmooth.queue_entry", text="", icon=icon)
        button.index, button.action = index, action
    if entry.state in ("failed", "waiting") and entry.text:
        wrapped(layout, entry.text, "BLANK1")


CLASSES = (GSMOOTH_PT_queue,)
