"""What a drawn face shows at a pixel, as masks."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from gsmooth_core.face.morphable import MOUTH_REGIONS, Region
from gsmooth_core.face.render import Drawing, among
from gsmooth_core.types import Bool, Float

_FLOOR = 0.02  # validity of skin that no reference shows well


def skin_of_face(drawing: Drawing) -> Bool:
    """(size, size) what is bare skin of a drawn face."""
    return among(drawing.face.region, (Region.SKIN, Region.LOWER_FACE))


def least_seen(drawing: Drawing) -> Float:
    """(H, W) how far a reference is believed where it shows next to nothing."""
    inside = among(drawing.face.region, MOUTH_REGIONS)
    return np.where(inside, 0, _FLOOR).astype(np.float32)


def hints(drawing: Drawing) -> Float:
    """(H, W, 3) what the new face shows at a pixel: lips, mouth interior, skin."""
    table = np.zeros((1, 256, 3), np.float32)
    groups: Sequence[Sequence[int]] = (
        (Region.LIPS,),
        MOUTH_REGIONS,
        (Region.SKIN, Region.LOWER_FACE),
    )
    for hint, group in enumerate(groups):
        table[0, list(group), hint] = 1
    return np.asarray(cv2.LUT(cv2.merge([drawing.face.region] * 3), table), np.float32)
