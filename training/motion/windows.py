"""Windows of movements in figures: what a judge looks at, after one filter for all."""

from __future__ import annotations

import numpy as np

from gsmooth_core.motion.curves import FPS, smoothed
from gsmooth_core.types import Float

WINDOW, STRIDE = 100, 25
"""Frames at 25 a second of a window, and between two."""
FILTER = 0.05  # seconds, sigma: every movement goes through it, so that none is known by its noise
BANDS = ((0.4, 1.0), (1.0, 2.0), (2.0, 4.0))
"""Hertz."""

_FLOOR = 1e-3  # degrees: below it there is nothing


def filtered(motion: Float) -> Float:
    """(T, 6) -> (T, 3) pitch, yaw, roll in degrees behind the common filter."""
    return np.rad2deg(smoothed(motion[:, :3], FPS, FILTER)).astype(np.float32)


def windows(turn: Float) -> Float:
    """(T, 3) -> (W, WINDOW, 3) each around its own mean; none of what is shorter."""
    if len(turn) < WINDOW:
        return np.zeros((0, WINDOW, 3), np.float32)
    view = np.lib.stride_tricks.sliding_window_view(turn, WINDOW, axis=0)[::STRIDE]
    cut = view.transpose(0, 2, 1)
    return np.asarray(cut - cut.mean(axis=1, keepdims=True), np.float32)


def features(cut: Float) -> Float:
    """(W, WINDOW, 3) -> (W, 27) how far, how fast, how jerkily, in which bands, how together."""
    speed = np.diff(cut, axis=1) * float(FPS)
    change = np.diff(speed, axis=1)
    sizes = [cut.std(axis=1), np.ptp(cut, axis=1), np.abs(speed).mean(axis=1), change.std(axis=1)]
    spectrum = np.abs(np.fft.rfft(cut * np.hanning(WINDOW)[:, None], axis=1)) ** 2
    hertz = np.fft.rfftfreq(WINDOW, 1 / float(FPS))
    for low, high in BANDS:
        inside = (hertz >= low) & (hertz < high)
        sizes.append(np.sqrt(spectrum[:, inside].mean(axis=1)))
    logs = np.log(np.concatenate(sizes, axis=1) + _FLOOR)
    found = [logs, _together(cut), _together(speed)]
    return np.asarray(np.concatenate(found, axis=1), np.float32)


def _together(curves: Float) -> Float:
    """(W, T, 3) -> (W, 3) correlations of pitch and yaw, pitch and roll, yaw and roll."""
    moved = curves - curves.mean(axis=1, keepdims=True)
    unit = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), _FLOOR)
    pairs = ((0, 1), (0, 2), (1, 2))
    return np.stack([(unit[..., a] * unit[..., b]).sum(axis=1) for a, b in pairs], axis=1)
