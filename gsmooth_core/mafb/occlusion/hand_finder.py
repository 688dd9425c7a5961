"""Hands in single frames: BlazePalm finds palms, a second network the 21 landmarks of each.

Both are MediaPipe's. Palms are looked for and not hands, since fingers take any shape; the second
network sees the square that a palm spans, turned so that the fingers point up, and says as well
whether a hand is there at all. From one frame to the next its own landmarks give the square.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.mafb.crop import for_opencv
from gsmooth_core.networks.blaze import Detection, Tile, anchors, cut, decode, scores, suppress
from gsmooth_core.networks.litert import Network
from gsmooth_core.types import Float, Image

LANDMARKS = 21
"""Wrist, then root, two joints and tip of thumb, index, middle, ring and little finger."""

WRIST, INDEX, MIDDLE, RING, LITTLE = 0, 5, 9, 13, 17
"""The wrist, and the roots of the fingers."""

_GRIDS = ((24, 2), (12, 6))  # cells a side, and how many anchors each has
_FIRM = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)  # landmarks that fingertips do not move
_PALM_WRIST, _PALM_MIDDLE = 0, 2  # key points of a palm
_OF_PALM = 2.6, 0.5  # side of the square over that of the palm's box, and how far up it moves
_OF_HAND = 2.0, 0.1  # the same of the box of the firm landmarks
_SAME = 0.5  # of a hand's width: landmarks that are nearer on average are one hand's
_SLENDER = 0.62  # width of a palm over its length, at least


@dataclass(frozen=True)
class HandSettings:
    """How hands are looked for.

    Attributes:
        minimum_score: palms below are dropped.
        overlap: intersection over union above which two boxes are one palm.
        presence: how certain it must be that there is a hand, 0..1: in 2,900 looks at 30 clips
            what is none had .875 at most.
        kept: how certain it must be beside frames that show one.
    """

    minimum_score: float = 0.5
    overlap: float = 0.3
    presence: float = 0.9
    kept: float = 0.5


@dataclass(frozen=True)
class Hand:
    """One hand.

    Attributes:
        landmarks: (21, 2) pixels of the frame, see `LANDMARKS`.
        presence: 0..1, how certain it is that this is a hand.
    """

    landmarks: Float
    presence: float

    @property
    def width(self) -> float:
        """Width of the palm in pixels; of one that is seen from its side, what its length says."""
        points = self.landmarks
        across = float(np.hypot(*(points[INDEX] - points[LITTLE])))
        return max(across, _SLENDER * float(np.hypot(*(points[WRIST] - points[MIDDLE]))))


@dataclass(frozen=True)
class _Square:
    """What the second network sees: a square of the frame whose upper side is turned.

    Attributes:
        centre: (2,) pixels.
        side: in pixels.
        angle: by which it is turned clockwise, in radians.
    """

    centre: Float
    side: float
    angle: float

    def to_frame(self, size: int) -> NDArray[np.float64]:
        """(2, 3) from its `size` x `size` pixels to those of the frame."""
        turn = _turn(self.angle) * (self.side / size)
        return np.column_stack([turn, self.centre - turn @ np.full(2, size / 2)])


class HandFinder:
    """Finds hands in single frames, and follows them from one to the next."""

    def __init__(self, settings: HandSettings | None = None) -> None:
        self.settings = settings or HandSettings()
        self._palms = Network("palm_detection.tflite")
        self._hands = Network("hand_landmarks.tflite")
        self._anchors = anchors(_GRIDS)

    def find(self, frame: Image, tile: Tile) -> list[Hand]:
        """What may be hands in one square of a frame (H, W, 3) RGB, the most certain one first."""
        found = [self._look(frame, _around_palm(palm)) for palm in self._palms_in(frame, tile)]
        return apart([hand for hand in found if hand.presence >= self.settings.kept])

    def follow(self, frame: Image, hand: Hand) -> Hand | None:
        """The hand of the frame before; None where it is not seen any more."""
        found = self._look(frame, _around_hand(hand.landmarks))
        return found if found.presence >= self.settings.kept else None

    def _palms_in(self, frame: Image, tile: Tile) -> list[Detection]:
        side = self._palms.side
        outputs = self._palms(cut(frame, tile, side), white=255)
        certainty = scores(outputs["Identity_1"])
        keep = certainty >= self.settings.minimum_score
        raw = outputs["Identity"][0, keep] / side
        found = decode(raw, self._anchors[keep], certainty[keep], tile)
        return suppress(found, self.settings.overlap)

    def _look(self, frame: Image, square: _Square) -> Hand:
        size = self._hands.side
        to_frame, flags = square.to_frame(size), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        at = for_opencv(to_frame)
        seen = np.asarray(cv2.warpAffine(frame, at, (size, size), flags=flags), np.uint8)
        outputs = self._hands(seen, white=255)
        points = outputs["Identity"].reshape(LANDMARKS, 3)[:, :2]  # (1, 63) -> (21, 3): x, y, z
        there = (points @ to_frame[:, :2].T + to_frame[:, 2]).astype(np.float32)
        return Hand(there, float(outputs["Identity_1"][0, 0]))


def apart(hands: list[Hand]) -> list[Hand]:
    """The hands without those that are one of the others again, the most certain of each."""
    kept: list[Hand] = []
    for hand in sorted(hands, key=lambda hand: -hand.presence):
        off = [np.hypot(*(hand.landmarks - other.landmarks).T).mean() for other in kept]
        if all(far > _SAME * hand.width for far in off):
            kept.append(hand)
    return kept


def _around_palm(palm: Detection) -> _Square:
    wrist, middle = palm.keypoints[_PALM_WRIST], palm.keypoints[_PALM_MIDDLE]
    return _square(palm.centre, float(max(palm.box[2:] - palm.box[:2])), wrist, middle, _OF_PALM)


def _around_hand(points: Float) -> _Square:
    wrist = points[WRIST]
    fingers = (points[INDEX] + points[RING]) / 4 + points[MIDDLE] / 2
    firm = points[list(_FIRM)]
    back = _turn(_angle(wrist, fingers))
    # In the hand's own axes the box is as narrow as it can be.
    turned = (firm - firm.mean(0)) @ back
    low, high = turned.min(0), turned.max(0)
    centre = firm.mean(0) + back @ ((low + high) / 2)
    return _square(centre, float(max(high - low)), wrist, fingers, _OF_HAND)


def _square(
    centre: Float, side: float, wrist: Float, fingers: Float, of: tuple[float, float]
) -> _Square:
    larger, up = of
    angle = _angle(wrist, fingers)
    return _Square(centre - _turn(angle) @ np.array([0, up * side]), larger * side, angle)


def _angle(wrist: Float, fingers: Float) -> float:
    """By which the way from the wrist to the fingers is turned clockwise from straight up."""
    right, down = (fingers - wrist).tolist()
    return float(np.arctan2(right, -down))


def _turn(angle: float) -> NDArray[np.float64]:
    """(2, 2) the rotation by an angle, clockwise as it is seen."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])
