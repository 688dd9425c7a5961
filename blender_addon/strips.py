"""Strips to a job and back: the only file that knows what Blender's versions call things."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy

from . import job_folder, strip_look
from .errors import UserError
from .plan import Plan
from .timing import MAX_CHANNEL, Placement, free_channel, undubbed

PICTURES = ("MOVIE", "IMAGE")


# -- one name for what the versions name differently -----------------------------------------


def sequencer_scene(context: bpy.types.Context) -> bpy.types.Scene:
    """The scene whose strips the user sees (its own pointer since 5.0; None as a module)."""
    scene: bpy.types.Scene = getattr(context, "sequencer_scene", None) or context.scene  # type: ignore[assignment]
    return scene


def children(owner: Any) -> Any:
    """The strips of a sequencer, or of a meta strip."""
    return owner.strips if hasattr(owner, "strips") else owner.sequences


def _all(scene: bpy.types.Scene | None) -> Any:
    editor = scene.sequence_editor if scene else None
    if editor is None:
        return {}
    return editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all


def open_strips(scene: bpy.types.Scene) -> Any:
    """The strips on view: the open meta strip's, else the scene's; () without a sequencer."""
    editor = scene.sequence_editor
    if editor is None:
        return ()
    return children(editor.meta_stack[-1] if len(editor.meta_stack) else editor)


def _owner(scene: bpy.types.Scene, strip: Any) -> Any:
    return strip.parent_meta() or scene.sequence_editor


def show_scene(context: bpy.types.Context, scene: bpy.types.Scene) -> None:
    """Make `scene` the one that the window and its sequencers show."""
    context.window.scene = scene
    if hasattr(context.workspace, "sequencer_scene"):
        context.workspace.sequencer_scene = scene


def value_of(strip: Any, new: str, old: str) -> Any:
    """The property under its new name, where the running Blender has that."""
    # Since 5.2 the old names warn, and they are gone in 6.0.
    return getattr(strip, new) if hasattr(strip, new) else getattr(strip, old)


def left(strip: Any) -> int:
    """First scene frame that shows the strip."""
    return int(value_of(strip, "left_handle", "frame_final_start"))


def right(strip: Any) -> int:
    """The scene frame after the last one that shows the strip."""
    return int(value_of(strip, "right_handle", "frame_final_end"))


def set_handles(strip: Any, first: int, end: int) -> None:
    """Trim (or extend) the strip to the scene frames first..end-1."""
    new = hasattr(strip, "left_handle")
    setattr(strip, "right_handle" if new else "frame_final_end", end)
    setattr(strip, "left_handle" if new else "frame_final_start", first)


def move(strip: Any, frames: int) -> None:
    """Move a strip along the timeline, its handles with it."""
    name = "content_start" if hasattr(strip, "content_start") else "frame_start"
    setattr(strip, name, getattr(strip, name) + frames)


def placement(strip: Any) -> Placement:
    """Where a movie, image or sound strip lies."""
    return Placement(
        left(strip),
        right(strip),
        float(value_of(strip, "content_start", "frame_start")),
        int(value_of(strip, "content_duration", "frame_duration")),
        int(value_of(strip, "content_trim_start", "animation_offset_start")),
    )


def first_source_frame(strip: Any) -> int:
    """Scene frame at which the file's first frame stands (or would, were it not trimmed)."""
    where = placement(strip)
    return round(where.start) - where.trim


def scene_rate(scene: bpy.types.Scene) -> Fraction:
    """Frames a second of the scene, exact for the broadcast rates (30/1.001 = 30000/1001)."""
    return Fraction(scene.render.fps / scene.render.fps_base).limit_denominator(1001)


def source_path(strip: Any) -> Path:
    """Absolute path of the file that a movie, image or sound strip shows."""
    if strip.type == "IMAGE":
        name = os.path.join(strip.directory, strip.elements[0].filename)  # noqa: PTH118
    else:
        name = strip.filepath if strip.type == "MOVIE" else strip.sound.filepath
    return Path(bpy.path.abspath(name))


def find(scene: bpy.types.Scene | None, name: str) -> Any:
    """The strip of that name anywhere in the scene, or None."""
    return _all(scene).get(name)


# -- result to strip -------------------------------------------------------------------------


