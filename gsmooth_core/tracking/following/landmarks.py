"""478 points of one face, and how far each of the 52 ARKit shapes is on.

A square crop, turned upright by the line of the eyes, goes through the face mesh network; a
second network reads the ARKit scores from 146 of the points.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gsmooth_core.face.landmarks import MIRRORED
from gsmooth_core.networks.blaze import Detection
from gsmooth_core.networks.litert import Network
from gsmooth_core.types import Float, Image

LANDMARKS = 478
EYE_LEFT, EYE_RIGHT = 33, 263
"""Outer eye corners, at the picture's left and right."""

# fmt: off
ARKIT_NAMES = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight",
    "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft",
    "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight",
    "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft",
    "mouthPressRight", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper",
    "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut",
)
"""The network's own order without its first score (neutral); it has no tongueOut, which stays 0."""

# Which points the score network was made for (a fact of the model, in its documentation).
_SCORE_POINTS = np.array([
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65,
    66, 67, 70, 78, 80, 81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136,
    144, 145, 146, 148, 149, 150, 152, 153, 154, 155, 157, 158, 159, 160, 161, 162, 163, 168,
    172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249, 251, 263, 267, 269, 270, 276,
    282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314, 317, 318,
    321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380,
    381, 382, 384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466,
    468, 469, 470, 471, 472, 473, 474, 475, 476, 477,
])
# fmt: on

_MARGIN = 1.5
"""The network wants a crop this many times the face's box."""


@dataclass(frozen=True)
class Crop:
    """A turned square of a frame.

    Attributes:
        centre: (2,) pixels.
        side: pixels.
        angle: radians, clockwise on the screen; 0 is upright.
    """

    centre: Float
    side: float
    angle: float

    @classmethod
    def around(cls, detection: Detection) -> Crop:
        """The crop for a detected face."""
        size = float(np.max(detection.box[2:] - detection.box[:2]))
        angle = _angle(detection.keypoints[0], detection.keypoints[1])
        return cls(detection.centre, _MARGIN * size, angle)

    @classmethod
    def of_points(cls, points: Float) -> Crop:
        """The crop for a face whose landmarks (478, 2 or 3) are known, in pixels."""
        xy = points[:, :2]
        low, high = xy.min(0), xy.max(0)
        angle = _angle(xy[EYE_LEFT], xy[EYE_RIGHT])
        return cls((low + high) / 2, _MARGIN * float((high - low).max()), angle)

    @property
    def face(self) -> float:
        """Width of the face, in pixels."""
        return self.side / _MARGIN

    @property
    def box(self) -> tuple[int, int, int, int]:
        """x0, y0, x1, y1 of an upright square around the face, in pixels."""
        low, high = self.centre - self.face / 2, self.centre + self.face / 2
        return int(low[0]), int(low[1]), int(high[0]) + 1, int(high[1]) + 1

    def turned(self, angle: float) -> Crop:
        """The same square, turned further."""
        return Crop(self.centre, self.side, self.angle + angle)

    def near(self, other: Crop, tolerance: float) -> bool:
        """Whether the two differ by less than `tolerance` (parts of the side, radians)."""
        shift = float(np.abs(self.centre - other.centre).max()) / other.side
        turn = abs((self.angle - other.angle + np.pi) % (2 * np.pi) - np.pi)
        return max(shift, abs(self.side / other.side - 1), turn) < tolerance

    def matrix(self, side: int) -> Float:
        """(2, 3) affine map from `side` x `side` crop pixels to frame pixels."""
        scale = self.side / side
        cos, sin = np.cos(self.angle) * scale, np.sin(self.angle) * scale
        linear = np.array([[cos, -sin], [sin, cos]])
        offset = self.centre - linear @ np.full(2, side / 2)
        return np.asarray(np.concatenate([linear, offset[:, None]], 1), np.float32)


