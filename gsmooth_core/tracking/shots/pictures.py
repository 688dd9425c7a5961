"""Thumbnails of a clip, compared by what is in them and not by their light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from gsmooth_core.face.rasterizer.numba_kernels import compiled
from gsmooth_core.storage.spool import Spool
from gsmooth_core.tracking.blocks import blocks
from gsmooth_core.types import Bool, Float, Image

Thumbnails = Sequence[Image] | Spool[np.uint8]
"""T pictures (32, 32, 3) RGB."""

SIDE = 32

_SPREAD = 2.0  # of the structure's blur, in pixels of a thumbnail
_NOISE = 2.0  # levels; what is fainter has no structure
_BLACK = 20.0  # levels; no line of a bar is lighter
_LEAST = 4.0  # length of the structure of a frame that shows something; up to 32
_PLAIN = 2.5  # levels of contrast below which a frame shows nothing


def thumbnail(frame: Image) -> Image:
    """(32, 32, 3) means over the parts of a picture (H, W, 3), by their area."""
    if min(frame.shape[:2]) < SIDE:
        return np.asarray(cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    out: Image = np.empty((SIDE, SIDE, 3), np.uint8)
    _average(np.ascontiguousarray(frame).reshape(len(frame), -1), out)
    return out


@compiled
def _average(rows: Any, out: Any) -> None:
    """Means of bytes (H, 3 W) of RGB in (S, S, 3); OpenCV takes six times as long, for the same."""
    height, width, side = rows.shape[0], rows.shape[1] // 3, out.shape[0]
    down, across = height / side, width / side
    band = np.empty(3 * width, np.float32)
    for i in range(side):
        first, end = i * down, min((i + 1) * down, float(height))
        band[:] = 0
        for row in range(int(first), int(np.ceil(end))):
            share = np.float32(min(end, row + 1.0) - max(first, float(row)))
            for k in range(3 * width):
                band[k] += share * np.float32(rows[row, k])
        for j in range(side):
            left, right = j * across, min((j + 1) * across, float(width))
            red = green = blue = 0.0
            for column in range(int(left), int(np.ceil(right))):
                share = min(right, column + 1.0) - max(left, float(column))
                red += share * band[3 * column]
                green += share * band[3 * column + 1]
                blue += share * band[3 * column + 2]
            for c, total in enumerate((red, green, blue)):
                out[i, j, c] = np.uint8(min(total / (down * across) + 0.5, 255.0))


@dataclass(frozen=True)
class ShotSettings:
    """What counts as another picture, in `unlike` of their structure (0 the same, 1 nothing alike).

    Attributes:
        cut: least difference at a cut.
        beyond: the same where a flash hides what moves meanwhile.
        white: the same where a flash is all that is seen for a moment.
        jump: least difference where a shot goes on later; it must then stand alone.
        alone: how many times the difference of the frames around that is.
        flash: frames that a flash may last.
        dissolve: shortest and longest dissolve in frames.
        bend: how far a dissolve may be from even, parts of its height.
        residue: what in a dissolve may be neither picture, parts of their difference.
        apart: least difference of colour between the pictures of a dissolve, root mean square.
        steady: how far either may go on before and behind, parts of their difference; what moves
            looks like a dissolve for a moment, and then moves on.
    """

    cut: float = 0.55
    beyond: float = 0.75
    white: float = 0.9
    jump: float = 0.35
    alone: float = 3.0
    flash: int = 5
    dissolve: tuple[int, int] = (4, 60)
    bend: float = 0.12
    residue: float = 0.17
    apart: float = 0.08
    steady: float = 0.25


class Pictures:
    """Thumbnails and their structure.

    Args:
        thumbnails: of all frames.
        folder: where what is worked out of them lies, see `Spool`.

    Attributes:
        structure: (T, 1024) local contrast, of unit length; 0 where there is nothing to see.
        plain: (T,) frames that show nothing, black or white.
        light: (T,) mean, 0..255.
    """

    def __init__(self, thumbnails: Thumbnails, folder: Path | None = None) -> None:
        count = len(thumbnails)
        self._thumbnails = thumbnails
        self.structure = Spool(np.float32, (SIDE * SIDE,), folder)
        self.plain: Bool = np.zeros(count, bool)
        self.light: Float = np.zeros(count, np.float32)
        for some in blocks(count):
            self.light[some] = self.colour(some).mean(1) * 255
            for t, thumbnail in enumerate(thumbnails[some], some.start):
                structure, self.plain[t] = _structure(thumbnail)
                self.structure.add(structure)

    def colour(self, frames: slice) -> Float:
        """(K, 768) small pictures of some frames, 0..1."""
        some, half = np.asarray(self._thumbnails[frames], np.uint8), SIDE // 2
        squares = some.reshape(len(some), half, 2, half, 2, 3).astype(np.float32)
        return np.asarray(squares.mean((2, 4)).reshape(len(some), -1) / 255, np.float32)

    def levels(self, frames: slice) -> Float:
        """(K, 3072) thumbnails of some frames, 0..255."""
        some = np.asarray(self._thumbnails[frames], np.float32)
        return some.reshape(len(some), -1)

    def unlike(self, first: slice, second: slice) -> Float:
        """(A, B) how unlike the frames of two stretches are; plain ones are left out."""
        a, b = (self.structure[s][~self.plain[s]] for s in (first, second))
        return np.asarray(1 - a @ b.T, np.float32)


def _structure(thumbnail: Image) -> tuple[Float, bool]:
    grey = cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY).astype(np.float32)
    inner = _inside_bars(grey)
    detail = grey[inner] - cv2.GaussianBlur(grey[inner], (0, 0), _SPREAD)
    power = cv2.GaussianBlur(detail**2, (0, 0), _SPREAD) + _NOISE**2
    local = np.zeros_like(grey)
    local[inner] = detail / np.sqrt(power)
    local[inner] -= local[inner].mean()
    length = float(np.linalg.norm(local))
    plain = float(grey.std()) < _PLAIN or length < _LEAST
    return np.asarray(local.ravel() / max(length, _LEAST), np.float32), plain


def _inside_bars(grey: Float) -> tuple[slice, slice]:
    """The picture between black bars, whose edges would make all pictures look alike."""
    parts = []
    for line in (grey.max(1), grey.max(0)):
        lit = np.flatnonzero(line >= _BLACK)
        low, high = (int(lit[0]), int(lit[-1]) + 1) if len(lit) else (0, SIDE)
        low, high = low + (low > 0), high - (high < SIDE)  # a mixed line
        parts.append(slice(low, high) if high - low >= SIDE // 4 else slice(0, SIDE))
    return parts[0], parts[1]
