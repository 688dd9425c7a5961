"""The packets of one stream: when each is shown, read one by one in little memory."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.errors import MediaError
from gsmooth_core.media import ffmpeg
from gsmooth_core.media.reading.description import LIMIT
from gsmooth_core.media.reading.timing import Ticks
from gsmooth_core.types import Bool, Int

DISCARD = 0x4  # AV_PKT_FLAG_DISCARD: outside the file's edit list, decoded but not shown
KEY = 0x1
MOST_PICTURES = 24 * 3600 * 60
MOST_SOUNDS = 24 * 3600 * 400
"""Packets of a stream of sound: a day of the shortest that are in use, 2.5 ms of Opus."""
_TIME_BASE = re.compile(rb"#tb 0: (\d+)/(\d+)")


@dataclass(frozen=True)
class Packets:
    """What a stream holds.

    Attributes:
        time_base: seconds of one tick.
        stamps: (N,) when each packet is shown, in the stream's own order; -2**63 where unknown.
        flags: (N,) of libavcodec, see `DISCARD`.
        troubled: whether ffmpeg complained about something.
        length: ticks from the first packet's to the end of the last one's time of decoding.
        sizes: (N,) bytes of each.
    """

    time_base: Fraction
    stamps: Ticks
    flags: NDArray[np.uint8]
    troubled: bool
    length: int = 0
    sizes: Int = field(default_factory=lambda: np.zeros(0, np.int32))

    def __len__(self) -> int:
        return len(self.stamps)

    @property
    def shown(self) -> NDArray[np.intp]:
        """(M,) numbers of those that are shown, in the order in which they are."""
        there = np.flatnonzero(self.flags & DISCARD == 0)
        return there[np.argsort(self.stamps[there], kind="stable")]


@dataclass(frozen=True)
class Spent:
    """What the pictures of a stream take.

    Attributes:
        sizes: (M,) bytes of each, in the order in which they are shown.
        keys: (M,) whether each needs no other one.
    """

    sizes: Int
    keys: Bool


def read_packets(
    path: Path,
    stream: str,
    most: int,
    *options: str,
    opened: Sequence[str] = (),
    timeout: float = 600.0,
) -> Packets:
    """List the packets of a stream.

    Args:
        path: the file.
        stream: in ffmpeg's words, "0:V:0" for the first that shows moving pictures.
        most: number of packets above which it is refused.
        options: how they are made; by default they are those of the file.
        opened: further options with which the file is opened.
        timeout: seconds that it may take.

    Raises:
        MediaError: far too many packets, or more than can be read in that time.
    """
    arguments = ffmpeg.command(
        *(*ffmpeg.input_arguments(path, *LIMIT, *opened), "-map", stream),
        *(*(options or ("-c", "copy")), "-f", "framecrc", "-"),
    )  # fmt: skip
    time_base, stamps, flags, sizes = Fraction(1, 1000), array("q"), array("B"), array("i")
    begin: int | None = None
    end = 0
    with ffmpeg.Pipe(arguments, write=False, timeout=timeout) as pipe:
        for line in _lines(pipe.parts()):
            # The listing holds numbers alone; nothing that stands in the file gets into it.
            if line.startswith(b"0,"):
                _, decoded, shown, lasts, size, _ = line.split(b",", 5)
                begin, end = int(decoded) if begin is None else begin, int(decoded) + int(lasts)
                stamps.append(int(shown))
                flags.append(_flags(line))
                sizes.append(int(size))
                if len(stamps) > most:
                    raise too_many(path, most)
            elif found := _TIME_BASE.match(line):
                time_base = Fraction(int(found[1]), int(found[2]))
        troubled = bool(pipe.finish() or pipe.errors.strip())
    listed, marked = np.array(stamps, np.int64), np.array(flags, np.uint8)
    taken = np.array(sizes, np.int32)
    return Packets(time_base, listed, marked, troubled, end - (begin or 0), taken)


def _lines(parts: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for part in parts:
        *whole, rest = (rest + part).split(b"\n")
        yield from whole


def _flags(line: bytes) -> int:
    """What stands behind "F="; nothing does for a plain key picture."""
    at = line.find(b"F=0x")
    return KEY if at < 0 else int(line[at + 2 :].split(b",", 1)[0], 16) & 0xFF


def too_many(path: Path, most: int) -> MediaError:
    """The error for a file that holds more than anybody means."""
    return MediaError(
        f"'{path.name}' holds more than {most / 1e6:.0f} million pictures or pieces of sound.",
        "Export the part that is to be dubbed.",
    )
