"""Cuts between shots, found from one frame to the next."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np

from gsmooth_core.types import Float, Image

_SIDE = 32


@dataclass(frozen=True)
class CutSettings:
    """What counts as a cut.

    Attributes:
        difference: least mean difference of two thumbnails, 0..1.
        ratio: the difference must also be this many times the usual one of the last frames.
        memory: how many frames are "the last".
    """

    difference: float = 0.08
    ratio: float = 5.0
    memory: int = 12


class CutFinder:
    """Says of each frame whether a new shot begins with it."""

    def __init__(self, settings: CutSettings | None = None) -> None:
        self.settings = settings or CutSettings()
        self._previous: Float | None = None
        self._recent: deque[float] = deque(maxlen=self.settings.memory)

    def begins_shot(self, frame: Image) -> bool:
        """Compare a frame (H, W, 3) with the one before; the first one begins a shot."""
        small = cv2.resize(frame, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        thumbnail = np.asarray(small, np.float32) / 255
        previous, self._previous = self._previous, thumbnail
        if previous is None:
            return True
        difference = float(np.abs(thumbnail - previous).mean())
        usual = float(np.median(self._recent)) if self._recent else 0.0
        # A wipe or a fast pan changes much in several frames running; a cut stands alone.
        last = self._recent[-1] if self._recent else 0.0
        self._recent.append(difference)
        settings = self.settings
        return difference > max(settings.difference, settings.ratio * usual, 2 * last)
