"""The line between lips that are shut, as soft as a camera draws it.

A reference whose lips are open has a dark gap between them. Carried to lips that are shut, all of
it is pressed into a row of pixels or two: black where the gap was black, dashed where the mesh is
off by a part of a pixel, with a step wherever the line goes on a row below. A lens spreads such a
line over its neighbours, and so does this, by as much as the gap was pressed together.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gsmooth_core.face.morphable import MOUTH_REGIONS, Region
from gsmooth_core.face.render import Drawing, among
from gsmooth_core.taft.warping.box import Corners
from gsmooth_core.types import Bool, Float

_SIGMA = 0.7  # pixels of the frame: deviation of what a lens spreads
_AROUND = 8  # pixels above and below the lips that may be mixed in
_NOISE = 0.3  # pixels: smaller steps between two rows of a displacement are no gap
_FROM, _TO = 0.5, 2.0  # pixels by which a reference's lips are further apart: nothing, all
_THIN, _OPEN = 2.0, 4.0  # pixels between the new lips: still a line, a gap
_BESIDE = 2  # columns on either side over which the amount is averaged
_FLAT, _FADED = 2.0, 3.5  # deviations from the line to where all is soft, and to where nothing is


@dataclass(frozen=True)
class SoftLine:
    """Where a new picture is to be softened.

    Attributes:
        part: (x0, y0, x1, y1) of the crop.
        weight: (h, w) 0..1 how much of each pixel.
        sigma: deviation in crop pixels.
    """

    part: Corners
    weight: Float
    sigma: float


def soft_line(drawing: Drawing, weights: Float, scale: float) -> SoftLine | None:
    """The line between the lips of a new face; None where there is none to soften.

    Args:
        drawing: the new face, whose values are the displacement (x, y) and visibility of each
            reference.
        weights: (K,) of the references.
        scale: crop pixels a pixel of the frame.
    """
    inside = among(drawing.face.region, MOUTH_REGIONS)
    mouth = (drawing.face.region == Region.LIPS) | inside
    rows, columns = (np.flatnonzero(mouth.any(axis)) for axis in (1, 0))
    if not len(weights) or len(rows) < 2:
        return None
    part = x0, y0, x1, y1 = (
        int(columns[0]),
        max(int(rows[0]) - _AROUND, 0),
        int(columns[-1]) + 1,
        min(int(rows[-1]) + 1 + _AROUND, len(mouth)),
    )
    box = np.s_[y0:y1, x0:x1]
    row, pressed = _pressed(drawing.values[box], mouth[box], weights)
    gap = inside[box].sum(0)
    amount = pressed * np.clip((_OPEN - gap) / (_OPEN - _THIN), 0, 1)
    amount = cv2.blur(amount[None].astype(np.float32), (2 * _BESIDE + 1, 1))[0]
    if not amount.any():
        return None
    sigma = _SIGMA * scale
    away = np.abs(np.arange(y1 - y0)[:, None] + np.float32(0.5) - row) / np.float32(sigma)
    weight = np.clip((_FADED - away) / (_FADED - _FLAT), 0, 1) * amount
    return SoftLine(part, weight.astype(np.float32), sigma)


def _pressed(values: Float, mouth: Bool, weights: Float) -> tuple[Float, Float]:
    """The row of the line in each column (w,), and how far references' gaps lie in it (w,), 0..1.

    Args:
        values: (h, w, 3 K) displacement (x, y) and visibility of each reference.
        mouth: (h, w) lips and what lies between them.
        weights: (K,) of the references.
    """
    both, below = mouth[1:] & mouth[:-1], np.arange(1, len(mouth), dtype=np.float32)[:, None]
    rows = shares = np.zeros(mouth.shape[1], np.float32)
    for k, weight in enumerate(weights):
        step = np.where(both, np.diff(values[..., 3 * k + 1], axis=0), 0)
        step = np.where(step > _NOISE, step, 0)
        apart = step.sum(0)
        share = weight * np.clip((apart - _FROM) / (_TO - _FROM), 0, 1)
        rows = rows + share * (step * below).sum(0) / np.maximum(apart, _NOISE)
        shares = shares + share
    return rows / np.maximum(shares, 1e-6), shares / np.float32(sum(weights))


def softened(picture: Float, line: SoftLine | None) -> Float:
    """A new crop (size, size, 3), 0..1, with its line softened in place."""
    if line is None:
        return picture
    x0, y0, x1, y1 = line.part
    own = picture[y0:y1, x0:x1]
    spread = cv2.GaussianBlur(np.ascontiguousarray(own), (0, 0), line.sigma)
    own += (spread - own) * line.weight[..., None]
    return picture
