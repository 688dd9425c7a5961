"""Irises moved within the eyes, so that a head that turns goes on looking at the viewer.

Columns of the eyeball move: those of the iris by the whole shift, those between it and the
corners of the eye ever less, which draws out or presses the white. Lids stay in front: rows are
taken from between them only, and their edges stay as they are.
"""

from __future__ import annotations

import cv2
import numpy as np

from gsmooth_core.portrait.eye import Eye, find_eyes
from gsmooth_core.types import Float, Image

Shift = tuple[float, float]
"""Pixels of the photo to the right and down."""

_FARTHEST = np.array([0.12, 0.05], np.float32)
"""An iris moves by less than this across and along the eye, in eye widths."""

_PRESSED = 0.6
"""And by no more than this part of the white between it and the corner."""

_ROUND = 1.15
"""What belongs to the iris reaches this many radii."""

_EDGE = 0.03
"""Height of the lid's shadow on the eyeball, in eye widths."""


def irises(photo: Image, landmarks: Float, shift: Shift) -> Image:
    """Move both irises.

    Args:
        photo: (H, W, 3) RGB, eyes open.
        landmarks: (478, 2 or more) face mesh points in its pixels, irises included.
        shift: how far; long ones are limited smoothly.

    Returns:
        (H, W, 3); only eyeballs differ.
    """
    picture = photo.copy()
    for eye in find_eyes(landmarks) if any(shift) else ():
        patch = eye.close_up(photo)
        moved, share = move_iris(eye, patch, shift)
        eye.put_back(photo, moved, share).lay(picture)
    return picture


def move_iris(eye: Eye, patch: Float, shift: Shift) -> tuple[Float, Float]:
    """The close-up (h, w, 3) with its iris moved by photo pixels, and (h, w) where it changed."""
    across, along = _limited(eye, shift)
    columns = np.arange(eye.size[0], dtype=np.float32) + 0.5
    share = _share(eye, columns, across)
    x = columns - across * share
    y = np.clip(eye.rows - along * share, *_between(eye, x, columns))
    places = np.dstack([np.broadcast_to(x, y.shape), y]).astype(np.float32) - 0.5
    moved = np.clip(cv2.remap(patch, places, None, cv2.INTER_CUBIC), 0, 255)
    return moved, _within(eye) * eye.changed(patch, moved)


def _limited(eye: Eye, shift: Shift) -> tuple[float, float]:
    """The shift in the close-up, limited by the eye's size and by the white beside the iris."""
    turned = np.linalg.inv(eye.matrix[:, :2]) @ np.asarray(shift, np.float32)
    limit = _FARTHEST * eye.width
    across, along = limit * np.tanh(turned / limit)
    left, right = _whites(eye)
    return float(np.clip(across, -_PRESSED * left, _PRESSED * right)), float(along)


def _whites(eye: Eye) -> tuple[float, float]:
    """Width of the white at the left and right of the iris."""
    radius = _ROUND * eye.iris[2]
    left = eye.iris[0] - radius - eye.start
    right = eye.start + eye.width - eye.iris[0] - radius
    return max(float(left), 0.0), max(float(right), 0.0)


def _share(eye: Eye, columns: Float, across: float) -> Float:
    """(w,) which part of the shift each column moves: all of the iris, nothing at the corners."""
    left, right = _whites(eye)
    centre, radius = eye.iris[0] + across, _ROUND * eye.iris[2]
    before = (columns - eye.start) / max(left + across, 1)
    after = (eye.start + eye.width - columns) / max(right - across, 1)
    return np.where(np.abs(columns - centre) < radius, 1, np.clip(np.minimum(before, after), 0, 1))


def _between(eye: Eye, x: Float, columns: Float) -> tuple[Float, Float]:
    """(h, w) first and last row to take from column x (w,): as far from the lids as its place."""
    edge = _EDGE * eye.width
    upper, lower = (np.interp(x, columns, rows) for rows in (eye.upper, eye.lower))
    low = upper + np.minimum(eye.rows - eye.upper, edge)
    return low, np.maximum(lower - np.minimum(eye.lower - eye.rows, edge), low)


def _within(eye: Eye) -> Float:
    """(h, w) 1 on the eyeball, 0 from the lids' edges on."""
    soft = _EDGE * eye.width
    inside = np.minimum(eye.rows - eye.upper, eye.lower - eye.rows)
    return np.asarray(np.clip(inside / soft, 0, 1), np.float32)
