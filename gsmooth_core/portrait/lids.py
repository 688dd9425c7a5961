"""Eyelids of a photo, painted in its own pixels, and whether they can be closed at all."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from gsmooth_core.portrait.eye import Inset, find_eyes
from gsmooth_core.portrait.gaze import Shift
from gsmooth_core.portrait.lid_check import measured_reason, seen_reason
from gsmooth_core.portrait.lid_paint import EyePainter, LidSettings
from gsmooth_core.portrait.rims import Rims, find_rims
from gsmooth_core.types import Float, Image

_LEVELS = 24
"""A closing is made in this many steps."""


class Lids:
    """Closes the eyes of a photo.

    Args:
        photo: (H, W, 3) RGB.
        landmarks: (478, 2 or more) face mesh points in its pixels, irises included.
        settings: how the lids close.

    Raises:
        ValueError: the landmarks are not 478 finite points.
    """

    def __init__(self, photo: Image, landmarks: Float, settings: LidSettings | None = None) -> None:
        points = np.asarray(landmarks, np.float32)[:, :2]
        if points.shape != (478, 2) or not np.isfinite(points).all():
            raise ValueError(f"478 finite landmarks are needed, not {landmarks.shape}")
        self._photo = photo
        self._points = points
        self._settings = settings
        self._eyes = find_eyes(points)
        self._levels: dict[int, tuple[Inset, ...]] = {}

    def closed(self, amount: float, gaze: Shift = (0.0, 0.0)) -> Image:
        """The photo with both eyes closed by an amount.

        Args:
            amount: 0 is the photo as it is, 1 is shut; in steps of a 24th.
            gaze: pixels that the irises are moved by behind the lids; see `gaze.irises`.

        Returns:
            (H, W, 3) a picture of its own, which may be written to.
        """
        picture = self._photo.copy()
        level = round(float(np.clip(amount, 0, 1)) * _LEVELS)
        if level or any(gaze):
            for inset in self._painted(level, gaze) if any(gaze) else self._kept(level):
                inset.lay(picture)
        return picture

    @property
    def ok(self) -> bool:
        """Whether the lids can be closed on this photo; see `reason`."""
        return not self.reason

    @cached_property
    def reason(self) -> str:
        """Why the lids cannot be closed on this photo, in a person's words; empty if they can."""
        seen = seen_reason(self._photo, self._points, self._eyes)
        return seen or self._measured_reason()

    def _measured_reason(self) -> str:
        reason = measured_reason(self._photo, self.closed(1), self._points)
        if reason and self._rims is not None:  # which draw landmarks to themselves
            bare = Lids(self._rims.bare, self._points, self._settings)
            reason = measured_reason(self._rims.bare, bare.closed(1), self._points)
        return reason

    @cached_property
    def _rims(self) -> Rims | None:
        return find_rims(self._photo, self._points)

    @cached_property
    def _painters(self) -> tuple[EyePainter, ...]:
        """Of the eyes without what is before them."""
        bare = self._photo if self._rims is None else self._rims.bare
        return tuple(EyePainter(e, e.close_up(bare), self._settings) for e in self._eyes)

    @cached_property
    def _free(self) -> tuple[Float | float, ...]:
        """Each (h, w) 0..1, how far nothing is before what is painted."""
        if self._rims is None:
            return 1.0, 1.0
        levels = np.repeat(255 * self._rims.share[..., None], 3, 2)
        return tuple(1 - e.close_up(levels)[..., 0] / 255 for e in self._eyes)

    def _kept(self, level: int) -> tuple[Inset, ...]:
        """The painted eyes of one level; they are kept, without the rest of the picture."""
        if level not in self._levels:
            self._levels[level] = self._painted(level, (0.0, 0.0))
        return self._levels[level]

    def _painted(self, level: int, gaze: Shift) -> tuple[Inset, ...]:
        insets = []
        for eye, painter, free in zip(self._eyes, self._painters, self._free, strict=True):
            patch, share = painter.closed(level / _LEVELS, gaze)
            insets.append(eye.put_back(self._photo, patch, share * free))
        return tuple(insets)
