"""Which places of a drawn face its surroundings follow: below a chin, the throat.

What lies around the face in a reference is displaced as the nearest place of the face is. Where
the mesh's throat, which stays when a jaw opens, shows below some of the chin and not below the
rest, every other column would follow the one or the other, and the neck would be torn.
"""

from __future__ import annotations

import cv2
import numpy as np

from gsmooth_core.types import Bool, Float

_BEHIND = 0.2  # decimetres from one pixel to the next, and behind what is nearest
_ALONG = 0.1  # decimetres from one pixel to the next of one surface
_WIDE = 6  # pixels of 256, the widest sliver
_BESIDE = 16  # of them: so far beside a sliver what is before it is not followed
_FULL = 256


def leading(mask: Bool, depth: Float) -> Bool:
    """A face without what lies before a sliver of a surface behind it, along its outline.

    Args:
        mask: (H, W) what is drawn.
        depth: (H, W) decimetres from the camera; of what is drawn, anything elsewhere.

    Returns:
        (H, W) what is left of `mask`.
    """
    scale = len(mask) / _FULL
    sliver = _slivers(mask, depth, max(1, round(_WIDE * scale)))
    beside = cv2.dilate(sliver.astype(np.uint8), _square(round(_BESIDE * scale))) > 0
    return np.asarray(mask & (sliver | ~beside))


def _slivers(mask: Bool, depth: Float, reach: int) -> Bool:
    """Bands along the outline, `reach` pixels wide at most, behind the surface they are next to."""
    near = np.where(mask, depth, np.float32(1e6))
    narrow = cv2.dilate((~mask).astype(np.uint8), _square(reach)) > 0
    behind = mask & narrow & (near - cv2.erode(near, _square(reach)) > _BEHIND)
    sliver = np.asarray(behind & (near - cv2.erode(near, _square(1)) > _BEHIND))
    for _ in range(reach):  # on along the same surface
        beside = cv2.dilate(np.where(sliver, near, np.float32(0)), _square(1))
        sliver = sliver | (behind & (beside > 0) & (near > beside - _ALONG))
    return sliver


def _square(reach: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
