"""M_f of a frame: old face and new, with room for the jaw as far as its outline moves there.

A chin that rises would leave its old self behind, and one that falls needs room, so both faces lie
under the mask, and what is around them is lent. But the flesh of a jaw may hang below its mesh:
where the outline hardly moves, that flesh and the collar next to it stay as they were filmed, and
nothing that is lent fits as well.
"""

from __future__ import annotations

import cv2
import numpy as np

from gsmooth_core.mafb.blend import MaskSettings, close, dilate, in_crop, row_in_crop, scaled
from gsmooth_core.types import Bool, Float

_STEPS = 3  # between the room of an outline that stays and the whole one
_MOVED = 1.5  # pixels of the paper's crop by which it must move for each of them
_ALONG = 25  # of these: width and height of the square over which a movement makes room


def frame_mask(old: Bool, new: Bool, settings: MaskSettings) -> Bool:
    """The mask of one frame.

    Args:
        old: (H, W) what the frame's own face covers of what is replaced.
        new: (H, W) the same of the new face.
        settings: the morphology; `still` and `jaw_height` bound the room.

    Returns:
        (H, W) bool, a superset of both and a subset of `blend.face_mask` of both.
    """
    size, middle = len(old), row_in_crop(settings.middle, len(old))
    mask = close(old | new, scaled(settings.closing, size))
    closed, moved = mask.copy(), _moved(old, new)
    for step in range(_STEPS + 1):
        far = moved >= step * in_crop(_MOVED, size)  # all of it at first
        if not far.any():
            break
        share = step / _STEPS
        height = settings.still + (settings.jaw_height - settings.still) * share
        grown = dilate(closed, scaled(settings.jaw_width, size), scaled(height, size)) & far
        mask[middle:] |= grown[middle:]
    return mask


def _moved(old: Bool, new: Bool) -> Float:
    """(H, W) pixels by which the outline is another one around each place, at most."""
    between = _filled(old) ^ _filled(new)
    half = cv2.distanceTransform(between, cv2.DIST_L2, cv2.DIST_MASK_5)
    along = scaled(_ALONG, len(old))
    return np.asarray(2 * cv2.dilate(half, np.ones((along, along), np.uint8)), np.float32)


def _filled(mask: Bool) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """A mask without its holes: where lips part, no outline moves."""
    filled = mask.astype(np.uint8, order="C")
    outlines, _ = cv2.findContours(filled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(filled, outlines, -1, 1, cv2.FILLED), np.uint8)
