"""Long gaps in a sound, filled with silence in little memory.

ffmpeg's resampler fills a gap all at once: fifty silent minutes take gigabytes, and what is longer
it loses count of. So a sound with a long gap is cut there, and its parts are padded with silence,
which is made as it is needed.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from gsmooth_core.errors import MediaError
from gsmooth_core.media.reading.description import Stream, check_readable, describe
from gsmooth_core.media.reading.packets import MOST_SOUNDS, read_packets

LONGEST = 300
"""Seconds of silence that the resampler may fill at once."""
_HELD = 1 << 28  # bytes that it may take for them
_MOST_CUTS = 500
_UNSET = -(1 << 63)


def without_long_gaps(path: Path, track: int = 0) -> str:
    """Filters before any other, after which a sound has no long gap: "", or with a last comma.

    Its clock is the file's: time zero is the start of the earliest stream. `track` says which of
    the file's sounds it is, from 0.

    Raises:
        MediaError: there are too many gaps, or the file cannot be read.
    """
    path = path.absolute()
    return _filters(path, track, check_readable(path))


@lru_cache(maxsize=64)
def _filters(path: Path, track: int, _stamp: tuple[int, int]) -> str:
    sounds = describe(path).sounds
    cuts = _cuts(path, track, _longest(sounds[track])) if track < len(sounds) else []
    if not cuts:
        return ""
    joined = _part(cuts[0], None) if len(cuts) == 1 else _joined(cuts)
    return f"{joined},adelay={1000 * cuts[0]}:all=1,"


def _joined(cuts: list[int]) -> str:
    count = len(cuts)
    split, filled = ("".join(f"[{name}{n}]" for n in range(count)) for name in ("part", "filled"))
    ends = [*cuts[1:], None]
    parts = [
        f"[part{n}]{_part(begin, end)}[filled{n}];"
        for n, (begin, end) in enumerate(zip(cuts, ends, strict=True))
    ]
    return f"asplit={count}{split};{''.join(parts)}{filled}concat=n={count}:v=0:a=1"


def _part(begin: int, end: int | None) -> str:
    """The sound from one second to another, silence included, on a clock that begins with it."""
    until, length = ("", "") if end is None else (f":end={end}", f",apad=whole_dur={end - begin}")
    cut = f"atrim=start={begin}{until},asetpts=PTS-{begin}/TB"
    return f"{cut},aresample=async=1:first_pts=0{length}"


def _longest(sound: Stream) -> float:
    """Seconds of silence that fit into the memory that may be taken for them."""
    second = 4 * max(sound.sample_rate, 1) * max(sound.channels, 1)
    return min(LONGEST, max(1.0, _HELD / second))


def _cuts(path: Path, track: int, longest: float) -> list[int]:
    """Whole seconds at which the parts of a sound begin; none where it needs no cut."""
    packets = read_packets(path, f"0:a:{track}", MOST_SOUNDS)
    known = packets.stamps[packets.stamps > _UNSET]
    seconds = np.maximum(known * float(packets.time_base), 0.0)
    if not len(seconds):
        return []
    reached = np.maximum.accumulate(seconds)
    after = np.flatnonzero(np.diff(reached) > longest) + 1
    if len(after) > _MOST_CUTS:
        raise MediaError(
            f"The sound of '{path.name}' has {len(after)} long gaps: its clock is damaged.",
            "Convert it to WAV.",
        )
    first = seconds[0]
    if first <= longest and not len(after):
        return []
    begin = int(first) if first > longest else 0
    return sorted({begin, *(max(begin, int(seconds[n]) - 1) for n in after)})
