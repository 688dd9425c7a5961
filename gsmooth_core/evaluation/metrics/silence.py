"""Frames in which nobody is heard."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import minimum_filter1d

from gsmooth_core.a2ep.mel import SAMPLE_RATE
from gsmooth_core.types import Bool, Float

BELOW = 30.0
"""Decibels below the loud parts under which a frame counts as silent."""

_AROUND = 0.1  # seconds before and after that must be silent too: lips part before a sound


def silent_frames(audio: Float, frames: int, fps: float) -> Bool:
    """Whether a frame, and 0.1 s around it, is silent.

    A frame's level is the root mean square of its samples; the loud parts' is the 95th
    percentile over frames. Digital silence throughout is silent.

    Args:
        audio: (S,) 16 kHz.
        frames: T, the number of frames.
        fps: frames per second.

    Returns:
        (T,)
    """
    edges = np.round(np.arange(frames + 1) / fps * SAMPLE_RATE).astype(int)
    sums = np.concatenate([[0.0], np.cumsum(audio.astype(np.float64) ** 2)])
    at = np.minimum(edges, len(audio))
    level = np.sqrt(np.diff(sums[at]) / np.maximum(np.diff(edges), 1))
    quiet = level <= np.percentile(level, 95) * 10 ** (-BELOW / 20)
    reach = 2 * max(1, round(_AROUND * fps)) + 1
    silent: Bool = minimum_filter1d(quiet.astype(np.uint8), reach, mode="nearest") > 0
    return silent
