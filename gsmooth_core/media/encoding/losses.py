"""What an output cannot keep of its source, in a person's words, known before any work begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gsmooth_core.media.reading.description import Picture
from gsmooth_core.media.reading.timing import Timing
from gsmooth_core.text import counted


@dataclass(frozen=True)
class Loss:
    """One thing that will not be as it was.

    Attributes:
        what: one word for programs, "depth" or "subtitles" for example.
        text: what and why, in a sentence.
    """

    what: str
    text: str


@dataclass(frozen=True)
class Kept:
    """What the pictures of an output can hold.

    Attributes:
        coding: its coding as a person names it.
        depth: bits of a sample.
        alpha: whether it can be seen through.
        chroma: "420", "422" or "444".
        light: whether HDR's numbers (mastering display, light level) are stored.
    """

    coding: str
    depth: int
    alpha: bool
    chroma: str
    light: bool


# What comes beside the pictures of some files and is bound to their old coding.
_BESIDE = {
    "A53_CC": ("captions", "Closed captions within the pictures are left out."),
    "DOVI_METADATA": ("hdr", "Dolby Vision's metadata is left out; the base picture stays."),
    "DOVI_RPU_BUFFER": ("hdr", "Dolby Vision's metadata is left out; the base picture stays."),
    "DYNAMIC_HDR_PLUS": ("hdr", "HDR10+ metadata is left out; HDR10's own stays."),
    "FILM_GRAIN_PARAMS": ("grain", "Film grain that was added in playing becomes part of it."),
}
_AS_LIGHT = (
    "HDR becomes light as it is: 1.0 is white of 203 cd/m2, what is brighter lies above it, and "
    "colours beyond BT.709's are negative."
)


def picture_losses(picture: Picture, kept: Kept) -> list[Loss]:
    """What pictures lose in an output.

    Args:
        picture: of the source.
        kept: what the output can hold.
    """
    losses = []
    if picture.depth > kept.depth:
        text = f"The pictures have {picture.depth} bits a sample; {kept.coding} holds {kept.depth}."
        losses.append(Loss("depth", text))
    if picture.alpha and not kept.alpha:
        text = f"Transparency is left out: {kept.coding} holds none."
        losses.append(Loss("alpha", text))
    if (picture.mastering or picture.light_level) and not kept.light:
        text = f"HDR's mastering display and light level are left out: {kept.coding} holds none."
        losses.append(Loss("hdr", text))
    if picture.hdr and kept.coding == "OpenEXR":
        losses.append(Loss("range", _AS_LIGHT))
    chroma = chroma_of(picture)
    if chroma > kept.chroma:
        text = (
            f"{kept.coding} stores colour with less detail than the source "
            f"({_ratio(kept.chroma)} instead of {_ratio(chroma)}): seldom seen, but keying is less "
            "exact. To keep it choose another codec, FFV1 for example."
        )
        losses.append(Loss("chroma", text))
    if picture.interlaced:
        text = "The video is interlaced: of each frame's two fields one progressive frame is made."
        losses.append(Loss("interlaced", text))
    told = dict(_BESIDE[name] for name in picture.beside if name in _BESIDE)
    return losses + [Loss(what, text) for what, text in told.items()]


def _ratio(chroma: str) -> str:
    """As people write it: "4:2:0"."""
    return ":".join(chroma)


def chroma_of(picture: Picture) -> str:
    """How colour is sampled: "420", "422" or "444", other kinds by the next finer of these."""
    name = picture.pixel_format
    if "444" in name or not name.startswith(("yuv", "nv", "p0", "p2", "y2", "uyvy")):
        return "400" if name.startswith(("gray", "ya")) else "444"
    coarse = ("420", "410", "411", "nv12", "nv21", "p010", "p012", "p016")
    return "420" if any(kind in name for kind in coarse) else "422"


def timing_losses(timing: Timing | None) -> list[Loss]:
    """What becomes of a rate that varies."""
    if timing is None or timing.constant:
        return []
    shown = np.unique(timing.source_index)
    skipped = len(timing.pts) - len(shown)
    repeated = len(timing.source_index) - len(shown)
    parts = []
    if repeated:
        parts.append(f"{counted(repeated, 'frame')} repeat{'s' * (repeated == 1)} a picture")
    if skipped:
        parts.append(f"{counted(skipped, 'picture')} {'is' if skipped == 1 else 'are'} left out")
    rate = f"{float(timing.fps):.5g}"
    changed = f": {' and '.join(parts)}" if parts else ""
    return [Loss("timing", f"The frame rate varies; it becomes {rate} a second{changed}.")]
