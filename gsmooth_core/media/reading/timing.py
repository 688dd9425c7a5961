"""From time stamps to one exact, constant frame rate.

A source whose frames lie evenly keeps its own rate, as an exact fraction. A source of variable
rate is read at the rate of its most usual (median) frame distance: frame k of the result is
the last picture that is due by the middle of frame k, so long gaps repeat a picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.errors import MediaError

Ticks = NDArray[np.int64]

DEFAULT_FPS = Fraction(25)
MAX_FPS = Fraction(240)
LONGEST_SECONDS = 24 * 3600.0
LONGEST_GAP = 3600.0
"""Seconds for which one picture may stand."""

_HELD = Fraction(3, 2)
"""Frames that a last picture must last to count as held: recorders round the last one's length."""

STANDARD_RATES = tuple(
    Fraction(*rate)
    for rate in (
        (24000, 1001), (24, 1), (25, 1), (30000, 1001), (30, 1), (48, 1), (50, 1),
        (60000, 1001), (60, 1), (120000, 1001), (120, 1), (12, 1), (15, 1), (10, 1), (20, 1),
    )
)  # fmt: skip


@dataclass(frozen=True)
class Timing:
    """When each picture of a source is shown.

    Attributes:
        pts: (N,) sorted time stamps of the N decodable pictures, in units of `time_base`.
        time_base: seconds of one tick.
        fps: the constant rate at which the source is read.
        source_index: (T,) picture shown in frame k; `arange(N)` for a constant rate.
    """

    pts: Ticks
    time_base: Fraction
    fps: Fraction
    source_index: Ticks

    @property
    def constant(self) -> bool:
        """Whether every picture is exactly one frame, the last one maybe held."""
        count = len(self.pts)
        return np.array_equal(self.source_index[:count], np.arange(count))

    @property
    def start(self) -> Fraction:
        """Time of the first picture in seconds, on the file's own clock."""
        return int(self.pts[0]) * self.time_base


def check_length(name: str, pts: Ticks, time_base: Fraction) -> None:
    """Refuse clocks that nobody means, before anything as long as they say is made.

    Args:
        name: what to call the source in an error.
        pts: (N,) sorted time stamps, N >= 1.
        time_base: seconds of one tick.

    Raises:
        MediaError: longer than a day, or an hour without a new picture.
    """
    seconds = float((int(pts[-1]) - int(pts[0])) * time_base)
    gap = float(int(np.diff(pts).max(initial=0)) * time_base)
    if seconds <= LONGEST_SECONDS and gap <= LONGEST_GAP:
        return
    long = f"lasts {seconds / 3600:.1f} hours"
    what = f"shows one picture for {gap / 3600:.1f} hours" if gap > LONGEST_GAP else long
    raise MediaError(
        f"'{name}' {what}: its clock is damaged, or it is longer than GSmooth can dub.",
        "Export the part that is to be dubbed.",
    )


def make_timing(pts: Ticks, time_base: Fraction, nominal: Fraction | None, held: int = 0) -> Timing:
    """Work out the rate and which picture stands in which frame.

    Args:
        pts: (N,) sorted time stamps, N >= 1.
        time_base: seconds of one tick.
        nominal: rate the container states, if any.
        held: ticks for which the last picture is shown; 0 where that is not known.
    """
    fps = constant_rate(pts, time_base, nominal)
    if fps is not None:
        shown = np.arange(len(pts))
    else:
        fps = usual_rate(pts, time_base)
        shown = _schedule(pts, time_base, fps)
    more = _held_frames(held * time_base * fps)
    return Timing(pts, time_base, fps, np.append(shown, np.full(more, shown[-1])))


def _held_frames(frames: Fraction) -> int:
    """Frames for which a last picture that lasts `frames` stands beyond its own."""
    return round(frames) - 1 if frames > _HELD else 0


def constant_rate(pts: Ticks, time_base: Fraction, nominal: Fraction | None) -> Fraction | None:
    """The exact rate of evenly spaced pictures, None when they are not even.

    Containers that store coarse stamps (milliseconds in Matroska) round them, so a rate fits
    when it predicts every stamp to within one tick; failing that, when it predicts every stamp
    to within half a frame, so that each picture still has a frame of its own.
    """
    nominal = nominal and _snap(nominal)
    if len(pts) == 1:
        return nominal if nominal and 1 <= nominal <= MAX_FPS else DEFAULT_FPS
    steps = np.diff(pts)
    if (steps == steps[0]).all() and not _coarse(pts, time_base, nominal):
        return _within_limits(1 / (int(steps[0]) * time_base))
    mean = Fraction(len(pts) - 1) / (int(pts[-1] - pts[0]) * time_base)
    rates = [nominal, *STANDARD_RATES, mean.limit_denominator(1001)]
    candidates = [rate for rate in rates if rate and _within_limits(rate)]
    for tolerance in (1.0, 0.49 / float(mean * time_base)):
        for rate in candidates:
            if _fits(rate, pts, time_base, tolerance):
                return rate
    return None


def _snap(rate: Fraction) -> Fraction:
    """The standard rate that `rate` means: Matroska keeps nanoseconds a frame, not a fraction."""
    nearest = min(STANDARD_RATES, key=lambda standard: abs(rate - standard))
    return nearest if abs(rate - nearest) < nearest / 100_000 else rate


def usual_rate(pts: Ticks, time_base: Fraction) -> Fraction:
    """Rate for a source of variable rate: its median distance, as a standard rate when close."""
    median = int(np.median(np.diff(pts)))
    rate = 1 / (max(median, 1) * time_base)
    nearest = min(STANDARD_RATES, key=lambda standard: abs(rate - standard))
    if abs(rate - nearest) < nearest / 50:
        return nearest
    return min(max(rate, Fraction(1)), MAX_FPS).limit_denominator(1001)


def _schedule(pts: Ticks, time_base: Fraction, fps: Fraction) -> Ticks:
    """Which picture stands in which frame; the last one stands for one frame."""
    ticks_a_frame = 1 / (fps * time_base)
    count = round(int(pts[-1] - pts[0]) / ticks_a_frame) + 1
    # Nearest slot: stamps that jitter by less than half a frame keep one picture a frame.
    shown_until = _halfway(count, ticks_a_frame)
    return np.searchsorted(pts - pts[0], shown_until, side="right") - 1


def _halfway(count: int, ticks: Fraction) -> Ticks:
    """(count,) whole ticks up to the middle of each frame: floor((k + 1/2) * ticks), exactly."""
    top, bottom = ticks.numerator, 2 * ticks.denominator
    if (2 * count + 1) * top < 1 << 63:
        return (2 * np.arange(count, dtype=np.int64) + 1) * top // bottom
    return np.array([(2 * k + 1) * top // bottom for k in range(count)], np.int64)


def _fits(rate: Fraction, pts: Ticks, time_base: Fraction, tolerance: float = 1.0) -> bool:
    """Whether `rate` predicts every time stamp to within `tolerance` ticks."""
    step = float(1 / (rate * time_base))
    predicted = pts[0] + np.arange(len(pts)) * step
    return bool(np.abs(pts - predicted).max() <= tolerance)


def _coarse(pts: Ticks, time_base: Fraction, nominal: Fraction | None) -> bool:
    """Whether a few equal steps are only rounded ones and the stated rate is the better answer."""
    coarse_clock = time_base >= Fraction(1, 1000)
    return coarse_clock and nominal is not None and _fits(nominal, pts, time_base)


def _within_limits(rate: Fraction) -> Fraction | None:
    return rate if Fraction(1, 10) <= rate <= 2 * MAX_FPS else None
