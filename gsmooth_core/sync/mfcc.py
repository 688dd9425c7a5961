"""Mel-frequency cepstral coefficients as SyncNet was fed with (those of python_speech_features).

Pre-emphasis 0.97, rectangular windows of 25 ms every 10 ms, 512-point power spectrum, 26
triangles whose corners are whole bins, orthonormal DCT-II, lifter 22, and the frame's log energy
in place of the first coefficient.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

from gsmooth_core.types import Float

SAMPLE_RATE = 16_000
WINDOW, HOP, FFT = 400, 160, 512
FILTERS, COEFFICIENTS = 26, 13
PRE_EMPHASIS, LIFTER = 0.97, 22
FULL_SCALE = 32768.0
"""The coefficients are those of 16-bit samples; only the energy depends on that."""

_TINY = np.finfo(np.float64).eps
_Doubles = NDArray[np.float64]


def _mel(hz: float) -> float:
    return 2595.0 * float(np.log10(1.0 + hz / 700.0))


@cache
def _filters() -> _Doubles:
    """(26, 257) triangles between bins that are equally far apart in mel."""
    mels = np.linspace(0.0, _mel(SAMPLE_RATE / 2), FILTERS + 2)
    hz = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    corners = np.floor((FFT + 1) * hz / SAMPLE_RATE)[:, None]
    bins = np.arange(FFT // 2 + 1)[None]
    low, middle, high = corners[:-2], corners[1:-1], corners[2:]
    rise = np.where((bins >= low) & (bins < middle), (bins - low) / (middle - low), 0.0)
    fall = np.where((bins >= middle) & (bins < high), (high - bins) / (high - middle), 0.0)
    triangles: _Doubles = rise + fall
    return triangles


def mfcc(audio: Float) -> Float:
    """Coefficients of speech.

    Args:
        audio: (S,) samples at 16 kHz, -1..1.

    Returns:
        (M, 13), 100 rows a second; row m begins with sample 160 m. The last window is filled up
        with silence, so that M is 1 + ceil((S - 400) / 160).
    """
    wave = np.asarray(audio, np.float64) * FULL_SCALE
    wave = np.append(wave[:1], wave[1:] - PRE_EMPHASIS * wave[:-1])
    count = 1 + max(0, -(-(len(wave) - WINDOW) // HOP))
    wave = np.pad(wave, (0, max(0, (count - 1) * HOP + WINDOW - len(wave))))
    places = np.arange(count)[:, None] * HOP + np.arange(WINDOW)[None]
    power = np.abs(np.fft.rfft(wave[places], FFT, axis=1)) ** 2 / FFT  # (M, 257)
    energy = power.sum(axis=1)
    bands = np.log(np.maximum(power @ _filters().T, _TINY))
    cepstrum = dct(bands, type=2, norm="ortho", axis=1)[:, :COEFFICIENTS]
    order = np.arange(COEFFICIENTS)
    cepstrum *= 1.0 + LIFTER / 2 * np.sin(np.pi * order / LIFTER)
    cepstrum[:, 0] = np.log(np.maximum(energy, _TINY))
    coefficients: Float = cepstrum.astype(np.float32)
    return coefficients
