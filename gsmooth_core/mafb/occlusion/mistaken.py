"""What looks like letters that come or go and is none: a lamp, a flash, a body that jerks.

Where most of what is lit changes at once, the light has changed: edges come and go everywhere.
Where a collar comes a few pixels beside where it was, it has moved: codecs, and players that drop
frames, let a picture stay and then jump.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from gsmooth_core.types import Bool, Image

_LIT = 60  # levels
_MOST = 0.6  # share of the lit pixels; no caption covers so much around the lower face
_WAY = 6  # pixels that a thing may jump
_AROUND = 7  # pixels: diameter around edges that must fit where they were
_FITS = 0.25  # share of the squared change that is left when a thing is moved back


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


def has_moved(shown: Image, other: Image, edges: Bool) -> Bool:
    """(H, W) edges of one picture that another one has, too, a few pixels beside.

    Args:
        shown: (H, W, 3) RGB, which has the edges.
        other: (H, W, 3) RGB, of the frame before or after, which has them not in their place.
        edges: (H, W)
    """
    near = cv2.dilate(edges.astype(np.uint8), np.ones((_AROUND, _AROUND), np.uint8))
    count, label, boxes, _ = cv2.connectedComponentsWithStats(near)
    moved = np.zeros_like(edges)
    for number in range(1, count):
        left, top, width, height, _ = boxes[number]
        part = np.s_[top : top + height, left : left + width]
        where = label[part] == number
        if _left(shown[part], other, where, (top, left)) < _FITS:
            moved[part] |= where & edges[part]
    return moved


def _left(part: Image, other: Image, where: Bool, at: tuple[int, int]) -> float:
    """Squared difference of a part and where `other` has it, over that in its own place."""
    (top, left), (height, width) = at, where.shape
    wide = cv2.copyMakeBorder(other, *4 * (_WAY,), cv2.BORDER_REPLICATE)
    around = wide[top : top + height + 2 * _WAY, left : left + width + 2 * _WAY]
    mask = np.repeat(where[..., None], 3, 2).astype(np.float32)
    given = around.astype(np.float32), part.astype(np.float32)
    apart = cv2.matchTemplate(*given, cv2.TM_SQDIFF, mask=mask)
    return float(apart.min() / max(float(apart[_WAY, _WAY]), 1.0))
