"""Where the packets of AAC lie, and between which of them those of another coder fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from gsmooth_core.media import ffmpeg
from gsmooth_core.media.joining.copies import remux
from gsmooth_core.media.joining.parameter_sets import Refused
from gsmooth_core.media.reading.description import check_readable, describe

SAMPLES = 1024
"""Of each channel in a packet of AAC."""
RUN_UP = 8
"""Packets that an encoder codes before the first one that may be taken."""
Window = tuple[int, int]
"""Sequence and shape of a packet's window, see `window_of`."""
_JITTER = 8.0  # samples by which a steady clock may be off
_LEAST_RATE = 32_000  # Hz; a speech of a higher rate than this is not brought down further
_CONTAINERS = ("mp4", "mov", "matroska")
_SHORT_RIGHT, _SHORT_LEFT = (1, 2), (2, 3)


@dataclass(frozen=True)
class Grid:
    """Where the packets of a track lie.

    Attributes:
        rate: samples a second.
        first: sample, from the file's own time zero on, with which its first packet begins.
        windows: of each packet; None where that is not told simply.
        config: the decoder's first bytes: kind, rate and channels.
    """

    rate: int
    first: int
    windows: tuple[Window | None, ...]
    config: bytes


@dataclass(frozen=True)
class Seams:
    """Which packets of a track are copied: all before `begin`, and all from `end` on."""

    begin: int
    end: int


def grid_of(path: Path, track: int) -> Grid:
    """List the packets of a sound (remembered as long as the file is not changed).

    Raises:
        MediaError: it cannot be read.
        Refused: they do not follow each other without a gap.
    """
    path = path.absolute()
    return _grid(path, track, check_readable(path))


@lru_cache(maxsize=8)
def _grid(path: Path, track: int, _stamp: tuple[int, int]) -> Grid:
    said = remux("sounds", str(path), ffmpeg.FORMATS, str(track))
    if not said["stamps"] or None in said["stamps"]:
        raise Refused("its clock is damaged")
    rate, tick = said["rate"], Fraction(*said["tick"])
    at = np.array(said["stamps"]) * float(tick * rate)
    first = round(float(at[0]))  # as ffmpeg counts, which lays the speech's stretch beside it
    expected = first + SAMPLES * np.arange(len(at))
    if np.abs(at - expected).max() > max(_JITTER, 1.5 * float(tick * rate)):
        raise Refused("there are gaps in it")
    windows = tuple(window_of(bytes.fromhex(head)) for head in said["heads"])
    return Grid(rate, first, windows, bytes.fromhex(said["extradata"])[:2])


def refusal(path: Path, track: int, muxer: str, rate: int) -> str:
    """Why a track's packets cannot stand around a speech, as far as can be told beforehand.

    Args:
        path: the source.
        track: which of its sounds, from 0.
        muxer: ffmpeg's name of the output's container.
        rate: samples a second that are worth keeping.

    Returns:
        the reason, or "".

    Raises:
        MediaError: it cannot be read.
    """
    sound = describe(path).sounds[track]
    if sound.coding != "aac" or sound.profile != "LC" or sound.channels not in (1, 2):
        return "it is not AAC (LC) of one channel or two"
    if muxer not in _CONTAINERS:
        return "the output holds no AAC"
    if sound.sample_rate < min(rate, _LEAST_RATE):
        return "the speech has a higher rate"
    try:
        grid_of(path, track)
    except Refused as error:
        return str(error)
    return ""


def window_of(head: bytes) -> Window | None:
    """(sequence, shape) of the window of a packet of AAC; None where that stands further behind.

    The sequence is 0 for a long window, 1 and 3 for those before and behind short ones, 2 for
    these (ISO/IEC 14496-3, 4.4.2.1 and table 4.109).

    Args:
        head: its first four bytes.
    """
    bits = "".join(f"{byte:08b}" for byte in head)
    element = bits[:3]
    if element == "000":  # one channel: element, tag, gain, reserved bit
        return int(bits[16:18], 2), int(bits[18])
    if element == "001" and bits[7:8] == "1":  # two that share a window
        return int(bits[9:11], 2), int(bits[11])
    return None


def places(
    its: Grid, ours: Sequence[Window | None], at: int, quiet: Seams
) -> tuple[list[int], list[int]]:
    """Where copied packets may end, and where they may begin again; the nearest ones come first.

    Args:
        its: the source's packets.
        ours: windows of those that were coded.
        at: which of the source's packets the first of ours stands for.
        quiet: packets up to which, and from which on, the own sound alone is heard.
    """
    theirs, count = its.windows, len(its.windows)
    lowest, highest = max(at + RUN_UP, 1), min(at + len(ours), count)
    begins = [
        cut
        for cut in range(min(quiet.begin, highest - 1), lowest - 1, -1)
        if _fit(theirs[cut - 1], ours[cut - 1 - at], ours[cut - at])
    ]
    ends = [
        cut
        for cut in range(max(quiet.end, lowest), highest)
        if _fit(ours[cut - 1 - at], theirs[cut - 1], theirs[cut])
    ]
    return begins, ends


def _fit(before: Window | None, previous: Window | None, behind: Window | None) -> bool:
    """Whether a packet can follow `before`, which was coded to follow `previous`."""
    if before is None or previous is None or behind is None:
        return False
    right = before[0] in _SHORT_RIGHT, before[1]
    return right == (behind[0] in _SHORT_LEFT, previous[1])