def place(
    planned: Plan, output: Path, folder: Path, info: str, replace: bool, longer: int = 0
) -> Any:
    """Put the dubbed file exactly over the old strip as it lies now, which is muted or replaced.

    Args:
        planned: from which strip the file was made, and where that lay then.
        output: the file.
        folder: of the job.
        info: about the result, for people.
        replace: whether the old strip goes.
        longer: frames that the file has more than were taken from the old strip.

    Returns:
        the new strip.

    Raises:
        UserError: the old strip is gone; nothing was changed.
    """
    scene = bpy.data.scenes.get(planned.scene)
    old = find(scene, planned.picture)
    if old is None or old.type not in PICTURES:
        raise UserError(
            f"The strip '{planned.picture}' is gone, so the dubbed clip was not placed. "
            f"It is in '{output}'."
        )
    shift = _moved(planned, old)
    missing = undubbed(planned.span, placement(old), shift, old.type == "IMAGE")
    if missing:
        info = f"{info}, {missing} frames that were added meanwhile are not dubbed"
    siblings = children(_owner(scene, old))
    new = siblings.new_movie(
        f"{planned.picture} dubbed",
        job_folder.reference(output),
        MAX_CHANNEL,
        planned.span.first + shift,
    )
    set_handles(new, left(old), right(old) + longer)
    channel = old.channel if replace else _channel_beside(scene, old, new)
    strip_look.copy_look(scene, old, new)
    new["gsmooth_job"], new["gsmooth_info"] = job_folder.reference(folder), info
    if replace:
        siblings.remove(old)
    else:
        old.mute = True
    new.channel = channel
    _select_only(scene, new)
    return new


def _moved(planned: Plan, old: Any) -> int:
    """By how many frames the strip was moved while the job ran; a trim moves no picture."""
    if old.type == "MOVIE":
        return first_source_frame(old) - (planned.span.first - planned.span.source)
    # The content of a still begins with its strip: one handle that stayed is all there is to see.
    return min(left(old) - planned.left, right(old) - planned.right, key=abs)


def _channel_beside(scene: bpy.types.Scene, strip: Any, new: Any) -> int:
    """A channel beside the strip's that has room for the new one."""
    owner = _owner(scene, strip)
    taken: dict[int, bool] = {}
    for other in children(owner):
        if other != new and left(other) < right(new) and left(new) < right(other):
            visible = other.type != "SOUND" and not other.mute
            taken[other.channel] = taken.get(other.channel, False) or visible
    barred = {i for i, channel in enumerate(owner.channels) if channel.lock or channel.mute}
    return free_channel(taken, strip.channel, barred)


def _select_only(scene: bpy.types.Scene, strip: Any) -> None:
    for other in open_strips(scene):
        other.select = False
    strip.select = True
    scene.sequence_editor.active_strip = strip


def mute_own_sound(planned: Plan, dubbed: Any) -> None:
    """Mute the clip's own sound that lies under the dubbed strip."""
    for strip in _all(bpy.data.scenes.get(planned.scene)):
        if strip.type != "SOUND" or strip.name == planned.speech:
            continue
        overlaps = left(strip) < right(dubbed) and left(dubbed) < right(strip)
        if overlaps and str(source_path(strip)) == planned.source:
            strip.mute = True


# -- strips that show a job's result ---------------------------------------------------------


def dubbed_job(strip: Any) -> str:
    """The job folder noted on a dubbed movie strip, or ""."""
    noted = strip.get("gsmooth_job", "") if strip and strip.type == "MOVIE" else ""
    return noted if isinstance(noted, str) else ""


def active_strip(scene: bpy.types.Scene) -> Any:
    """The active strip, or None."""
    return scene.sequence_editor.active_strip if scene.sequence_editor else None


def showing(folder: Path) -> Iterator[Any]:
    """Strips of any scene that show the result of the job in `folder`."""
    for scene in bpy.data.scenes:
        for strip in _all(scene):
            noted = dubbed_job(strip)
            if noted and job_folder.resolve(noted) == folder:
                yield strip


def show(strip: Any, output: Path, info: str) -> None:
    """Show another file of the same length in a dubbed strip."""
    strip.filepath = job_folder.reference(output)
    strip["gsmooth_info"] = info
