"""Combs: two moments in one picture, line by line, as interlaced video has them where it moves.

Such a picture shows two mouths; it is no reference.
"""

from __future__ import annotations

import cv2
import numpy as np

from gsmooth_core.types import Image

_TEETH = 10.0  # levels by which a line differs from both of its neighbours
_ALIKE = 0.5  # of that, by which these differ from each other at most
_SHARE = 0.008  # of the pixels; progressive footage has .0035 at most
_RIVALS = 2.5  # times as many as in columns: a pattern or grain has as many there


def combed(picture: Image) -> bool:
    """Whether a picture (H, W, 3), in its own lines, mixes two moments."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    share = _teeth(grey)
    return share > _SHARE and share > _RIVALS * _teeth(grey.T)


def _teeth(grey: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> float:
    """Share of the pixels whose line stands out from those above and below, which agree."""
    above, line, below = grey[:-2], grey[1:-1], grey[2:]
    over, under = line - above, line - below
    least = np.minimum(np.abs(over), np.abs(under))
    teeth = (over * under > 0) & (least > _TEETH) & (np.abs(above - below) < _ALIKE * least)
    return float(teeth.mean()) if teeth.size else 0.0
