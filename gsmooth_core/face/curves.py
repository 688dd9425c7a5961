"""Expression curves from anywhere, made to fit a track: its components, its rate, its length."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from scipy.interpolate import CubicHermiteSpline

from gsmooth_core.errors import InputError
from gsmooth_core.types import Expression, FaceTrack, Float

CHUNK = 4000  # frames that are interpolated at a time


RAISES = ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")
LOWERS = ("browDownLeft", "browDownRight")
BROWS = RAISES + LOWERS
"""ARKit names of the shapes that move brows: up, down, and all."""


def fit_curves(curves: Expression, track: FaceTrack) -> Expression:
    """Curves with the track's components, rate and number of frames.

    Components that the curves lack keep the track's values; those that the track lacks are left
    out. Curves that end early hold their last value.

    Args:
        curves: curves that a user gave or edited, at any rate.
        track: the track that they are to drive.

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
    fitted = _at_rate_of(track, curves)
    values = track.expression.copy()
    for name in shared:
        values[:, track.expression_names.index(name)] = fitted[:, curves.names.index(name)]
    return Expression(track.expression_names, values, track.fps)


def _at_rate_of(track: FaceTrack, curves: Expression) -> Float:
    """(T, E) values of the curves in the track's frames."""
    if curves.fps == track.fps:  # what a user typed for a frame is shown in that frame, exactly
        held: Float = curves.values[np.arange(len(track)).clip(0, len(curves) - 1)]
        return held
    values = resample(curves.values, curves.fps, len(track), track.fps)
    # A cubic overshoots where a curve jumps: shapes below 0 or above 1 appear only where given.
    low, high = curves.values.min(axis=0), curves.values.max(axis=0)
    return values.clip(np.minimum(low, 0), np.maximum(high, 1))


def resample(
    values: Float, rate: Fraction | float, frame_count: int, fps: Fraction, late: float = 0.0
) -> Float:
    """Read curves at the frame centres of a video; frame n of either is centred at n + 1/2.

    Cubic with the slopes of neighbouring frames, so that a mouth that opens and shuts within
    three frames does not lose its peak; beyond the ends the end values hold.

    Args:
        values: (N, E) the curves, N >= 1.
        rate: their frames per second.
        frame_count: T, the number of frames of the video.
        fps: the rate of the video.
        late: seconds by which the curves come too late.

    Returns:
        (T, E).
    """
    if len(values) == 1:
        return np.repeat(values, frame_count, axis=0)
    times = ((np.arange(frame_count) + 0.5) / float(fps) + late) * float(rate) - 0.5
    at = np.clip(times, 0, len(values) - 1)
    read = np.empty((frame_count, values.shape[1]), np.float32)
    for start in range(0, frame_count, CHUNK):  # a spline takes many times its curve's memory
        read[start : start + CHUNK] = _read_spline(values, at[start : start + CHUNK])
    return read


def _read_spline(values: Float, at: Float) -> Float:
    """Values (N, E) at ascending positions (T,), from those of the N that have a part in it."""
    first = max(int(at[0]) - 2, 0)
    near = values[first : int(at[-1]) + 4]
    spline = CubicHermiteSpline(np.arange(len(near)), near, np.gradient(near, axis=0))
    return np.asarray(spline(at - first), np.float32)
