"""Edges that keep their place on the screen, and from which frame to which they do.

A caption does not follow the head. Where an edge lies in the same pixel, in the same direction and
of the same strength over several frames, its pixel and its frames are noted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from gsmooth_core.face.rasterizer.numba_kernels import compiled
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
    grey = _channels(picture)
    x, y = (cv2.Sobel(grey, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    return np.concatenate([x, y], 2)


def _channels(picture: Image) -> Float:
    """(H, W, 2) the channels of (H, W, 3) RGB, without a video's blocks and grain."""
    grey = cv2.transform(picture.astype(np.float32), CHANNELS)
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), _BLUR))


def steady_edges(pictures: Iterable[Image]) -> SteadyEdges:
    """Find the edges that keep their place.

    Args:
        pictures: (H, W, 3) RGB each, of one shot, in order.
    """
    noted: list[tuple[Int, Float]] = []
    known: _Known | None = None
    for frame, picture in enumerate(pictures):
        known = known or _Known(picture.shape[:2])
        noted.append(known.see(_channels(picture), frame))
    if known is None:
        none = np.zeros(0, np.int32)
        return SteadyEdges(none, none, none, none, np.zeros((0, 4), np.float32))
    noted.append(known.rest(len(noted) - 1))
    places, vectors = (np.concatenate(each) for each in zip(*noted, strict=True))
    y, x, first_frame, last_frame = places.T
    return SteadyEdges(y, x, first_frame, last_frame, vectors)


class _Known:
    """The edge that each pixel shows, and since when.

    Args:
        shape: (H, W) of the pictures.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._gradient = np.zeros((*shape, 4), np.float32)
        self._first = np.full(shape, -1, np.int32)  # -1 where there is no edge
        self._ended = np.empty(shape, np.bool_)
        self._before = np.zeros_like(self._gradient), np.zeros_like(self._first)

    def see(self, channels: Float, frame: int) -> tuple[Int, Float]:
        """Look at (H, W, 2) of the next frame; what has ended before it, see `_noted`."""
        gradient, first = self._before
        ended = _seen(channels, frame, self._gradient, self._first, self._ended, gradient, first)
        if not ended:
            return np.zeros((0, 4), np.int32), np.zeros((0, 4), np.float32)
        return _noted(self._ended, first, frame - 1, gradient)

    def rest(self, last: int) -> tuple[Int, Float]:
        """What is still there in the last frame."""
        long = (self._first >= 0) & (last - self._first >= _FEWEST - 1)
        return _noted(long, self._first, last, self._gradient)


def _noted(long: Bool, first: Int, last: int, known: Float) -> tuple[Int, Float]:
    """(S, 4) row, column, first and last frame of some edges (H, W), and their gradients."""
    y, x = np.nonzero(long)
    places = np.stack([y, x, first[y, x], np.full(len(y), last)], 1).astype(np.int32)
    return places, known[y, x]


@compiled
def _seen(
    channels: Any, frame: int, known: Any, first: Any, ended: Any, gradient: Any, since: Any
) -> Any:
    """Look at a frame; edges that stay are as they were when they came.

    Args:
        channels: (H, W, 2) of the frame.
        frame: its number.
        known: (H, W, 4) gradients of the edges that are there; changed.
        first: (H, W) since which frame; -1 for none; changed.
        ended: (H, W) where the edges are put that were there for long and are no more.
        gradient: (H, W, 4) where their gradients are put.
        since: (H, W) where it is put since which frame they were there.

    Returns:
        how many have ended.
    """
    height, width = first.shape
    new, count = np.empty(4, np.float32), 0
    two, scale = np.float32(2), np.float32(1 / 8)
    for row in range(height):
        up = row - 1 if row else min(1, height - 1)  # a mirror at the ends
        down = row + 1 if row < height - 1 else max(height - 2, 0)
        for column in range(width):
            left = column - 1 if column else min(1, width - 1)
            right = column + 1 if column < width - 1 else max(width - 2, 0)
            strength = apart = size = np.float32(0)
            for c in range(2):
                a, b, d = channels[up, left, c], channels[up, column, c], channels[up, right, c]
                e, f = channels[row, left, c], channels[row, right, c]
                g, h = channels[down, left, c], channels[down, column, c]
                i = channels[down, right, c]
                new[c] = ((d - a) + two * (f - e) + (i - g)) * scale
                new[2 + c] = ((g - a) + two * (h - b) + (i - d)) * scale
            for c in range(4):
                own, old = new[c], known[row, column, c]
                strength += own * own
                apart += (own - old) * (own - old)
                size += old * old
            since_when = first[row, column]
            stays = since_when >= 0 and apart < np.float32(_CHANGED) * size
            over = since_when >= 0 and not stays and frame - 1 - since_when >= _FEWEST - 1
            ended[row, column] = over
            if over:
                count += 1
                since[row, column] = since_when
                for c in range(4):
                    gradient[row, column, c] = known[row, column, c]
            if not stays:
                edge = strength > np.float32(2 * _STRONG**2)
                first[row, column] = frame if edge else -1
                if edge:
                    for c in range(4):
                        known[row, column, c] = new[c]
    return count
