"""Where a dubbed shot looks worst, without a true picture to compare it with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d

from gsmooth_core.evaluation.metrics.compare import Curves
from gsmooth_core.types import Float

_STEADY = 5  # frames over which ratios are averaged
_SOFTEST = 15  # percent of the source's frames
_SEAM, _SOFT, _JUMP, _KEPT = 0.12, 0.50, 20.0, 0.125
"""A seam, a lack of detail (energy), a jump (in medians of jumps) and a share of the old mouth that
look equally bad."""


@dataclass(frozen=True)
class FrameBadness:
    """How bad each frame looks.

    Attributes:
        score: (T,) from about 1 on a frame deserves a look; NaN without a face.
        reasons: (T,) what contributes most, in words.
    """

    score: Float
    reasons: list[str]


def frame_badness(curves: Curves) -> FrameBadness:
    """Score the frames of a shot by seam, softness and jumps of the mouth, and what was kept of it.

    Args:
        curves: of the shot; rim, true_rim, mouth_band1, true_mouth_band1, aperture and, where
            there is one, torn (share of the mouth) are used.
    """
    parts = {
        "visible edge around the mouth": (_rim_ratio(curves) - 1) / _SEAM,
        "mouth softer than in the source": (1 - _against_softest(curves)) / _SOFT,
        "the mouth jumps": _jumps(curves["aperture"]) / _JUMP,
        "part of the mouth is as filmed": curves.get("torn", 0 * curves["rim"]) / _KEPT,
    }
    table = np.stack([np.where(np.isfinite(p), p, -np.inf) for p in parts.values()])
    worst, score = table.argmax(axis=0), table.max(axis=0)
    names = list(parts)
    known = np.isfinite(curves["rim"])
    return FrameBadness(
        np.where(known, score, np.nan).astype(np.float32), [names[int(n)] for n in worst]
    )


def _rim_ratio(curves: Curves) -> Float:
    made, true = (_smooth(curves[name]) for name in ("rim", "true_rim"))
    ratio: Float = made / np.maximum(true, 1e-6)
    return ratio


def _against_softest(curves: Curves) -> Float:
    """Detail over that of the source's softest frames: shut lips have less than teeth."""
    known = curves["true_mouth_band1"][np.isfinite(curves["true_mouth_band1"])]
    softest = float(np.percentile(known, _SOFTEST)) if known.size else 1.0
    ratio: Float = _smooth(curves["mouth_band1"]) / max(softest, 1e-6)
    return ratio


def _smooth(values: Float) -> Float:
    """Running mean; NaN spreads to what it touches."""
    smooth: Float = uniform_filter1d(values, min(_STEADY, len(values)), mode="nearest")
    return smooth


def _jumps(aperture: Float) -> Float:
    """(T,) third difference of the opening, over its median."""
    jumps = np.zeros_like(aperture)
    if len(aperture) > 3:
        jumps[2:-1] = np.abs(np.diff(aperture, 3))
    known = jumps[np.isfinite(jumps) & (jumps > 0)]
    median = float(np.median(known)) if known.size else 1.0
    relative: Float = (jumps / max(median, 1e-6)).astype(np.float32)
    return relative
