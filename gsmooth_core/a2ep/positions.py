"""Codes of places in time, made alike for every engine."""

from __future__ import annotations

import math

import numpy as np

from gsmooth_core.types import Float


def sinusoids(length: int, width: int) -> Float:
    """(length, width) sines then cosines over a geometric series of wavelengths (Whisper's)."""
    steps = np.arange(width // 2, dtype=np.float32) / np.float32(width // 2 - 1)
    slow = np.float32(10_000.0) ** -steps
    angles = np.arange(length, dtype=np.float32)[:, None] * slow[None]
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)


def positional_encoding(period: int, d: int) -> Float:
    """(period, d) table of PE(t): sines in the even, cosines in the odd channels."""
    channels = np.arange(0, d, 2, dtype=np.float32)
    slow = np.exp(channels * np.float32(-math.log(10_000.0) / d))
    angles = np.arange(period, dtype=np.float32)[:, None] * slow[None]
    table: Float = np.stack([np.sin(angles), np.cos(angles)], axis=-1).reshape(period, -1)
    return table
