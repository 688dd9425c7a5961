"""Pictures that each keep their own time, for sources whose rate varies (`--timing keep`)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.media.reading.probe import probe_source
from gsmooth_core.media.reading.timing import Ticks, Timing
from gsmooth_core.types import Clip

_TERM = 10_000  # of the mean rate
_COARSEST = 0.0011  # seconds; Matroska keeps milliseconds


def paced(clip: Clip) -> Clip:
    """The clip with each of its pictures as one frame, at its mean rate; a steady one as it is.

    Raises:
        MediaError: it cannot be read.
    """
    timing = probe_source(clip.path).timing
    if timing is None or timing.constant:
        return clip
    count, times = len(timing.pts), times_of(clip)[0]
    mean = count / (int(times[-1]) * timing.time_base)
    return replace(clip, frame_count=count, fps=mean.limit_denominator(_TERM), paced=True)


def times_of(clip: Clip) -> tuple[Ticks, Fraction]:
    """(T + 1,) ticks at which each frame is shown and at which the last one ends; and a tick.

    Raises:
        MediaError: it cannot be read.
    """
    timing = probe_source(clip.path).timing
    if timing is None or (not clip.paced and timing.constant):
        return np.arange(clip.frame_count + 1), 1 / clip.fps
    return np.append(timing.pts, timing.pts[-1] + _last(timing)) - timing.pts[0], timing.time_base


def _last(timing: Timing) -> int:
    """Ticks for which the last picture stands, as far as is known."""
    stands = int((timing.source_index == len(timing.pts) - 1).sum())
    return max(1, round(stands / (timing.fps * timing.time_base)))


def rows_of(clip: Clip, rate: Fraction, count: int) -> NDArray[np.int64]:
    """(T,) which of `count` rows at a steady rate belong to each frame: those at its middle."""
    times, tick = times_of(clip)
    shown = np.diff(times).clip(max=np.median(np.diff(times)))
    middle = (times[:-1] + shown / 2) * float(tick * rate)
    return np.asarray(np.floor(middle).clip(0, count - 1), np.int64)


def same_times(one: Clip, other: Clip) -> bool:
    """Whether the frames of two clips are shown at the same times; when they end is often unknown.

    Raises:
        MediaError: one cannot be read.
    """
    mine, its = (ticks[:-1] * float(tick) for ticks, tick in map(times_of, (one, other)))
    return len(mine) == len(its) and bool(np.abs(mine - its).max() < _COARSEST)
