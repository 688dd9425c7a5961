"""How far a mouth is open and how wide it is, and how well two such curves agree."""

from __future__ import annotations

import numpy as np

from gsmooth_core.face.landmarks import (
    APERTURE_LOWER,
    APERTURE_UPPER,
    CENTRAL_LOWER,
    CENTRAL_UPPER,
    MOUTH_CORNERS,
    OUTER_EYE_CORNERS,
)
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.types import Float

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
    upper = landmarks[:, APERTURE_UPPER]
    lower = landmarks[:, APERTURE_LOWER]
    gap: Float = np.linalg.norm(upper - lower, axis=-1).mean(axis=1)
    return gap / np.nanmedian(eye_distance(landmarks))


def width(landmarks: Float) -> Float:
    """Distance of the mouth corners over the clip's median eye distance, (T,)."""
    left, right = MOUTH_CORNERS
    span: Float = np.linalg.norm(landmarks[:, left] - landmarks[:, right], axis=-1)
    return span / np.nanmedian(eye_distance(landmarks))


def lip_gaps(model: MorphableModel, identity: Float, expression: Float) -> Float:
    """Heights of a mesh's mouth opening at three places near its middle.

    Args:
        model: the face model.
        identity: (I,) of the person.
        expression: (T, E).

    Returns:
        (T, 3) in decimetres; below 0 where the lips overlap.
    """
    lips = [*CENTRAL_UPPER, *CENTRAL_LOWER]
    corners = model.faces[model.landmark_faces[lips]]  # (6, 3)
    weights = model.landmark_barycentric[lips]
    neutral = np.einsum("lc,lc->l", model.template(identity)[corners, 1], weights)
    moves = np.einsum("elc,lc->el", model.expression_basis[:, corners, 1], weights)
    height = neutral + expression @ moves  # (T, 6)
    gaps: Float = (height[:, :3] - height[:, 3:]).astype(np.float32)
    return gaps


def correlation(a: Float, b: Float) -> float:
    """Pearson's r of two curves, over the frames where both have a value.

    Args:
        a: (T,) a curve, NaN where it has no value.
        b: (T,) another one.

    Returns:
        -1..1; 0 when either is constant.
    """
    both = np.isfinite(a) & np.isfinite(b)
    pair = np.stack([a[both], b[both]]).astype(np.float64)
    size = np.abs(pair).max(axis=1, initial=0)
    if both.sum() < 3 or (pair.std(axis=1) <= _CONSTANT * size).any():
        return 0.0
    return float(np.corrcoef(pair)[0, 1])
