"""Pictures that a file holds twice: 24 a second in 30, or a drawing that stands for two frames.

A codec codes each of them, so that they are nearly alike and no more. Faces tell: one that is
filmed anew is never as still as a picture that is only coded anew. What stands longer than that
is a photo or a frozen frame, whose frames may lend to each other.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.ndimage import binary_opening, percentile_filter

from gsmooth_core.types import Bool, Box, Image

_STRIDE = 2  # of the pixels that are compared
_AROUND, _USUAL = 25, 80  # frames, and the percentile of their changes that is a new picture's
_SHARE = 0.2  # of such a change that coding anew makes at most
_LEAST, _MOST = 0.05, 0.6  # levels, whatever is usual
LONGEST = 3
"""Times that a picture is shown again, at most."""


class RepeatFinder:
    """Compares each frame with the one before."""

    def __init__(self) -> None:
        self._before: Image | None = None
        self._faces: list[Box] = []
        self._changes: list[float] = []

    def see(self, frame: Image, faces: Sequence[Box]) -> None:
        """Look at the next frame (H, W, 3), at its faces if there are any."""
        before, now = self._before, frame[::_STRIDE, ::_STRIDE, 1].copy()
        both = [*faces, *self._faces]  # who is lost has left the place where they were
        self._before, self._faces = now, list(faces)
        parts = [_part(box, now.shape) for box in both]
        parts = [part for part in parts if now[part].size] or [np.s_[:, :]]
        if before is None or before.shape != now.shape:
            self._changes.append(np.inf)
        else:
            self._changes.append(max(_change(before[part], now[part]) for part in parts))

    def repeated(self) -> Bool:
        """(T,) frames that show the picture of the one before once more."""
        return repeated(self._changes)


def repeated(changes: Sequence[float]) -> Bool:
    """(T,) the same of the mean changes of the faces, in levels."""
    known = np.array(changes, np.float64)
    usual = percentile_filter(np.where(np.isfinite(known), known, 0), _USUAL, _AROUND)
    held = known < np.clip(_SHARE * usual, _LEAST, _MOST)
    return np.asarray(held & ~binary_opening(held, np.ones(LONGEST + 1)), bool)


def _part(box: Box, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The rows and columns of a box, among the pixels that are compared."""
    x0, y0, x1, y1 = (max(n, 0) // _STRIDE for n in box)
    return slice(y0, min(y1, shape[0])), slice(x0, min(x1, shape[1]))


def _change(before: Image, now: Image) -> float:
    return float(cv2.mean(cv2.absdiff(before, now))[0])
