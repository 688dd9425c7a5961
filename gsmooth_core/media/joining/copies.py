"""Smart rendering: which stretches of a source an output can have packet by packet.

A stretch begins with a picture from which decoding can begin anew, and ends before the first frame
that is changed. Pictures that are decoded with its first one and shown before
it lean on what stood there, so they belong to what is made anew.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from gsmooth_core.errors import MediaError
from gsmooth_core.media import ffmpeg
from gsmooth_core.media.encoding.coding import coding_of, form_of
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.encoding.losses import chroma_of
from gsmooth_core.media.joining.parameter_sets import (
    OWN_NUMBER,
    Refused,
    before_keys,
    free_number,
    references,
)
from gsmooth_core.media.reading.description import check_readable
from gsmooth_core.media.reading.probe import Source
from gsmooth_core.media.reading.timing import Ticks
from gsmooth_core.types import Bool, Int

SHORTEST = 12
"""Frames of a stretch below which it is made anew with its neighbours."""
_SECONDS = 600.0
_AT_ONCE = 100  # files that one process lists
_ALONE = ("prores", "dnxhd", "mjpeg", "qtrle", "vp9", "vp8")
"""Codings whose key pictures need nothing else, beside H.264 and HEVC."""
_UNSET = -(1 << 63)


@dataclass(frozen=True)
class Listing:
    """The packets of a video, in the order in which they are decoded.

    Attributes:
        coding: libavcodec's name.
        header: what a decoder must know first.
        tick: seconds of a stamp.
        stamps: (P,) when each is shown.
        hidden: (P,) those that an edit list leaves out.
        keys: numbers of those that need no other picture.
        starts: those of them from which decoding can begin anew.
        opened: those of them that must say so, where what stands before them is not as it was.
    """

    coding: str
    header: bytes
    tick: Fraction
    stamps: Ticks
    hidden: Bool
    keys: tuple[int, ...]
    starts: frozenset[int]
    opened: frozenset[int]

    @property
    def frames(self) -> Int:
        """(P,) number of the frame that each shows; -1 for the hidden ones."""
        shown = np.flatnonzero(~self.hidden)
        frames = np.full(len(self.stamps), -1, np.int32)
        frames[shown[np.argsort(self.stamps[shown], kind="stable")]] = np.arange(len(shown))
        return frames


@dataclass(frozen=True)
class Copied:
    """A stretch that is copied.

    Attributes:
        first: its first frame.
        end: the frame behind its last one.
        packet: number of its first packet.
        frames: the frame of each packet from that on; -1 for those that are left out.
        anew: whether its first packet must say that decoding begins anew.
    """

    first: int
    end: int
    packet: int
    frames: tuple[int, ...]
    anew: bool = False


def listing(path: Path) -> Listing:
    """List the packets of a video (remembered as long as it is not changed).

    Raises:
        MediaError: it cannot be read.
    """
    path = path.absolute()
    return _listing(path, check_readable(path))


@lru_cache(maxsize=4)
def _listing(path: Path, _stamp: tuple[int, int]) -> Listing:
    return listings([path])[0]


def listings(paths: Sequence[Path]) -> list[Listing]:
    """List the packets of many videos, which are not remembered.

    Raises:
        MediaError: one of them cannot be read.
    """
    names = [str(path.absolute()) for path in paths]
    parts = [names[at : at + _AT_ONCE] for at in range(0, len(names), _AT_ONCE)]
    said = [remux("scan", ffmpeg.FORMATS, *part)["files"] for part in parts]
    return [_listed(one) for files in said for one in files]


def _listed(said: dict[str, Any]) -> Listing:
    stamps = np.array([_UNSET if s is None else s for s in said["stamps"]], np.int64)
    hidden = np.zeros(len(stamps), bool)
    hidden[said["hidden"]] = True
    keys, starts, opened = tuple(said["keys"]), frozenset(said["starts"]), frozenset(said["open"])
    header, tick = bytes.fromhex(said["extradata"]), Fraction(*said["tick"])
    return Listing(said["coding"], header, tick, stamps, hidden, keys, starts, opened)


def remux(*arguments: str) -> dict[str, Any]:
    """Do a task of `remux.py` in a process of its own.

    Raises:
        MediaError: it fails.
    """
    script = Path(__file__).with_name("remux.py")
    # -P: the script's own folder is no place to import from.
    status, said, errors = ffmpeg.run([sys.executable, "-P", str(script), *arguments], _SECONDS)
    answer: dict[str, Any] = {} if status else json.loads(said)
    if status or "error" in answer:
        why = ffmpeg.last_line(errors) if status else answer["text"]
        raise MediaError(f"The video's packets cannot be used: {why}.", "Check the disk.")
    return answer


def refusal(source: Source, muxer: str, wish: Wish) -> str:
    """Why no packet of a source can stand in an output; "" where it can.

    Args:
        source: what was read.
        muxer: ffmpeg's name of the output's container; "image2" for pictures.
        wish: what the user asked for.

    Raises:
        MediaError: the source cannot be read.
    """
    if source.timing is None or muxer == "image2":
        return "pictures are no video"
    why = _asked_otherwise(source, muxer, wish) or _stored_otherwise(source)
    if why:
        return why
    found = listing(source.clip.path)
    if int((~found.hidden).sum()) != source.clip.frame_count or (found.stamps == _UNSET).any():
        return "its clock is damaged, or its last picture is held"
    try:
        if found.coding == "h264":
            free_number(found.header)
            references(found.header)
        elif found.coding == "hevc":
            before_keys(found.header)
    except Refused as error:
        return str(error)
    return "" if found.starts else "it has no picture from which a player could begin"


def own_number(path: Path) -> int:
    """Number for sets of ours beside those of a video that can be copied.

    Raises:
        MediaError: it cannot be read.
        Refused: there is none.
    """
    found = listing(path)
    return free_number(found.header) if found.coding == "h264" else OWN_NUMBER


def own_references(path: Path) -> int:
    """How many pictures ours have a decoder keep beside those of a video that can be copied.

    Raises:
        MediaError: it cannot be read.
        Refused: its header is damaged.
    """
    found = listing(path)
    return references(found.header) if found.coding == "h264" else 0


def _asked_otherwise(source: Source, muxer: str, wish: Wish) -> str:
    if wish.quality != "auto" or wish.depth != "auto" or wish.like is not None:
        return "another quality or look was asked for"
    coding = coding_of(source, muxer, wish)
    same = "dnxhr" if source.coding == "dnxhd" else source.coding
    if coding.codec != same:
        return f"the output is {coding.kept.coding}, and the source is not"
    if source.coding not in ("h264", "hevc", *_ALONE):
        return f"{coding.kept.coding} of two encoders does not fit together"
    picture = source.picture
    form = form_of(coding.pixel_format)
    if form != (chroma_of(picture), picture.depth, picture.alpha) and source.coding not in _ALONE:
        return f"its kind of picture ({picture.pixel_format}) cannot be made"
    if source.coding == "dnxhd" and not source.profile.startswith("DNXHR"):
        return "it is DNxHD, and DNxHR is made"
    return ""


def _stored_otherwise(source: Source) -> str:
    picture, timing = source.picture, source.timing
    if picture.interlaced:
        return "it is interlaced, and progressive frames are made"
    if picture.turned:
        return "a tag turns its pictures"
    if picture.alpha_beside:
        return "its transparency lies in a second stream"
    if source.resized is not None or source.clip.missing_frames:
        return "it is damaged, or its pictures change their size"
    if timing is None or not timing.constant:
        return "its frame rate varies"
    return ""


def copies(found: Listing, changed: Bool, shortest: int = SHORTEST) -> list[Copied]:
    """The stretches in which nothing is changed, in order.

    Args:
        found: the source's packets.
        changed: (N,) for each frame of the source, whether it is made anew.
        shortest: frames below which a stretch is left out.
    """
    frames = found.frames
    stretches: list[tuple[int, int]] = []  # [first packet, packet behind the last one)
    for start, end in zip(found.keys, [*found.keys[1:], len(frames)], strict=True):
        own = frames[start:end]
        goes_on = bool(stretches) and stretches[-1][1] == start
        if goes_on and (more := _plain(own, changed, leads=True)):
            stretches[-1] = stretches[-1][0], start + more
        elif start in found.starts and (more := _plain(own, changed, leads=False)):
            stretches.append((start, start + more))
    alone = len(found.keys) == len(frames)
    made = (_copied(found, frames, *stretch) for stretch in stretches)
    return [copy for copy in made if copy.end - copy.first >= (1 if alone else shortest)]


def _plain(own: Int, changed: Bool, *, leads: bool) -> int:
    """How many packets of a key picture's group can be copied, from that picture on.

    No picture leans on one that is decoded later, so those behind a changed one alone are lost; but
    those that stay must be shown one after the other.

    Args:
        own: (P,) the frames of the group's packets; -1 for hidden ones.
        changed: (N,) frames that are made anew.
        leads: whether the frames that are shown before the key picture stay, too.
    """
    lead = own < own[0]
    good = (own >= 0) & ((lead & (not leads)) | ~changed[own])
    until = len(own) if good.all() else int(np.argmin(good))
    together = np.cumsum(~lead) == np.maximum.accumulate(own) - own[0] + 1
    if leads:
        together &= np.cumsum(lead) == lead.sum()
    ends = np.flatnonzero(together[:until])
    return int(ends[-1]) + 1 if len(ends) else 0


def _copied(found: Listing, frames: Int, start: int, end: int) -> Copied:
    key = int(frames[start])
    own = [int(frame) if frame >= key else -1 for frame in frames[start:end]]
    return Copied(key, max(own) + 1, start, tuple(own), start in found.opened)


def rest_of(count: int, kept: list[Copied]) -> list[tuple[int, int]]:
    """[first, end) of the frames, of `count`, that no stretch holds."""
    bounds = [0, *(bound for copy in kept for bound in (copy.first, copy.end)), count]
    return [(a, b) for a, b in zip(bounds[::2], bounds[1::2], strict=True) if a < b]
