"""Whether a face is a few lines on paper, in which nothing can be moved that would look alive."""

from __future__ import annotations

import cv2
import numpy as np

from gsmooth_core.errors import NoFaceError
from gsmooth_core.types import Bool, Float, Image

_FLAT = 2  # grey levels between neighbours that nobody sees
_EMPTY = 0.85  # share of a face without anything in it; of painted and carved ones it is below .1
_PERSON = 0.5  # mean of the matte on a face above which it passes for a person's


def refuse_drawing(photo: Image, matte: Float, face: Bool) -> None:
    """Refuse a face of a few lines, as children draw them.

    Args:
        photo: (H, W, 3) uint8 RGB.
        matte: (H, W) 0..1 of `matte.find_matte`.
        face: (H, W) where the face is.

    Raises:
        NoFaceError: it is one.
    """
    if float(matte[face].mean()) > _PERSON:
        return
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    edges = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    if float((edges[face] < _FLAT).mean()) > _EMPTY:
        raise NoFaceError(
            "The face is drawn with a few lines: there is no skin that could move.",
            "Take a photo, a painting or a shaded drawing.",
        )
