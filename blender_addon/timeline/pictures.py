"""Which strips show a person, and which of them are read from their file as they are.

A plain movie or image strip shows its file's frames one by one. All others (retimed, reversed, at
an adjusted rate, with a Speed effect, image sequences, meta strips, scenes, movie clips) are
rendered through Blender first, so that what is dubbed is what Blender shows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

from . import strips

_KINDS = {
    "META": "is a meta strip",
    "SCENE": "is a scene",
    "MOVIECLIP": "is a movie clip",
    "SPEED": "is a Speed effect",
}
_SAME_RATE = 1e-4  # relative; 23.976 and 24 differ by ten times that


def target(scene: bpy.types.Scene, strip: Any) -> Any:
    """The strip that shows the picture of `strip`: itself, or a Speed effect that retimes it.

    Other effects go on with the dub in place of the strip.
    """
    for other in strips.children(strips.owner_of(scene, strip)):
        if other.type == "SPEED" and not other.mute and other.input_1 == strip:
            return target(scene, other)
    return strip


def why_rendered(strip: Any) -> str:
    """Why the strip's frames cannot be read from a file; "" if they can, as far as is seen here.

    Cheap enough for drawing code: no file is opened, so an adjusted rate is not noticed.
    """
    if strip.type in _KINDS:
        return _KINDS[strip.type]
    if len(getattr(strip, "retiming_keys", ())):
        return "is retimed"
    if strip.type == "IMAGE":
        return "" if strips.is_still(strip) else "is an image sequence"
    if strip.use_reverse_frames:
        return "plays in reverse"
    if strip.use_deinterlace:
        return "is deinterlaced"
    return "shows another stream of its file" if getattr(strip, "stream_index", 0) else ""


def at_adjusted_rate(scene: bpy.types.Scene, strip: Any, file_length: int) -> bool:
    """Whether a movie strip shows other frames than one of the file's a scene frame.

    Args:
        scene: whose strip it is.
        strip: a movie strip.
        file_length: frames of its file.
    """
    trimmed = strips.value_of(strip, "content_trim_end", "animation_offset_end")
    where = strips.placement(strip)
    length = where.length + where.trim + trimmed
    rate = float(strips.scene_rate(scene))
    if abs(strip.fps / rate - 1) < _SAME_RATE:
        return bool(abs(length - file_length) > 1)
    # Where rates lie so near that the lengths agree either way, it may be adjusted.
    return bool(length != file_length or round(file_length * rate / strip.fps) == file_length)


def size(scene: bpy.types.Scene, strip: Any) -> tuple[int, int]:
    """Width and height in pixels at which the strip's own picture is rendered."""
    found = (0, 0)
    if strip.type in ("MOVIE", "IMAGE"):
        found = strip.elements[0].orig_width, strip.elements[0].orig_height
    elif strip.type == "MOVIECLIP" and strip.clip:
        found = tuple(strip.clip.size)
    return found if all(found) else (scene.render.resolution_x, scene.render.resolution_y)


def inputs(strip: Any) -> list[Any]:
    """The strips that an effect uses, and those that they use."""
    direct = [getattr(strip, name, None) for name in ("input_1", "input_2")]
    return [each for used in direct if used is not None for each in (used, *inputs(used))]


def parts(strip: Any) -> Iterator[Any]:
    """The strip, and all that is in it or used by it."""
    yield strip
    for used in inputs(strip):
        yield from parts(used)
    if strip.type == "META":
        for child in strips.children(strip):
            yield from parts(child)


def files(strip: Any) -> tuple[str, ...]:
    """The files whose pictures the strip shows."""
    found = (_file(part) for part in parts(strip))
    return tuple(sorted({str(path) for path in found if path is not None}))


def _file(strip: Any) -> Path | None:
    if strip.type == "MOVIECLIP":
        return Path(bpy.path.abspath(strip.clip.filepath)) if strip.clip else None
    return strips.source_path(strip) if strip.type in ("MOVIE", "IMAGE") else None


def missing_file(strip: Any) -> str:
    """A file that the strip shows and that is not there; "" for none."""
    # Path.is_file raises for a name that no disk takes.
    return next((name for name in files(strip) if not os.path.isfile(name)), "")  # noqa: PTH113
