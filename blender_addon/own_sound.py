"""The sound that belongs to a dubbed clip: silent where the dub is, heard elsewhere."""

from __future__ import annotations

from typing import Any

from . import following, strips
from .plan import Plan
from .stacking import OF

MUTED = "gsmooth_muted"
"""Custom property of a sound strip: the name of the strip whose dub muted it, see `stacking.ID`."""
_SCRAP = 0.2  # seconds; a shorter rest is the end of the same take, and no sound of its own


def mute(planned: Plan, dub: Any) -> None:
    """Mute the clip's own sound under a dub; what reaches beyond it is cut off and stays."""
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
        strip.split(frame=end, split_method="SOFT")
    if first - strips.left(strip) > scrap:
        strip = strip.split(frame=first, split_method="SOFT") or strip
    return strip


def unmute(dub: Any) -> None:
    """Let the sound be heard again that was muted under a dub."""
    for strip in strips.all_strips(dub.id_data):
        if strip.type == "SOUND" and strip.get(MUTED) == dub.get(OF) and strips.overlap(strip, dub):
            strip.mute = False
            del strip[MUTED]
