"""The person before the background: a matte, and what is behind the edge of the person.

The matte tells how far each pixel is the person's. Everything that shows some of the person moves
with the head; the background, continued a little behind them, stays, so straight lines stay
straight and nothing is torn.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gsmooth_core.types import Bool, Float, Image

_SOME = 0.04  # of the matte: less of the person cannot be seen
_SOFT = 0.07  # widths of the head over which the person's layer ends
_EDGE = 0.04  # widths of the head around the person that are painted over as well
_SIDE = 640  # pixels at which the background is continued
_RADIUS = 4  # of its inpainting, in those pixels
_SEAM = 2  # pixels of the photo over which it gives way to what is painted
_SEEN = 0.7  # mean of the matte on a face that it has understood


@dataclass(frozen=True)
class Layers:
    """A photo in two layers.

    Attributes:
        background: (H, W, 3) uint8 RGB, the photo with the person painted over.
        alpha: (H, W) 0..1, how far the person's layer covers it; 1 wherever some of the person
            is seen.
    """

    background: Image
    alpha: Float


def layers_of(photo: Image, matte: Float, face: Bool, wide: float) -> Layers | None:
    """Part a photo into person and background.

    Args:
        photo: (H, W, 3) uint8 RGB.
        matte: (H, W) 0..1 of `matte.find_matte`.
        face: (H, W) where the face is.
        wide: width of the head in pixels.

    Returns:
        None where the matte does not know this face for a person (some drawings).
    """
    if float(matte[face].mean()) < _SEEN:
        return None
    person = ((matte > _SOME) | face).astype(np.uint8)
    outside = cv2.distanceTransform(1 - person, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    fade = np.clip(1 - outside / (_SOFT * wide), 0, 1)
    alpha = np.asarray(fade * fade * (3 - 2 * fade), np.float32)
    # A matte ends a little within dark edges: what it leaves of them would stay behind.
    behind = (outside < _EDGE * wide).astype(np.uint8)
    return Layers(_behind(photo, behind), alpha)


def _behind(photo: Image, person: Image) -> Image:
    """(H, W, 3) the photo, with the person (H, W) painted over from around them."""
    height, width = person.shape
    scale = min(1.0, _SIDE / max(height, width))
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    where = cv2.dilate(person, np.ones((2 * _SEAM - 1, 2 * _SEAM - 1), np.uint8))
    holes = cv2.resize(where, small, interpolation=cv2.INTER_NEAREST)
    holes = cv2.dilate(holes, np.ones((3, 3), np.uint8))
    shrunk = cv2.resize(photo, small, interpolation=cv2.INTER_AREA)
    filled = cv2.inpaint(shrunk, holes, _RADIUS, cv2.INPAINT_TELEA)
    large = cv2.resize(filled, (width, height), interpolation=cv2.INTER_CUBIC)
    outside = cv2.distanceTransform(1 - person, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    share = np.clip(1 - outside / _SEAM, 0, 1)[..., None]
    return np.asarray(np.rint(share * large + (1 - share) * photo), np.uint8)