@dataclass(frozen=True)
class FaceLandmarks:
    """What the networks say about one face.

    Attributes:
        points: (478, 3) pixels x, y in the frame, and relative depth in pixels (towards the
            viewer is negative).
        presence: 0..1, how sure it is that this is a face.
        crop: in which they were found.
    """

    points: Float
    presence: float
    crop: Crop


class FaceMesh:
    """Landmarks and ARKit scores of faces whose place is known."""

    def __init__(self) -> None:
        self._points = Network("face_landmarks_detector.tflite")
        self._scores = Network("face_blendshapes.tflite")

    def landmarks(self, frame: Image, crop: Crop, *, mirrored: bool = False) -> FaceLandmarks:
        """Find the points of the face inside a crop.

        Args:
            frame: (H, W, 3) RGB.
            crop: where the face is.
            mirrored: show the network the crop in a mirror; the points are those of the frame.

        Returns:
            the points; believe them only as far as `presence` says.
        """
        side = self._points.side
        matrix = crop.matrix(side)
        if mirrored:
            matrix = matrix @ np.array([[-1, 0, side], [0, 1, 0], [0, 0, 1]], np.float32)
        outputs = self._points(cut(frame, matrix, side), white=255)
        raw = outputs["Identity"].reshape(LANDMARKS, 3)  # (1, 1, 1, 1434) -> (478, 3)
        xy = raw[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        z = raw[:, 2:] * (crop.side / side)
        presence = 1 / (1 + np.exp(-np.clip(outputs["Identity_1"].item(), -50, 50)))
        points = np.concatenate([xy, z], 1).astype(np.float32)
        return FaceLandmarks(points[MIRRORED] if mirrored else points, float(presence), crop)

    def scores(self, points: Float) -> Float:
        """(52,) ARKit scores, 0..1, in the order of `ARKIT_NAMES`, of points (478, 2 or 3)."""
        outputs = self._scores(points[_SCORE_POINTS, :2])
        values: Float = next(iter(outputs.values())).reshape(-1)
        return np.append(values[1:], np.float32(0))


def cut(frame: Image, matrix: Float, side: int) -> Image:
    """Resample a turned square of a frame.

    Args:
        frame: (H, W, 3).
        matrix: (2, 3) crop pixels -> frame pixels.
        side: size of the result.

    Returns:
        (side, side, 3); black outside the frame.
    """
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    frame, matrix = _shrink(frame, matrix, side, int(scale))
    # OpenCV counts from pixel centres, we from pixel corners.
    shifted = matrix.copy()
    shifted[:, 2] += matrix[:, :2].sum(1) / 2 - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(frame, shifted, (side, side), flags=flags), np.uint8)


def _shrink(frame: Image, matrix: Float, side: int, factor: int) -> tuple[Image, Float]:
    """Average blocks of the part that is needed, so that a large face is not aliased."""
    if factor < 2:
        return frame, matrix
    corners = np.array([[0, 0], [side, 0], [0, side], [side, side]]) @ matrix[:, :2].T
    low = np.floor(corners.min(0) + matrix[:, 2]).astype(int) - factor
    high = np.ceil(corners.max(0) + matrix[:, 2]).astype(int) + factor
    height, width = frame.shape[:2]
    x0, y0 = np.clip(low, 0, (width - 1, height - 1))
    x1, y1 = np.clip(high, (x0 + 1, y0 + 1), (width, height))
    part = frame[y0:y1, x0:x1]
    size = (max((x1 - x0) // factor, 1), max((y1 - y0) // factor, 1))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    ratio = np.array(size, np.float32) / (x1 - x0, y1 - y0)
    moved = matrix - np.array([[0, 0, x0], [0, 0, y0]], np.float32)
    return np.asarray(small, np.uint8), (moved * ratio[:, None]).astype(np.float32)


def _angle(left: Float, right: Float) -> float:
    return float(np.arctan2(right[1] - left[1], right[0] - left[0]))
