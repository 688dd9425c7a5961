"""A strip during a job: it may be renamed, moved, trimmed, cut to pieces, put into a meta strip.

A strip has no name that lasts, so it gets a custom property when the job begins. Pieces and copies
have it, too: pieces show frames that the others do not, copies show the same ones again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import bpy

from . import strips
from .plan import Plan
from .timing import own_frames

TAG = "gsmooth_tag"


@dataclass(frozen=True)
class Part:
    """A strip that shows frames of a job.

    Attributes:
        scene: whose strip it is.
        strip: the strip.
        shift: by how many frames its content was moved since the job began.
    """

    scene: bpy.types.Scene
    strip: Any
    shift: int


def mark(*chosen: Any) -> str:
    """Give the strips of a job a tag that no other job has."""
    tag = uuid.uuid4().hex
    for strip in chosen:
        if strip is not None:
            strip[TAG] = tag
    return tag


def voice_tag(tag: str, number: int) -> str:
    """The tag of the sound strip that one of several people says."""
    return f"{tag}.{number}"


def is_speech(planned: Plan, strip: Any) -> bool:
    """Whether this sound strip is one whose words are spoken."""
    for said in planned.speeches:
        if strip.name == said.strip or strip.get(TAG) == voice_tag(planned.tag, said.number):
            return True
    return bool(planned.speech) and (
        strip.name == planned.speech or (bool(planned.tag) and strip.get(TAG) == planned.tag)
    )


def find_parts(planned: Plan) -> list[Part]:
    """The strips that show the job's frames by now, the first of them before the others.

    Without the tag (undo took it away) the strip of that name counts. Empty when it is gone.
    """
    for scene in _scenes(planned):
        found = [strip for strip in strips.all_strips(scene) if _is_tagged(planned, strip)]
        if found:
            return _apart(planned, scene, found)
    named = bpy.data.scenes.get(planned.scene)
    strip = strips.find(named, planned.picture)
    if named is None or strip is None or strip.type not in strips.PICTURES:
        return []
    return [Part(named, strip, moved(planned, strip))]


def _scenes(planned: Plan) -> Iterator[bpy.types.Scene]:
    yield from sorted(bpy.data.scenes, key=lambda scene: scene.name != planned.scene)


def _is_tagged(planned: Plan, strip: Any) -> bool:
    wanted = bool(planned.tag) and strip.get(TAG) == planned.tag
    return wanted and strip.type in strips.PICTURES


def _apart(planned: Plan, scene: bpy.types.Scene, found: list[Any]) -> list[Part]:
    """The strips whose frames no strip before them shows: pieces, but no copies."""
    parts = [Part(scene, strip, moved(planned, strip)) for strip in found]
    parts.sort(key=lambda part: (part.strip.name != planned.picture, abs(part.shift)))
    taken: list[range] = []
    kept: list[Part] = []
    for part in parts:
        shown = _shown(planned, part)
        if not kept or (shown and all(_disjoint(shown, other) for other in taken)):
            kept.append(part)
            taken.append(shown)
    return sorted(kept, key=lambda part: strips.left(part.strip))


def _shown(planned: Plan, part: Part) -> range:
    """Frames of the job that the strip shows."""
    whole = planned.rendered or strips.is_still(part.strip)
    first, end = own_frames(strips.placement(part.strip), whole)
    begin = planned.span.first + part.shift
    return range(max(0, first - begin), min(planned.span.count, end - begin))


def _disjoint(one: range, other: range) -> bool:
    return one.stop <= other.start or other.stop <= one.start


def moved(planned: Plan, strip: Any) -> int:
    """By how many frames the strip was moved since the job began; a trim moves no picture."""
    if not strips.is_still(strip):
        return strips.first_source_frame(strip) - planned.anchor
    # The content of a still begins with its strip: all there is to see is whether it lies within
    # its old handles, and which of them stayed.
    first, end = strips.left(strip), strips.right(strip)
    if planned.left <= first and end <= planned.right:
        return 0
    return min(first - planned.left, end - planned.right, key=abs)
