"""How far the mouth is open and how wide it is, from landmarks, and how two such curves agree."""

from __future__ import annotations

import numpy as np

from gsmooth_core.face.landmarks import MOUTH_CORNERS, OUTER_EYE_CORNERS
from gsmooth_core.types import Float

# Places of the 478-point face mesh.
UPPER_INNER_LIP, LOWER_INNER_LIP = (81, 13, 311), (178, 14, 402)

_CONSTANT = 1e-5  # of a curve's size: what rounding alone makes it vary


def eye_distance(landmarks: Float) -> Float:
    """Distance of the outer eye corners.

    Args:
        landmarks: (T, 478, 2 or 3) in any unit.

    Returns:
        (T,) in that unit.
    """
    left, right = OUTER_EYE_CORNERS
    distance: Float = np.linalg.norm(landmarks[:, left] - landmarks[:, right], axis=-1)
    return distance


def aperture(landmarks: Float) -> Float:
    """Opening of the inner lips: mean of three vertical gaps over the clip's eye distance.

    The scale is the median over the clip, so that a turning head does not open the mouth.

    Args:
        landmarks: (T, 478, 2 or 3); NaN where there is no face.

    Returns:
        (T,), 0 is shut; NaN where there is no face.
    """
    upper = landmarks[:, UPPER_INNER_LIP]
    lower = landmarks[:, LOWER_INNER_LIP]
    gap: Float = np.linalg.norm(upper - lower, axis=-1).mean(axis=1)
    return gap / np.nanmedian(eye_distance(landmarks))


def width(landmarks: Float) -> Float:
    """Distance of the mouth corners over the clip's median eye distance, (T,)."""
    left, right = MOUTH_CORNERS
    span: Float = np.linalg.norm(landmarks[:, left] - landmarks[:, right], axis=-1)
    return span / np.nanmedian(eye_distance(landmarks))


def correlation(a: Float, b: Float) -> float:
    """Pearson's r over the frames where both are numbers; 0 when either is constant.

    Args:
        a: (T,)
        b: (T,)
    """
    both = np.isfinite(a) & np.isfinite(b)
    pair = np.stack([a[both], b[both]]).astype(np.float64)
    size = np.abs(pair).max(axis=1, initial=0)
    if both.sum() < 3 or (pair.std(axis=1) <= _CONSTANT * size).any():
        return 0.0
    return float(np.corrcoef(pair)[0, 1])
