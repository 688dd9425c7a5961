"""How far brows are raised or drawn down: one curve, out of the shapes that move them and back."""

from __future__ import annotations

import numpy as np

from gsmooth_core.face.curves import BROWS, LOWERS, RAISES
from gsmooth_core.motion.curves import smoothed
from gsmooth_core.types import Bool, Expression, FaceTrack, Float

_MOST = 0.7  # of a shape: as far as brows go while people speak
_CALM = 0.06  # seconds, sigma: brows are slower than what a tracker sees of them


def brow_curve(track: FaceTrack, frames: Bool | None = None) -> Float:
    """How far brows are raised in a track, away from their median.

    Args:
        track: of N frames; those without a usable face are bridged in straight lines.
        frames: (N,) which may be looked at; None for all.

    Returns:
        (N,) 1 is a whole shape; negative where they are drawn down. 0 where none is usable, or
        the face model has no such shapes.
    """
    known = np.flatnonzero(track.usable if frames is None else track.usable & frames)
    names = track.expression_names
    if not len(known) or not set(BROWS) <= set(names):
        return np.zeros(len(track), np.float32)
    inner, left, right = (track.expression[:, names.index(name)] for name in RAISES)
    down = np.mean([track.expression[:, names.index(name)] for name in LOWERS], 0)
    lifted = (inner + (left + right) / 2) / 2 - down
    away = lifted[known] - np.median(lifted[known])
    whole = np.interp(np.arange(len(track)), known, away)
    return smoothed(whole[:, None], track.fps, _CALM)[:, 0]


def with_brows(curves: Expression, brow: Float) -> Expression:
    """Curves of T frames whose brows are raised by `brow` (T,), or drawn down, softly bounded."""
    values = curves.values.copy()
    way = _MOST * np.tanh(brow / _MOST)
    for names, share in ((RAISES, np.maximum(way, 0)), (LOWERS, np.maximum(-way, 0))):
        for column in (curves.names.index(name) for name in names if name in curves.names):
            values[:, column] = np.clip(values[:, column] + share, 0, 1)
    return Expression(curves.names, values.astype(np.float32), curves.fps)
