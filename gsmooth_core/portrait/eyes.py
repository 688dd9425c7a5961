"""The eyes of a photo that moves: lids that blink, and a gaze that stays where it was."""

from __future__ import annotations

import numpy as np

from gsmooth_core.portrait.gaze import irises
from gsmooth_core.portrait.lids import Lids
from gsmooth_core.types import Float, Image

BALL = 0.12
"""Radius of an eyeball in decimetres."""


class Eyes:
    """Draws a photo's eyes as they are while its head turns and they blink.

    Args:
        photo: (H, W, 3) RGB.
        landmarks: (478, 2) points of the face in its pixels.
        ball: radius of an eyeball in pixels.
        lids: what closes them; None where they cannot be closed.
    """

    def __init__(self, photo: Image, landmarks: Float, ball: float, lids: Lids | None) -> None:
        self._photo, self._landmarks, self._ball, self._lids = photo, landmarks, ball, lids

    def at(self, blink: float, turn: Float) -> Image:
        """The photo with its eyes so far closed, looking on at what they look at.

        Args:
            blink: 0 open .. 1 closed.
            turn: (3,) pitch, yaw, roll of the head in radians, as `HeadMotion` has them.

        Returns:
            (H, W, 3) a picture of its own.
        """
        right, down = (-self._ball * float(np.sin(turn[axis])) for axis in (1, 0))
        if self._lids is None:
            return irises(self._photo, self._landmarks, (right, down))
        return self._lids.closed(blink, (right, down))
