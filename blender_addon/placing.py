"""A job's result to a strip: where it goes, and what becomes of the old strip and its sound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from . import job_folder, stacking, strip_look, strips
from .errors import UserError
from .plan import Plan
from .timing import MAX_CHANNEL, undubbed


def place(planned: Plan, output: Path, folder: Path, info: str, replace: bool) -> Any:
    """Put the dubbed file exactly over the old strip as it lies now, which is muted or replaced.

    Args:
        planned: from which strip the file was made, and where that lay then.
        output: the file.
        folder: of the job.
        info: about the result, for people.
        replace: whether the old strip goes.

    Returns:
        the new strip.

    Raises:
        UserError: the old strip is gone; nothing was changed.
    """
    scene = bpy.data.scenes.get(planned.scene)
    old = strips.find(scene, planned.picture)
    if old is None or old.type not in strips.PICTURES:
        raise UserError(
            f"The strip '{planned.picture}' is gone, so the dubbed clip was not placed. "
            f"It is in '{output}'."
        )
    shift = _moved(planned, old)
    missing = undubbed(planned.span, strips.placement(old), shift, old.type == "IMAGE")
    if missing:
        info = f"{info}, {missing} frames that were added meanwhile are not dubbed"
    siblings = strips.children(strips.owner_of(scene, old))
    new = siblings.new_movie(
        f"{planned.picture} dubbed",
        job_folder.reference(output),
        MAX_CHANNEL,
        planned.span.first + shift,
    )
    strips.set_handles(new, strips.left(old), strips.right(old))
    strip_look.copy_look(scene, old, new)
    new["gsmooth_job"], new["gsmooth_info"] = job_folder.reference(folder), info
    stacking.take_place(scene, old, new, replace)
    _select_only(scene, new)
    return new


def _moved(planned: Plan, old: Any) -> int:
    """By how many frames the strip was moved while the job ran; a trim moves no picture."""
    if old.type == "MOVIE":
        return strips.first_source_frame(old) - (planned.span.first - planned.span.source)
    # The content of a still begins with its strip: one handle that stayed is all there is to see.
    return min(strips.left(old) - planned.left, strips.right(old) - planned.right, key=abs)


def _select_only(scene: bpy.types.Scene, strip: Any) -> None:
    for other in strips.open_strips(scene):
        other.select = False
    strip.select = True
    scene.sequence_editor.active_strip = strip


def mute_own_sound(planned: Plan, dubbed: Any) -> None:
    """Mute the clip's own sound that lies under the dubbed strip."""
    for strip in strips.all_strips(bpy.data.scenes.get(planned.scene)):
        if strip.type != "SOUND" or strip.name == planned.speech:
            continue
        if strips.overlap(strip, dubbed) and str(strips.source_path(strip)) == planned.source:
            strip.mute = True


def restore(scene: bpy.types.Scene, dub: Any) -> Any:
    """Put the strip that was dubbed back into its place; the dub goes.

    Args:
        scene: whose strips they are.
        dub: a dubbed strip that has its original, see `stacking.original`.

    Returns:
        the original.
    """
    old = stacking.restore(scene, dub)
    _select_only(scene, old)
    return old
