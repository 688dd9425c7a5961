"""Where the faces of one frame are: BlazeFace short range, over the frame and over tiles of it.

The network sees 128 x 128 pixels and misses faces under about a fifth of that; when the whole
frame shows none, overlapping square tiles of shrinking size are searched.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gsmooth_core.networks.blaze import Detection, Tile, anchors, cut, decode, scores, suppress
from gsmooth_core.networks.litert import Network
from gsmooth_core.types import Float, Image

_GRIDS = ((16, 2), (8, 6))  # cells a side, and how many anchors each has
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


class FaceDetector:
    """Finds faces in single frames."""

    def __init__(self, settings: DetectorSettings | None = None) -> None:
        self.settings = settings or DetectorSettings()
        self._network = Network("face_detector.tflite")
        self._anchors = anchors(_GRIDS)

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
        return suppress(found, self.settings.overlap)

    def detect_near(self, frame: Image, place: Float) -> list[Detection]:
        """Find faces in the frame and, ever closer, around a place (2,) in pixels."""
        sides = [level * min(frame.shape[:2]) for level in self.settings.levels]
        tiles = [(place[0] - s / 2, place[1] - s / 2, s) for s in sides if s >= _SMALLEST_TILE]
        found = [d for tile in (_whole(frame), *tiles) for d in self.detect_in(frame, tile)]
        return suppress(found, self.settings.overlap)

    def detect_in(self, frame: Image, tile: Tile) -> list[Detection]:
        """Find faces inside one square of the frame; see `detect`."""
        side = self._network.side
        values = cut(frame, tile, side).astype(np.float32) / 127.5 - 1.0
        outputs = self._network(values)
        certainty = scores(outputs["classificators"])
        keep = certainty >= self.settings.minimum_score
        raw = outputs["regressors"][0, keep] / side
        found = decode(raw, self._anchors[keep], certainty[keep], tile)
        best = suppress(found, self.settings.overlap)
        return [d for d in best if d.width >= self.settings.smallest]


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
