"""Whether a photo's eyes can be closed: what is seen of them, and what painting them achieved."""

from __future__ import annotations

import cv2
import numpy as np

from gsmooth_core.portrait.eye import Eye
from gsmooth_core.tracking.following.landmarks import Crop, FaceMesh
from gsmooth_core.types import Float, Image

# fmt: off
EYES = (
    (33, 133, ((160, 144), (159, 145), (158, 153))),
    (263, 362, ((387, 373), (386, 374), (385, 380))),
)
"""Mesh points of each eye: its corners, and pairs of upper and lower lid."""
# fmt: on

_CHEEKS = (50, 280)
"""Mesh points on the cheeks, below the glasses."""

_SMALLEST = 12.0
"""Eyes narrower than this many pixels hold nothing to paint with."""

_TURNED = 0.4
"""One eye as narrow as this part of the other: the head is turned away."""

_SHUT = 0.14
"""Lids as near as this part of the eye's width are shut: truly shut eyes measure up to .1."""

_CLOSED = 0.35
"""Painted lids are closed when this part of the opening is left, or less."""

_AS_SHUT = 0.1
"""So are lids that measure like truly shut eyes, whatever the opening was."""

_LENS, _LENS_CONTRAST = 0.5, 0.3
"""Dark glasses: darker all around the eye than this part of the cheek, and with less contrast."""


def opening(points: Float) -> Float:
    """(2,) distance of the lids over the width of the eye, of mesh points (478, 2 or more)."""
    return np.array([_open(points[:, :2], *lids) for lids in EYES], np.float32)


def seen_reason(photo: Image, points: Float, eyes: tuple[Eye, Eye]) -> str:
    """Why the eyes cannot be painted, by what is seen of them; empty if they can."""
    widths = [e.width / e.scale for e in eyes]
    if max(widths) < _SMALLEST:
        return f"the eyes are smaller than {_SMALLEST:.0f} pixels"
    if min(widths) < _TURNED * max(widths):
        return "the head is turned so far that only one eye is seen"
    if not all(_inside(photo, points[list(lids[:2])]) for lids in EYES):
        return "the eyes are not wholly inside the picture"
    if opening(points).mean() < _SHUT:
        return "the eyes are already shut, or nearly"
    if _dark_glasses(photo, points, eyes):
        return "dark glasses hide the eyes"
    return ""


def measured_reason(photo: Image, painted: Image, points: Float) -> str:
    """Why painted lids do not count as closed, by landmarks found again; empty if they do."""
    mesh, crop = FaceMesh(), Crop.of_points(points)
    before, after = (opening(mesh.landmarks(p, crop).points).mean() for p in (photo, painted))
    if after <= max(_CLOSED * before, _AS_SHUT):
        return ""
    return f"the painted lids stay open by {after / before:.0%}"


def _open(points: Float, outer: int, inner: int, pairs: tuple[tuple[int, int], ...]) -> float:
    width = np.hypot(*(points[outer] - points[inner]))
    gaps = [np.hypot(*(points[a] - points[b])) for a, b in pairs]
    return float(np.mean(gaps) / max(float(width), 1e-6))


def _inside(photo: Image, corners: Float) -> bool:
    size = np.array([photo.shape[1], photo.shape[0]])
    return bool(((corners >= 0) & (corners < size)).all())


def _dark_glasses(photo: Image, points: Float, eyes: tuple[Eye, Eye]) -> bool:
    """Whether both eyes are dark and flat from brow to below, where the cheeks are not."""
    cheek = max(_brightness_at(photo, points[c]) for c in _CHEEKS)
    return all(_hidden(eye, eye.close_up(photo).mean(2), cheek) for eye in eyes)


def _hidden(eye: Eye, grey: Float, cheek: float) -> bool:
    around = (eye.rows > eye.crease) & (eye.rows < eye.lower + 0.2 * eye.width)
    low, middle, high = np.percentile(grey[around & (np.abs(eye.along - 0.5) < 0.5)], (5, 50, 95))
    return bool(middle < _LENS * cheek and high - low < _LENS_CONTRAST * cheek)


def _brightness_at(photo: Image, point: Float) -> float:
    """Mean of a few pixels around a point."""
    patch = cv2.getRectSubPix(photo, (5, 5), (float(point[0] - 0.5), float(point[1] - 0.5)))
    return float(patch.mean())
