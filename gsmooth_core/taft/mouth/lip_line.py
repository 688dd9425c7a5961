"""The line between lips that are shut, from references whose lips are open.

Drawn pixel by pixel, the last pixel of the upper lip lies on its very edge in one column, nearly a
pixel above it in the next; the dark beyond a reference's lips then shows as dashes. A camera sees
an even line. So next to the line each lip is read half a pixel further towards the other: whatever
a pixel above loses of the dark, the one below has more of.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import Region
from gsmooth_core.types import Bool, Float

_BEYOND = 0.5  # pixels beyond an edge that are read
_OPEN = 1.0  # pixels by which a reference's lips are apart, from which its line is drawn so
_FADES = 2.0  # pixels from the line to where nothing changes


def shut(inside: Bool) -> Bool:
    """(H, W) what of the mouth's interior (H, W) is no more than a line between lips."""
    line: Bool = inside & (inside.sum(0) <= 1)
    return line


def even_line(values: Float, region: NDArray[np.uint8], inside: Bool, count: int) -> Float:
    """Draw the line between lips evenly.

    Args:
        values: (H, W, 3 * count) displacement (x, y) and visibility of each reference.
        region: (H, W) of the new face, see `Region`.
        inside: (H, W) the mouth's interior.
        count: number of references.

    Returns:
        (H, W, 3 * count) with new values next to the line.
    """
    line = shut(inside)
    mouth = (region == Region.LIPS) | line
    rows = np.flatnonzero(mouth.any(1))
    if not count or len(rows) < 2:
        return values
    columns = np.flatnonzero(mouth.any(0))
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    made = values.copy()
    own, mouth, line = made[part], mouth[part], line[part]
    row, column = np.nonzero(line[1:])
    own[row + 1, column] = own[row, column]  # it goes with the upper lip
    both = mouth[1:] & mouth[:-1]
    for k in range(count):
        _draw(own[..., 3 * k : 3 * k + 3], both)
    return made


def _draw(own: Float, both: Bool) -> None:
    """One reference's (h, w, 3) displacement and visibility, in place.

    Args:
        own: of the lips' part of the crop.
        both: (h - 1, w) whether a pixel and the one below are lips.
    """
    apart = np.where(both, np.diff(own[..., 1], axis=0), 0)
    wide, edge = apart.max(0), apart.argmax(0) + 1  # (w,) the first row of the lower lip
    wide = np.where(wide > _OPEN, wide, 0)
    below = np.arange(len(own))[:, None] - edge  # 0 the first of the lower lip, -1 the last above
    beside = np.where(below < 0, -1 - below, below)
    near = np.clip(1 - beside / _FADES, 0, 1).astype(np.float32)
    push = near * np.minimum(_BEYOND, wide / 4)
    own[..., 1] += np.where(below < 0, push, -push)
    shown = cv2.dilate(own[..., 2], np.ones((3, 1), np.uint8))
    np.copyto(own[..., 2], shown, where=push > 0)
