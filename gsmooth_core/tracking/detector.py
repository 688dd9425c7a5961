"""Where the faces of one frame are: BlazeFace short range, over the frame and over tiles of it.

The network sees 128 x 128 pixels and misses faces under about a fifth of that; when the whole
frame shows none, overlapping square tiles of shrinking size are searched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from gsmooth_core.networks.litert import Network
from gsmooth_core.types import Float, Image

Tile = tuple[float, float, float]
"""Left, top and side of a square in pixels; it may reach outside the frame."""

_SMALLEST_TILE = 32  # a face that needs a smaller one has too few pixels to be of use


@dataclass(frozen=True)
class DetectorSettings:
    """How faces are looked for.

    Attributes:
        minimum_score: detections below are dropped.
        overlap: intersection over union above which two boxes are one face.
        levels: tile sizes tried in turn, as parts of the frame's shorter side; the whole
            frame comes before them.
        smallest: faces with a box narrower than this many pixels are dropped.
    """

    minimum_score: float = 0.5
    overlap: float = 0.3
    levels: tuple[float, ...] = (1.0, 0.5, 0.25)
    smallest: float = 16.0


@dataclass(frozen=True)
class Detection:
    """One face.

    Attributes:
        box: (4,) left, top, right, bottom in pixels.
        keypoints: (6, 2) pixels: eye at the picture's left, eye at its right, nose tip, mouth,
            ear at the left, ear at the right.
        score: 0..1.
    """

    box: Float
    keypoints: Float
    score: float

    @property
    def width(self) -> float:
        """Width of the box in pixels."""
        return float(self.box[2] - self.box[0])

    @property
    def centre(self) -> Float:
        """(2,) middle of the box."""
        return np.asarray((self.box[:2] + self.box[2:]) / 2, np.float32)


class FaceDetector:
    """Finds faces in single frames."""

    def __init__(self, settings: DetectorSettings | None = None) -> None:
        self.settings = settings or DetectorSettings()
        self._network = Network("face_detector.tflite")
        self._anchors = _anchors()

    def detect(self, frame: Image, depth: int | None = None) -> list[Detection]:
        """Find faces, the best score first.

        Args:
            frame: (H, W, 3) RGB.
            depth: how many tile levels may be searched when the whole frame shows no face;
                None: all of them.

        Returns:
            the faces; empty when there is none.
        """
        found = self.detect_in(frame, _whole(frame))
        for level in self.settings.levels[:depth]:
            if found:
                break
            found = [d for tile in _tiles(frame, level) for d in self.detect_in(frame, tile)]
        return _suppress(found, self.settings.overlap)

    def detect_near(self, frame: Image, place: Float) -> list[Detection]:
        """Find faces in the frame and, ever closer, around a place (2,) in pixels."""
        sides = [level * min(frame.shape[:2]) for level in self.settings.levels]
        tiles = [(place[0] - s / 2, place[1] - s / 2, s) for s in sides if s >= _SMALLEST_TILE]
        found = [d for tile in (_whole(frame), *tiles) for d in self.detect_in(frame, tile)]
        return _suppress(found, self.settings.overlap)

    def detect_in(self, frame: Image, tile: Tile) -> list[Detection]:
        """Find faces inside one square of the frame; see `detect`."""
        side = self._network.side
        values = _cut(frame, tile, side).astype(np.float32) / 127.5 - 1.0
        outputs = self._network(values)
        logits = np.clip(outputs["classificators"][0, :, 0], -50, 50)
        scores = 1 / (1 + np.exp(-logits))
        keep = scores >= self.settings.minimum_score
        raw = outputs["regressors"][0, keep] / side
        found = _decode(raw, self._anchors[keep], scores[keep], tile)
        best = _suppress(found, self.settings.overlap)
        return [d for d in best if d.width >= self.settings.smallest]


def _anchors() -> Float:
    """(896, 2) anchor centres, 0..1: a 16 x 16 grid twice, then an 8 x 8 grid six times."""
    grids = []
    for cells, repeats in ((16, 2), (8, 6)):
        ticks = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        y, x = np.meshgrid(ticks, ticks, indexing="ij")
        grids.append(np.repeat(np.stack([x.ravel(), y.ravel()], 1), repeats, axis=0))
    return np.concatenate(grids)


def _decode(raw: Float, anchors: Float, scores: Float, tile: Tile) -> list[Detection]:
    left, top, side = tile
    points = raw.reshape(-1, 8, 2).copy()  # (N, 16) -> (N, 8, 2): centre, size, six key points
    points[:, [0, 2, 3, 4, 5, 6, 7]] += anchors[:, None]
    points *= side
    points[:, [0, 2, 3, 4, 5, 6, 7]] += (left, top)
    centre, half = points[:, 0], points[:, 1] / 2
    boxes = np.concatenate([centre - half, centre + half], 1).astype(np.float32)
    return [
        Detection(box, p[2:], float(s)) for box, p, s in zip(boxes, points, scores, strict=True)
    ]


def _suppress(found: list[Detection], overlap: float) -> list[Detection]:
    """One detection a face: the mean, by score, of those that overlap the best one."""
    left = sorted(found, key=lambda d: -d.score)
    merged: list[Detection] = []
    while left:
        same = [d for d in left if d is left[0] or _iou(d.box, left[0].box) >= overlap]
        merged.append(_mean(same))
        left = [d for d in left if all(d is not other for other in same)]
    return merged


def _mean(same: list[Detection]) -> Detection:
    share = np.array([d.score for d in same], np.float32)
    share /= share.sum()
    box = np.tensordot(share, np.array([d.box for d in same]), 1)
    keypoints = np.tensordot(share, np.array([d.keypoints for d in same]), 1)
    return Detection(box.astype(np.float32), keypoints.astype(np.float32), same[0].score)


def _iou(a: Float, b: Float) -> float:
    size = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    shared = float(np.prod(np.maximum(size, 0)))
    total = float(np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]))
    return shared / max(total - shared, 1e-9)


def _whole(frame: Image) -> Tile:
    height, width = frame.shape[:2]
    side = max(height, width)
    return ((width - side) / 2, (height - side) / 2, side)


def _tiles(frame: Image, level: float) -> Iterator[Tile]:
    """Squares that overlap by half and cover the frame."""
    height, width = frame.shape[:2]
    side = level * min(height, width)
    if side < _SMALLEST_TILE:
        return
    for top in _starts(height, side):
        for left in _starts(width, side):
            yield (left, top, side)


def _starts(length: int, side: float) -> Float:
    count = 1 + int(np.ceil(max(length - side, 0) / (side / 2) - 1e-6))
    return np.linspace(0, length - side, count, dtype=np.float32)


def _cut(frame: Image, tile: Tile, side: int) -> Image:
    """The tile at side x side pixels; black outside the frame."""
    left, top, size = tile
    height, width = frame.shape[:2]
    x0, y0 = max(int(left), 0), max(int(top), 0)
    x1, y1 = min(round(left + size), width), min(round(top + size), height)
    if x1 <= x0 or y1 <= y0:  # less than a pixel of the frame
        return np.zeros((side, side, 3), np.uint8)
    scale = side / size
    inner = (max(round((x1 - x0) * scale), 1), max(round((y1 - y0) * scale), 1))
    part = cv2.resize(frame[y0:y1, x0:x1], inner, interpolation=cv2.INTER_AREA)
    canvas = np.zeros((side, side, 3), np.uint8)
    x, y = max(round((x0 - left) * scale), 0), max(round((y0 - top) * scale), 0)
    part = part[: side - y, : side - x]
    canvas[y : y + part.shape[0], x : x + part.shape[1]] = part
    return canvas
