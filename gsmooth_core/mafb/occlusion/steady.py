"""Edges that keep their place on the screen, and from which frame to which they do.

A caption does not follow the head. Where an edge lies in the same pixel, in the same direction and
of the same strength over several frames, its pixel and its frames are noted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from gsmooth_core.types import Bool, Float, Image, Int

CHANNELS = np.array([[0.299, 0.587, 0.114], [0.5, 0, -0.5]], np.float32)
"""Brightness, and yellow against blue: rows of RGB in which letters differ from skin."""

_STRONG = 12.0  # levels a pixel from which a gradient is an edge
_CHANGED = 0.2  # squared change of a gradient, over its square, from which it is another edge
_BLUR = 0.7  # pixels: blocks and grain of a video
_FEWEST = 2  # frames


@dataclass(frozen=True)
class SteadyEdges:
    """S pixels that show the same edge over a stretch of frames.

    Attributes:
        y: (S,) rows.
        x: (S,) columns.
        first: (S,) first frame.
        last: (S,) last frame, at least `first` + 1.
        gradient: (S, 4) x and y, of each of `CHANNELS` (x0, x1, y0, y1), levels a pixel.
    """

    y: Int
    x: Int
    first: Int
    last: Int
    gradient: Float

    def __len__(self) -> int:
        return len(self.y)

    def normal_of(self, which: Int) -> Float:
        """(N, 2) unit vectors across the edges of these numbers (N,)."""
        across, down = self.gradient[which, :2], self.gradient[which, 2:]
        channel = (across**2 + down**2).argmax(1)
        at = np.arange(len(which))
        vector = np.stack([across[at, channel], down[at, channel]], 1)
        unit: Float = vector / np.maximum(np.linalg.norm(vector, axis=1, keepdims=True), 1e-6)
        return unit

    def at(self, frame: int) -> Bool:
        """(S,) edges that are there in a frame."""
        there: Bool = (self.first <= frame) & (self.last >= frame)
        return there


def gradients(picture: Image) -> Float:
    """(H, W, 4) x and y gradients of the channels of (H, W, 3) RGB, see `SteadyEdges`."""
    grey = cv2.GaussianBlur(cv2.transform(picture.astype(np.float32), CHANNELS), (0, 0), _BLUR)
    x, y = (cv2.Sobel(grey, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    return np.concatenate([x, y], 2)


def steady_edges(pictures: Iterable[Image]) -> SteadyEdges:
    """Find the edges that keep their place.

    Args:
        pictures: (H, W, 3) RGB each, of one shot, in order.
    """
    noted: list[tuple[Int, Float]] = []
    known: Float | None = None
    frame = 0
    for frame, picture in enumerate(pictures):
        seen = gradients(picture)
        strength = _squared(seen)
        if known is None:
            known, size = np.zeros_like(seen), np.ones_like(strength)
            first, alive = np.zeros(strength.shape, np.int32), np.zeros(strength.shape, bool)
        stays = alive & (_squared(seen - known) < _CHANGED * size)
        noted.append(_noted(alive & ~stays, first, frame - 1, known))
        new = (strength > 2 * _STRONG**2) & ~stays
        known[new], size[new], first[new] = seen[new], strength[new], frame
        alive = stays | new
    if known is None:
        none = np.zeros(0, np.int32)
        return SteadyEdges(none, none, none, none, np.zeros((0, 4), np.float32))
    noted.append(_noted(alive, first, frame, known))
    places, vectors = (np.concatenate(each) for each in zip(*noted, strict=True))
    y, x, first_frame, last_frame = places.T
    return SteadyEdges(y, x, first_frame, last_frame, vectors)


def _noted(ended: Bool, first: Int, last: int, known: Float) -> tuple[Int, Float]:
    """(S, 4) row, column, first and last frame of those that ended, and their gradients."""
    long = ended & (last - first >= _FEWEST - 1)
    y, x = np.nonzero(long)
    places = np.stack([y, x, first[long], np.full(len(y), last)], 1).astype(np.int32)
    return places, known[long]


def _squared(vectors: Float) -> Float:
    squares: Float = np.einsum("hwc,hwc->hw", vectors, vectors)
    return squares
