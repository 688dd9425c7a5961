"""A strip whose place a dub has taken: out of sight, until it is restored.

It is muted. A meta strip with sound in it would fall silent with that, music too; so of such a one
only the pictures are muted, and what is left of it, transparent, is laid over whatever is below.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import pictures

HIDDEN = "gsmooth_hidden"
"""Custom property of what was hidden in this way: for the meta strip, how it was blended."""


def hide(strip: Any) -> None:
    """Put a strip away."""
    if not sounds_in(strip):
        strip.mute = True
        return
    strip[HIDDEN] = blend(strip)
    strip.blend_type = "ALPHA_OVER"
    for part in _seen(strip):
        if not part.mute:
            part.mute = part[HIDDEN] = True


def show(strip: Any) -> None:
    """Bring a strip back that was put away."""
    strip.mute = False
    strip.blend_type = blend(strip)
    for part in (strip, *_seen(strip)):
        if HIDDEN in part:
            part.mute = False
            del part[HIDDEN]


def is_away(strip: Any) -> bool:
    """Whether the strip is out of sight."""
    return bool(strip.mute or HIDDEN in strip)


def blend(strip: Any) -> str:
    """How the strip is blended, or was before it was put away."""
    noted = strip.get(HIDDEN)  # of a stranger's file: anything
    known = strip.bl_rna.properties["blend_type"].enum_items
    return noted if isinstance(noted, str) and noted in known else str(strip.blend_type)


def sounds_in(strip: Any) -> list[Any]:
    """The sounds that a meta strip holds and that are heard."""
    return [part for part in pictures.parts(strip) if part.type == "SOUND" and not part.mute]


def _seen(strip: Any) -> Iterator[Any]:
    """What is seen in a meta strip."""
    inner = [part for part in pictures.parts(strip) if part not in (strip, *pictures.inputs(strip))]
    yield from (part for part in inner if part.type not in ("META", "SOUND"))
