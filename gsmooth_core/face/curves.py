"""Expression curves from anywhere, made to fit a track: its components, its rate, its length."""

from __future__ import annotations

import numpy as np

from gsmooth_core.errors import InputError
from gsmooth_core.types import Expression, FaceTrack, Float


def fit_curves(curves: Expression, track: FaceTrack) -> Expression:
    """Curves with the track's components, rate and number of frames.

    Components that the curves lack keep the track's values; those that the track lacks are left
    out. Curves that end early hold their last value.

    Raises:
        InputError: no component in common, no frame, or values that are no numbers.
    """
    shared = [name for name in track.expression_names if name in curves.names]
    if not shared or not len(curves):
        raise InputError(
            "The curves have no frames." if shared else "The curves have other components.",
            f"They need columns such as {', '.join(track.expression_names[:3])}.",
        )
    if not np.isfinite(curves.values).all():
        raise InputError("The curves hold values that are no numbers.", "Make them again.")
    resampled = resample(curves, len(track), float(track.fps))
    values = track.expression.copy()
    for name in shared:
        values[:, track.expression_names.index(name)] = resampled[:, curves.names.index(name)]
    return Expression(track.expression_names, values, track.fps)


def resample(curves: Expression, count: int, fps: float) -> Float:
    """(count, E) values of the curves at the times of `count` frames, linear between frames."""
    at = np.arange(count) * float(curves.fps) / fps  # in frames of the curves
    at = np.clip(at, 0, len(curves) - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, len(curves) - 1)
    share = (at - low)[:, None].astype(np.float32)
    values: Float = curves.values[low] * (1 - share) + curves.values[high] * share
    return values
