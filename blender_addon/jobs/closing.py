"""Blender is closed while a job runs: no add-on can forbid that, but Blender asks by itself.

It asks where the file has changes that are not saved, so a running job marks it as changed. That
holds for its window, its menu and its keys alike.
"""

from __future__ import annotations

from typing import Any

import bpy


def have_it_asked(title: str) -> None:
    """Mark the file as changed, unless it is: only an undo step does that."""
    push: Any = bpy.ops.ed.undo_push
    if not bpy.data.is_dirty and push.poll():
        push(message=f"{title}: begun")


def advice() -> str:
    """What becomes of a dub or queue that runs when Blender is closed."""
    if not bpy.data.filepath:
        return "Save this file, or the job is lost when Blender closes."
    return "Closing Blender stops it; this file offers it when it is opened again."
