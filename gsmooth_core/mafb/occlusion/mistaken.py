"""What looks like letters that come or go and is none: a lamp, a flash, exposure that jumps.

Where most of what is lit changes at once, the light has changed: edges come and go everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from gsmooth_core.types import Bool, Image

_LIT = 60  # levels
_MOST = 0.6  # share of the lit pixels; no caption covers so much around the lower face


def largest_channel(picture: Image) -> Image:
    """(H, W) of (H, W, 3): what `max(2)` takes ten times as long for."""
    red, green, blue = cv2.split(picture)
    return np.asarray(cv2.max(cv2.max(red, green), blue), np.uint8)


def light_changes(pictures: Sequence[Image], change: Image, calm: float) -> Bool:
    """(T,) frames that are lit otherwise than the frame before.

    Args:
        pictures: T times (H, W, 3) RGB.
        change: (T or more, H, W) levels by which the pixels of each frame differ from the last.
        calm: levels up to which that is no change.
    """
    found = np.zeros(len(pictures), bool)
    for frame in range(1, len(pictures)):
        lit = largest_channel(cv2.max(pictures[frame], pictures[frame - 1])) > _LIT
        found[frame] = lit.any() and (change[frame][lit] > calm).mean() >= _MOST
    return found
