"""The right half of the picture as another file has it: another version, or the original."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from ..storage import job_folder
from ..timeline import put_away, stacking, strip_look, strips
from ..timeline.timing import MAX_CHANNEL, free_channel
from . import versions


def with_version(strip: Any, path: Path) -> None:
    """Lay another version beside the one that a dub shows; the same one again ends that."""
    if not _ended(strip, path):
        first = round(strips.placement(strip).start)
        number = versions.number_of(path)
        new = _movie(strip, f"version {number} (right half)", path, first)
        _lay(strip, new, strip, False)


def with_original(strip: Any) -> None:
    """Lay what was dubbed beside a dub; once more, and that ends.

    Raises:
        UserError: the dub's job is gone.
    """
    job = job_folder.read(job_folder.resolve(strips.dubbed_job(strip)))
    path, name = Path(job["video"]), "original (right half)"
    if _ended(strip, path):
        return
    if path.suffix.lower() in bpy.path.extensions_image:
        first = strips.left(strip)
        new = _siblings(strip).new_image(name, job_folder.reference(path), MAX_CHANNEL, first)
    else:
        new = _movie(strip, name, path, strips.first_source_frame(strip) - job["start_frame"])
    old = stacking.original(strip.id_data, strip) or strip
    plain = old.type in ("MOVIE", "IMAGE") and strips.source_path(old) == path
    _lay(strip, new, old, not plain)


def in_words(strip: Any) -> str:
    """What is seen while something lies beside a dub; "" while nothing does."""
    shown = versions.comparison(strip)
    if shown is None:
        return ""
    known = {version.path: version.number for version in versions.of_strip(strip)}
    number = known.get(strips.source_path(shown))
    what = f"version {number}" if number else "the original"
    return f"Left half: this dub. Right half: {what}. The lit button ends that."


def end(strip: Any) -> Path | None:
    """Take away what lies beside a dub; returns the file that was shown."""
    shown = versions.comparison(strip)
    if shown is None:
        return None
    path = strips.source_path(shown)
    _siblings(strip).remove(shown)
    return path


def _ended(strip: Any, path: Path) -> bool:
    """End the comparison before; returns whether it was with the same file."""
    return end(strip) == path


def _siblings(strip: Any) -> Any:
    return strips.children(strips.owner_of(strip.id_data, strip))


def _movie(strip: Any, name: str, path: Path, first: int) -> Any:
    return _siblings(strip).new_movie(name, job_folder.reference(path), MAX_CHANNEL, first)


def _lay(strip: Any, new: Any, look: Any, rendered: bool) -> None:
    """Put a new strip above `strip`, with the look of another and its left half cut off."""
    strips.set_handles(new, strips.left(strip), strips.right(strip))
    strip_look.copy_look(strip.id_data, look, new, rendered)
    new.blend_type = put_away.blend(look)
    side = "max_x" if new.use_flip_x else "min_x"  # it is cut before it is flipped
    setattr(new.crop, side, (new.elements[0].orig_width or strip.elements[0].orig_width or 0) // 2)
    new[versions.COMPARES] = strip.name
    taken = {s.channel for s in _siblings(strip) if s != new and strips.overlap(s, strip)}
    new.channel = free_channel(taken | set(range(strip.channel)), strip.channel)
    new.select = False
