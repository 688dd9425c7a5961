"""The sound that belongs to a dubbed clip: silent where the dub is, heard elsewhere."""

from __future__ import annotations

from typing import Any

from . import following, strips
from .plan import Plan
from .stacking import OF

MUTED, CUT = "gsmooth_muted", "gsmooth_cut"
"""Custom properties of a sound strip: the name of the strip whose dub muted it, see `stacking.ID`,
and whether it was cut to pieces for that."""
_SCRAP = 0.2  # seconds; a shorter rest is the end of the same take, and no sound of its own


def mute(planned: Plan, dub: Any) -> None:
    """Mute the clip's own sound under a dub; what reaches beyond it is cut off and stays.

    Handles are scene frames in meta strips, too, retimed ones as well: Blender plays sound in those
    slower or faster, but where its strip lies.
    """
    scene = dub.id_data
    for strip in list(strips.all_strips(scene)):
        own = strip.type == "SOUND" and str(strips.source_path(strip)) in planned.files
        if not own or strip.mute or not strips.overlap(strip, dub):
            continue
        if not following.is_speech(planned, strip):
            inside = _cut_out(strip, dub, _SCRAP * float(strips.scene_rate(scene)))
            inside.mute, inside[MUTED] = True, dub[OF]


def _cut_out(strip: Any, dub: Any, scrap: float) -> Any:
    """The part of the strip under the dub, as a strip of its own."""
    first, end = strips.left(dub), strips.right(dub)
    if strips.right(strip) - end > scrap:
        strip[CUT] = True  # the new piece has it, too
        strip.split(frame=end, split_method="SOFT")
    if first - strips.left(strip) > scrap:
        strip[CUT] = True
        strip = strip.split(frame=first, split_method="SOFT") or strip
    return strip


def unmute(dub: Any) -> None:
    """Let the sound be heard again that was muted under a dub, in one piece as it was."""
    scene, owner = dub.id_data, dub.get(OF)
    sounds = [s for s in strips.all_strips(scene) if s.type == "SOUND" and MUTED in s]
    muted = [s for s in sounds if s[MUTED] == owner and strips.overlap(s, dub)]
    for name in [strip.name for strip in muted]:
        strip = strips.find(scene, name)
        strip.mute = False
        del strip[MUTED]
        _rejoin(scene, strip)


def _rejoin(scene: Any, strip: Any) -> None:
    """Put a piece together with those from which it was cut, unless they were changed since."""
    siblings = strips.children(strips.owner_of(scene, strip))
    alike = [other for other in siblings if other != strip and _same_take(strip, other)]
    before = [other for other in alike if strips.right(other) == strips.left(strip)]
    after = [other for other in alike if strips.left(other) == strips.right(strip)]
    first, *rest = [*before[:1], strip, *after[:1]]
    end = strips.right([first, *rest][-1])
    for other in rest:
        siblings.remove(other)
    strips.set_handles(first, strips.left(first), end)


def _same_take(one: Any, other: Any) -> bool:
    """Whether two strips are pieces that were cut from one, and sound alike."""
    if other.type != "SOUND" or not (one.get(CUT) and other.get(CUT)) or other.mute:
        return False
    start = strips.first_source_frame
    values = ("sound", "volume", "pan", "channel")
    alike = all(getattr(one, name) == getattr(other, name) for name in values)
    return bool(alike and start(one) == start(other))
