"""The strip that shows a preview: above the clip, which stays as it is; easily thrown away."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import bpy

from .. import preferences
from ..errors import UserError
from ..storage import job_folder
from ..timeline import following, own_sound, stacking, strip_look, strips
from ..timeline.plan import Plan
from ..timeline.selection import PREVIEW
from ..timeline.timing import MAX_CHANNEL


def folder() -> Path:
    """Where the jobs of previews are."""
    return preferences.jobs_folder() / "preview"


def place(planned: Plan, output: Path, job: Path, turned: int) -> Any:
    """Lay a preview over the strip that it is of; the one before goes.

    Raises:
        UserError: the strip is gone.
    """
    discard(planned.scene, but=job)
    parts = following.find_parts(planned)
    if not parts:
        raise UserError(f"The strip '{planned.picture}' is gone, so there is nothing to preview.")
    scene, old, first = parts[0].scene, parts[0].strip, planned.span.first + parts[0].shift
    siblings = strips.children(strips.owner_of(scene, old))
    path = job_folder.reference(output)
    new = siblings.new_movie(f"{old.name} preview", path, MAX_CHANNEL, first)
    strips.set_handles(new, first, first + planned.span.count)
    strip_look.copy_look(scene, old, new, planned.rendered)
    if turned and not strips.heeds_rotation():
        strip_look.turn_back(new, turned)
    new[PREVIEW], new[stacking.OF] = job_folder.reference(job), stacking.identify(old)
    new.channel = stacking.channel_above(scene, old, new)
    new.color_tag, new.select = "COLOR_05", False
    return new


def of_scene(scene: bpy.types.Scene | None) -> list[Any]:
    """The previews that lie in a scene."""
    return [strip for strip in strips.all_strips(scene) if strip.get(PREVIEW)]


def middle_near(scene: bpy.types.Scene, picture: Any, frame: int) -> int:
    """The frame around which a preview of a strip is made when the playhead is at `frame`.

    One that is there already, and shows the playhead well within, stays where it is: the face has
    been followed there.
    """
    for strip in of_scene(scene):
        first, end = strips.left(strip), strips.right(strip)
        margin = (end - first) // 4
        if strip.get(stacking.OF) == picture.get(stacking.ID) and (
            first + margin <= frame < end - margin
        ):
            return first + (end - first) // 2
    return frame


def discard(scene_name: str, but: Path | None = None) -> int:
    """Take a scene's previews away, their files too; returns how many there were.

    Args:
        scene_name: of the scene.
        but: the folder of a job that is still needed.
    """
    scene, count = bpy.data.scenes.get(scene_name), 0
    while previews := of_scene(scene):
        strip, count = previews[0], count + 1
        noted = strip[PREVIEW]
        own_sound.unmute(strip)
        strips.children(strips.owner_of(scene, strip)).remove(strip)
        if isinstance(noted, str) and job_folder.resolve(noted) != but:
            _remove(job_folder.resolve(noted))
    return count


def _remove(job: Path) -> None:
    """Remove a job's folder, where it is one of a preview: the blend file may be a stranger's."""
    if job.parent == folder() and not job.is_symlink():
        shutil.rmtree(job, ignore_errors=True)
