"""Which curves a head shows: those that are dubbed and edited, or those that it was filmed with.

Each are an action of their own, so that looking at one loses nothing of the other. Those that were
filmed are locked: what is edited, and made again, are the dub's.
"""

from __future__ import annotations

from typing import Any

import bpy

from . import actions

FILMED = "gsmooth_filmed"
DUBBED, SLOT = "gsmooth_dubbed", "gsmooth_slot"
"""Custom properties of a head: the action that was filmed; and, while that is shown, the one that
is dubbed with its slot."""


def keep_filmed(body: bpy.types.Object) -> None:
    """Note the action that the head's shape keys have as what was filmed."""
    keys = body.data.shape_keys
    for curve in actions.curves_of(keys):
        curve.lock = True
    body[FILMED] = keys.animation_data.action


def has_filmed(body: Any) -> bool:
    """Whether the head knows what was filmed."""
    return body is not None and isinstance(body.get(FILMED), bpy.types.Action)


def shows_filmed(body: Any) -> bool:
    """Whether that is what it shows."""
    keys = body.data.shape_keys if has_filmed(body) else None
    data = keys.animation_data if keys is not None else None
    return data is not None and data.action == body[FILMED]


def show_filmed(body: bpy.types.Object) -> None:
    """Show what was filmed."""
    keys = body.data.shape_keys
    if not has_filmed(body) or keys is None or shows_filmed(body):
        return
    data = keys.animation_data_create()
    body[SLOT] = getattr(getattr(data, "action_slot", None), "identifier", "")
    if data.action is not None:
        body[DUBBED] = data.action
    actions.assign(keys, body[FILMED])


def show_dubbed(body: bpy.types.Object) -> None:
    """Show what is dubbed, with all its edits."""
    if not shows_filmed(body):
        return
    action, slot = body.get(DUBBED), body.get(SLOT)
    action = action if isinstance(action, bpy.types.Action) else None
    actions.assign(body.data.shape_keys, action, slot if isinstance(slot, str) else "")
    for name in (DUBBED, SLOT):
        body.pop(name, None)
