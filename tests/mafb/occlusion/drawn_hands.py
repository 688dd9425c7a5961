"""Drawn hands, whose landmarks are known: MediaPipe's networks take them for real ones."""

from __future__ import annotations

import cv2
import numpy as np

from gsmooth_core.types import Bool, Float, Image

_ROOTS = ((-0.42, -0.38), (-0.42, -1.15), (-0.13, -1.22), (0.16, -1.17), (0.44, -1.05))
_TURNS = (-0.7, -0.14, -0.02, 0.09, 0.22)
_LENGTHS = (
    (0.45, 0.38, 0.33),
    (0.55, 0.36, 0.28),
    (0.62, 0.4, 0.3),
    (0.56, 0.38, 0.29),
    (0.42, 0.28, 0.25),
)
_FINGER, _FLESH = 0.17, 0.22  # of a palm's width: half of a finger's breadth, around the palm
_SKIN = np.array([224, 172, 140])


def hand(centre: tuple[float, float], width: float, turn: float = 0, mirror: bool = False) -> Float:
    """(21, 2) landmarks of an open hand whose palm has this width, around a centre.

    It points up; `turn` is clockwise, in radians.
    """
    points = [np.zeros(2)]
    for root, angle, lengths in zip(_ROOTS, _TURNS, _LENGTHS, strict=True):
        points.append(np.array(root))
        for length in lengths:
            points.append(points[-1] + length * np.array([np.sin(angle), -np.cos(angle)]))
    open_hand = (np.array(points) - [0, -1]) * [-1 if mirror else 1, 1]
    cos, sin = np.cos(turn), np.sin(turn)
    return np.asarray(open_hand @ np.array([[cos, sin], [-sin, cos]]) * width + centre, np.float32)


def shape(landmarks: Float, size: tuple[int, int]) -> Bool:
    """(H, W) what the hand covers: lines of a finger's breadth along its bones."""
    width = float(np.hypot(*(landmarks[5] - landmarks[17])))
    drawn, at = np.zeros(size, np.uint8), np.floor(landmarks).astype(int)
    palm = at[[0, 1, 5, 9, 13, 17]]
    cv2.fillPoly(drawn, [palm.astype(np.int32)], (1,))
    cv2.polylines(drawn, [palm.astype(np.int32)], True, (1,), round(2 * _FLESH * width))
    for root in (1, 5, 9, 13, 17):
        bones = at[root : root + 4].astype(np.int32)
        cv2.polylines(drawn, [bones], False, (1,), round(2 * _FINGER * width))
    return drawn > 0


def before(picture: Image, landmarks: Float) -> Image:
    """A picture (H, W, 3) with the hand before what it shows."""
    width = float(np.hypot(*(landmarks[5] - landmarks[17])))
    covered = shape(landmarks, picture.shape[:2])
    inside = cv2.distanceTransform(covered.astype(np.uint8), cv2.DIST_L2, 5)
    shade = 0.55 + 0.45 * np.sqrt(np.clip(inside / (0.2 * width), 0, 1))
    drawn = np.where(covered[..., None], _SKIN * shade[..., None], picture).astype(np.uint8)
    soft = cv2.GaussianBlur(covered.astype(np.float32), (0, 0), 0.8)[..., None]
    return (picture * (1 - soft) + cv2.GaussianBlur(drawn, (0, 0), 0.8) * soft).astype(np.uint8)
