"""The log-mel spectrogram that Whisper listens to, and the loudness that A2EP brings audio to.

Whisper's own front end clips each 30 s window at eight decades below that window's peak. Here
windows overlap and must agree on what they share, so the whole clip is brought to one level
first and the peak is a constant (`PEAK`).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft

from gsmooth_core.types import Float

SAMPLE_RATE = 16_000
FFT = 400
HOP = 160
MELS = 80
DECADES = 8.0
PEAK = 1.0  # log10 power that speech at SPEECH_LEVEL reaches
SPEECH_LEVEL = -20.0  # dBFS that the loud parts of a clip are brought to
MAX_GAIN = 40.0  # dB; what is softer than this stays soft, it is no speech
SPEECH_RANGE = 25.0  # dB between loud and soft speech
BLOCK = 640  # samples a step at 25 fps


def _hz_to_mel(hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's mel scale: linear below 1 kHz, logarithmic above."""
    log_part = 15.0 + 27.0 * np.log(np.maximum(hz, 1.0) / 1000.0) / np.log(6.4)
    return np.where(hz < 1000.0, 3.0 * hz / 200.0, log_part)


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < 15.0, 200.0 * mel / 3.0, 1000.0 * 6.4 ** ((mel - 15.0) / 27.0))


@cache
def mel_filters() -> Float:
    """(80, 201) triangles of unit area on Slaney's mel scale, 0 to 8 kHz."""
    top = _hz_to_mel(np.array([SAMPLE_RATE / 2.0]))[0]
    corners = _mel_to_hz(np.linspace(0.0, top, MELS + 2))
    bins = np.linspace(0.0, SAMPLE_RATE / 2.0, FFT // 2 + 1)
    rise = (bins[None] - corners[:-2, None]) / np.diff(corners)[:-1, None]
    fall = (corners[2:, None] - bins[None]) / np.diff(corners)[1:, None]
    area = 2.0 / (corners[2:] - corners[:-2])
    triangles = np.maximum(0.0, np.minimum(rise, fall)) * area[:, None]
    return triangles.astype(np.float32)  # type: ignore[no-any-return]


def log_mel(audio: Float) -> Float:
    """Whisper's input features, in eight decades below `PEAK`.

    `whisper.log_mel` is the same on tensors.

    Args:
        audio: (S,) samples at 16 kHz, -1..1.

    Returns:
        (80, S // 160), about -1..1.5.
    """
    padded = np.pad(audio, FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[::HOP][: len(audio) // HOP]
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)).astype(np.float32)
    power = np.abs(rfft(frames * hann)) ** 2  # (S // 160, 201)
    log = np.log10(np.maximum(mel_filters() @ power.T, 1e-10))
    return (np.maximum(log, np.float32(PEAK - DECADES)) + 4) / 4  # type: ignore[no-any-return]


def block_levels(audio: Float) -> Float:
    """(S,) samples -> (ceil(S / 640),) level of each 40 ms block in dBFS, -120 at least."""
    count = -(-len(audio) // BLOCK)
    levels = np.empty(count, np.float32)
    for start in range(0, count, 4096):
        part = audio[start * BLOCK : (start + 4096) * BLOCK].astype(np.float32)
        padded = np.pad(part, (0, -len(part) % BLOCK)).reshape(-1, BLOCK)  # (blocks, 640)
        power = np.mean(padded**2, axis=1)
        levels[start : start + len(power)] = 10.0 * np.log10(np.maximum(power, 1e-12))
    return levels


def level_gain(audio: Float) -> float:
    """Factor that brings the loud parts of `audio` (S,) to `SPEECH_LEVEL`."""
    if len(audio) == 0:
        return 1.0
    loud = float(np.percentile(block_levels(audio), 95))
    return float(10.0 ** (min(SPEECH_LEVEL - loud, MAX_GAIN) / 20.0))


def speech_weights(audio: Float) -> Float:
    """(S,) -> (ceil(S / 640),) how much each frame counts when features are averaged.

    Frames within `SPEECH_RANGE` dB of the loud ones count in full, pauses hardly.
    """
    levels = block_levels(audio)
    loud = float(np.percentile(levels, 95)) if len(levels) else 0.0
    return np.where(levels > loud - SPEECH_RANGE, 1.0, 0.02).astype(np.float32)
