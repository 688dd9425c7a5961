"""The parts of a face crop that figures are given for: mouth box, mask, its rim, the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.landmarks import LIPS
from gsmooth_core.types import Bool, Float

Box = tuple[slice, slice]

_INSIDE = 2  # pixels of the mask that belong to its rim
_STEEPEST = 8.0  # levels a pixel that count: what is steeper is the outline of something

MARGIN = 10
"""Pixels around the lips that belong to the mouth box."""


def mouth_box(mouth: NDArray[np.bool_]) -> Box:
    """Rows and columns around the pixels of the mouth; all of them where there is no mouth."""
    return box_around(mouth, MARGIN)


def box_around(mask: Bool, margin: int) -> Box:
    """Rows and columns around what is set of a mask (H, W); all of them where nothing is."""
    y, x = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    if not len(y):
        return np.s_[:, :]
    return _box(int(x[0]), int(y[0]), int(x[-1]), int(y[-1]), margin)


def lip_box(landmarks: Float, size: int, margin: int = MARGIN) -> Box | None:
    """Rows and columns around the lips of one frame, within a crop of `size` pixels.

    Args:
        landmarks: (478, 2) pixels of the crop.
        size: side of the crop.
        margin: pixels around the lips.

    Returns:
        None where there is no face.
    """
    lips = landmarks[list(LIPS)]
    if not np.isfinite(lips).all():
        return None
    (x0, y0), (x1, y1) = np.floor(lips.min(0)).clip(0, size - 1), lips.max(0).clip(0, size - 1)
    return _box(int(x0), int(y0), int(x1), int(y1), margin)


def _box(x0: int, y0: int, x1: int, y1: int, margin: int) -> Box:
    rows = slice(max(0, y0 - margin), y1 + margin + 1)
    return rows, slice(max(0, x0 - margin), x1 + margin + 1)


@dataclass(frozen=True)
class Rim:
    """The band around a mask over which a new picture fades out, and two pixels inside.

    Attributes:
        band: (H, W) its pixels; none where the mask is empty or everything.
        normal: (H, W, 2) x and y of the direction away from the mask, of length 1.
    """

    band: Bool
    normal: NDArray[np.float64]


def rim(mask: Bool, width: float) -> Rim:
    """The rim of a mask.

    Args:
        mask: (H, W) M_f.
        width: width of the band outside the mask, in pixels.
    """
    inside, outside = _distances(mask)
    band: Bool = (outside <= width) & (inside <= _INSIDE) & bool(mask.any() and not mask.all())
    normal_y, normal_x = np.gradient(outside.astype(np.float64) - inside)
    normal = np.stack([normal_x, normal_y], -1)
    return Rim(band, normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9))


def rim_energy(picture: NDArray[Any], around: Rim) -> float:
    """Mean absolute gradient across the outline of the mask, within its rim.

    A seam is an edge along the outline, so only the gradient's part at right angles to the
    outline counts, and none is steep: where a chin's own outline lies on the rim, a chin that
    moves is no seam. The figure to look at is the dubbed picture's over the source's.

    Args:
        picture: (H, W, 3), 0..255.
        around: the mask's rim.

    Returns:
        grey levels a pixel; NaN where there is no rim.
    """
    if not around.band.any():
        return float("nan")
    down, across = np.gradient(picture.astype(np.float64).mean(-1))
    slope = across * around.normal[..., 0] + down * around.normal[..., 1]
    return float(np.minimum(np.abs(slope[around.band]), _STEEPEST).mean())


def _distances(mask: Bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """(H, W) pixels to the nearest pixel outside of the mask, and to the nearest one of it."""
    inner, outer = mask.astype(np.uint8), (~mask).astype(np.uint8)
    kind, size = cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    return cv2.distanceTransform(inner, kind, size), cv2.distanceTransform(outer, kind, size)
