"""Strips to a job and back: the only file that knows what Blender's versions call things."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import bpy

from ..storage import job_folder
from .timing import Placement

PICTURES = ("MOVIE", "IMAGE", "META", "SCENE", "MOVIECLIP", "SPEED")


# -- one name for what the versions name differently -----------------------------------------


def sequencer_scene(context: bpy.types.Context) -> bpy.types.Scene:
    """The scene whose strips the user sees (its own pointer since 5.0; None as a module)."""
    scene: bpy.types.Scene = getattr(context, "sequencer_scene", None) or context.scene  # type: ignore[assignment]
    return scene


def children(owner: Any) -> Any:
    """The strips of a sequencer, or of a meta strip."""
    return owner.strips if hasattr(owner, "strips") else owner.sequences


def all_strips(scene: bpy.types.Scene | None) -> Any:
    """Every strip of the scene by name, those in meta strips too; {} without a sequencer."""
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


def owner_of(scene: bpy.types.Scene, strip: Any) -> Any:
    """The meta strip that holds the strip, or the sequencer."""
    return strip.parent_meta() or scene.sequence_editor


@contextmanager
def probing() -> Iterator[tuple[bpy.types.Scene, Any]]:
    """A scene and its strips, to learn what Blender makes of a file; they go at the end."""
    scene = bpy.data.scenes.new("GSmooth probe")
    try:
        yield scene, children(scene.sequence_editor_create())
    finally:
        bpy.data.scenes.remove(scene)


def add_colour(owner: Any, first: int, count: int) -> Any:
    """Add a strip of one colour."""
    length = {"length": count} if bpy.app.version >= (5, 0) else {"frame_end": first + count}
    return children(owner).new_effect("colour", "COLOR", 1, first, **length)


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


def overlap(one: Any, other: Any) -> bool:
    """Whether there are scene frames that show both."""
    return left(one) < right(other) and left(other) < right(one)


def move(strip: Any, frames: int) -> None:
    """Move a strip along the timeline, its handles with it."""
    name = "content_start" if hasattr(strip, "content_start") else "frame_start"
    setattr(strip, name, getattr(strip, name) + frames)


def placement(strip: Any) -> Placement:
    """Where a strip lies; effects have no content that could be trimmed."""
    trims = any(hasattr(strip, n) for n in ("content_trim_start", "animation_offset_start"))
    return Placement(
        left(strip),
        right(strip),
        float(value_of(strip, "content_start", "frame_start")),
        int(value_of(strip, "content_duration", "frame_duration")),
        int(value_of(strip, "content_trim_start", "animation_offset_start")) if trims else 0,
    )


def first_source_frame(strip: Any) -> int:
    """Scene frame at which the file's first frame stands (or would, were it not trimmed).

    An effect's content is that of the strip it is for.
    """
    while getattr(strip, "input_1", None) is not None:
        strip = strip.input_1
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
    return all_strips(scene).get(name)


def is_still(strip: Any) -> bool:
    """Whether one picture stands in the whole strip."""
    return strip.type == "IMAGE" and len(strip.elements) == 1


def heeds_rotation() -> bool:
    """Whether this Blender turns pictures as a file's rotation tag says; 4.2 and 4.3 do not."""
    return bpy.app.version >= (4, 5, 0)


# -- strips that show a job's result ---------------------------------------------------------


def dubbed_job(strip: Any) -> str:
    """The job folder noted on a dubbed movie strip, or ""."""
    noted = strip.get("gsmooth_job", "") if strip and strip.type == "MOVIE" else ""
    return noted if isinstance(noted, str) else ""


def active_strip(scene: bpy.types.Scene) -> Any:
    """The active strip, or None."""
    return scene.sequence_editor.active_strip if scene.sequence_editor else None


def meant_strip(scene: bpy.types.Scene) -> Any:
    """The strip that the user means: the active one, but never past another that is selected."""
    active = active_strip(scene)
    chosen = [strip for strip in open_strips(scene) if strip.select]
    if active in chosen or not chosen:
        return active
    return chosen[0] if len(chosen) == 1 else None


def dubbed_strips() -> Iterator[Any]:
    """Strips of any scene that show the result of a job."""
    for scene in bpy.data.scenes:
        yield from (strip for strip in all_strips(scene) if dubbed_job(strip))


def showing(folder: Path) -> Iterator[Any]:
    """Strips of any scene that show the result of the job in `folder`."""
    for strip in dubbed_strips():
        if job_folder.resolve(dubbed_job(strip)) == folder:
            yield strip


def show(strip: Any, output: Path, info: str) -> None:
    """Show another file of the same length in a dubbed strip."""
    strip.filepath = job_folder.reference(output)
    strip["gsmooth_info"] = info
