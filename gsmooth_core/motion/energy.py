"""How loud a voice is, frame by frame, and where its phrases end."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from scipy.ndimage import uniform_filter1d

from gsmooth_core.motion.curves import times
from gsmooth_core.ranges import ranges_of
from gsmooth_core.types import Float

SAMPLE_RATE = 16000
RANGE = 30.0  # dB between what counts as silence and the loud parts of a speech
WINDOW = 0.06  # seconds over which a level is taken
SPOKEN = 0.35
"""Energy above which somebody speaks."""
PAUSE = 0.25  # seconds without speech that end a phrase
PHRASE = 0.3  # seconds that a phrase lasts at least

_FAINTEST = -65.0  # dBFS: a recording whose loud parts are below this holds no speech


def speech_energy(samples: Float, count: int, fps: Fraction) -> Float:
    """Loudness of a speech, relative to its own loud parts.

    Args:
        samples: (S,) at 16 kHz.
        count: T, frames; what they have beyond the sound is silent.
        fps: their rate.

    Returns:
        (T,) 0 (silence, or 30 dB below the loud parts) .. 1 (as loud as these).
    """
    if not len(samples):
        return np.zeros(count, np.float32)
    power = uniform_filter1d(
        np.square(samples, dtype=np.float64), round(WINDOW * SAMPLE_RATE), mode="constant"
    )
    places = np.floor(times(count, fps) * SAMPLE_RATE).astype(int)
    heard = np.where(places < len(power), power[np.minimum(places, len(power) - 1)], 0.0)
    level = 10 * np.log10(np.maximum(heard, 1e-12))
    loud = float(np.percentile(10 * np.log10(np.maximum(power[::160], 1e-12)), 95))
    if loud < _FAINTEST:
        return np.zeros(count, np.float32)
    return np.asarray(np.clip((level - loud) / RANGE + 1, 0, 1), np.float32)


def phrase_ends(energy: Float, fps: Fraction) -> tuple[float, ...]:
    """Seconds at which phrases end: speech is over, and a pause (or nothing) follows.

    Args:
        energy: (T,) of `speech_energy`.
        fps: its rate.
    """
    rate, spoken = float(fps), energy > SPOKEN
    for first, last in ranges_of(~spoken):  # the short gaps between sounds are no pauses
        if first > 0 and last < len(spoken) - 1 and (last - first + 1) / rate < PAUSE:
            spoken[first : last + 1] = True
    runs = [(a, b) for a, b in ranges_of(spoken) if (b - a + 1) / rate >= PHRASE]
    return tuple((last + 1) / rate for _, last in runs)
