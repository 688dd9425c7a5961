"""Where the head of a true frame really is, by its face.

A tracked head is a degree and a pixel off, which matters little to a face and much to hair. Here
the pose is moved until the photo's face, moved by it, lies best upon the frame's: Gauss and
Newton's steps from the tracked pose, to which it is held. Only the face is looked at; hair and
neck, which are judged, are not.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.types import Bool, Float, Image

_DOUBT = np.array([0.01, 0.01, 0.01, 0.02, 0.02, 0.1])
"""How far off a tracked pose is: turns in radians, shifts in decimetres."""

_HELD = 0.002  # of the tracked pose's error, that a step of the size of its doubt costs
_BLUR = (2.0, 1.0)  # pixels: from coarse to fine
_STEPS = 2  # at each
_PROBE = 0.3  # of the doubt, over which derivatives are taken

Made = Callable[[Float, Float], Image]
"""A turn (3,) and a shift (3,), as `HeadMotion` has them, to a picture (H, W, 3) uint8."""


def aligned(made: Made, truth: Image, face: Bool, turn: Float, shift: Float) -> tuple[Float, Float]:
    """(3,) turn and (3,) shift of the head of a true frame.

    Args:
        made: the photo with its head moved.
        truth: (H, W, 3) uint8 RGB, the frame.
        face: (H, W) where it shows the face; nothing else counts.
        turn: (3,) as tracked, radians.
        shift: (3,) as tracked, decimetres.
    """
    start = np.concatenate([turn, shift]).astype(np.float64)

    def apart(way: NDArray[np.float64], blur: float) -> Float:
        pose = start + way * _DOUBT
        picture = made(pose[:3].astype(np.float32), pose[3:].astype(np.float32))
        return (_seen(picture, face, blur) - _seen(truth, face, blur)).ravel()

    way = np.zeros(6)
    for blur in _BLUR:
        for _ in range(_STEPS):
            error = apart(way, blur)
            slopes = [(apart(way + _PROBE * n, blur) - error) / _PROBE for n in np.eye(6)]
            rise = np.stack(slopes, 1)  # (N, 6)
            hold = _HELD * float(error @ error) * np.eye(6)
            step = np.linalg.solve(rise.T @ rise + hold, -rise.T @ error - hold @ way)
            way = way + np.clip(step, -2, 2)
    pose = start + way * _DOUBT
    return pose[:3].astype(np.float32), pose[3:].astype(np.float32)


def _seen(picture: Image, face: Bool, blur: float) -> Float:
    """(N, 3) of a face, blurred by itself alone."""
    weight = face.astype(np.float32)
    inside = cv2.GaussianBlur(picture.astype(np.float32) * weight[..., None], (0, 0), blur)
    share = cv2.GaussianBlur(weight, (0, 0), blur)
    return np.asarray(inside[face] / share[face][:, None])
