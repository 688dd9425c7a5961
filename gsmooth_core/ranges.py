"""Runs of frames: [first, last] pairs, and words for them."""

from __future__ import annotations

import numpy as np

from gsmooth_core.types import Bool, FaceTrack

Ranges = list[tuple[int, int]]

Part = tuple[int, int | None]
"""First frame, and number of frames; None means to the end."""

_NAMED = 5  # runs that a sentence names


def ranges_of(frames: Bool) -> Ranges:
    """[first, last] of each run of True in (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], frames, [False]]).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2)]  # pairs: begin, end


def shots_of(track: FaceTrack) -> Ranges:
    """[first, last] of each shot, without dissolves; one where shots are not known."""
    shot = np.zeros(len(track), np.int32) if track.shot is None else track.shot
    stretches = (r for number in np.unique(shot[shot >= 0]) for r in ranges_of(shot == number))
    return sorted(stretches)


def describe_ranges(ranges: Ranges, first: int) -> str:
    """Runs of frames in words, such as "frame 3", or "frames 3, 7-9 and 2 more places".

    Args:
        ranges: at least one.
        first: number of frame 0 for the reader.
    """
    named = [f"{a + first}" if a == b else f"{a + first}-{b + first}" for a, b in ranges[:_NAMED]]
    more = f" and {len(ranges) - _NAMED} more places" if len(ranges) > _NAMED else ""
    several = len(ranges) > 1 or ranges[0][0] != ranges[0][1]
    return f"{'frames' if several else 'frame'} {', '.join(named)}{more}"
