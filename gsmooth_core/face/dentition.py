"""Where one tooth ends and the next begins, on a mesh whose rows of teeth are smooth bands."""

from __future__ import annotations

import numpy as np

from gsmooth_core.face.morphable import MorphableModel, Region
from gsmooth_core.types import Bool, Float

_UPPER = (0.0, 0.085, 0.145, 0.195, 0.232, 0.256, 0.277)
_LOWER = (0.0, 0.052, 0.108, 0.165, 0.215, 0.248, 0.277)
"""Decimetres from the mid-plane at which teeth end, seen from the front: incisors of 8.5 and 6.5 mm
above, of 5.3 and 6 mm below, and behind them what the arch turns away."""

_STILL = 1e-6  # decimetres that the jaw moves what it does not move
_GROOVE = 0.1  # of a tooth's width: half of the shadow between two of them
_DEPTH = 0.35  # of a tooth's brightness that the shadow takes
_FLANK = 0.12  # of it that its sides have less than its middle


def tooth_numbers(model: MorphableModel) -> Float:
    """(V,) how many teeth lie between a vertex and the mid-plane, below 0 on the right.

    Vertices that are on no tooth have 0, and so have all of a model without rows of teeth.
    """
    numbers = np.zeros(len(model.mean), np.float32)
    teeth = model.regions == Region.TEETH
    if not teeth.any() or "jawOpen" not in model.expression_names:
        return numbers
    opening = model.expression_basis[model.expression_names.index("jawOpen")]
    still = np.linalg.norm(opening, axis=1) < _STILL
    for row, ends in ((teeth & still, _UPPER), (teeth & ~still, _LOWER)):
        x = model.mean[row, 0]
        if len(x):
            wide = ends[-1] / max(float(np.abs(x).max()), _STILL)
            numbers[row] = np.sign(x) * np.interp(np.abs(x) * wide, ends, np.arange(len(ends)))
    return numbers


def grooved(image: Float, teeth: Bool, numbers: Float) -> Float:
    """Darken teeth at their sides.

    A shadow that is finer than the pixels is a fainter one: its pixels have its mean.

    Args:
        image: (H, W, 3) the shaded render.
        teeth: (H, W) its teeth.
        numbers: (H, W) of `tooth_numbers`, interpolated.

    Returns:
        (H, W, 3) the image, changed only where `teeth`.
    """
    rows, columns = np.nonzero(teeth)
    if not len(rows):
        return image
    before = numbers[rows, np.maximum(columns - 1, 0)]
    after = numbers[rows, np.minimum(columns + 1, numbers.shape[1] - 1)]
    own = numbers[rows, columns]
    # At the end of a row the neighbour is something else: there a pixel is as wide as to its other.
    pixel = np.minimum(np.abs(after - own), np.abs(own - before)).clip(0, 1)
    side = np.abs(own - np.round(own))  # of the tooth's width, 0 between two of them
    width = np.hypot(_GROOVE, pixel)
    shadow = _DEPTH * _GROOVE / width * np.exp(-((side / width) ** 2))
    made = image.copy()
    made[rows, columns] *= (1 - shadow - _FLANK * (1 - 2 * side) ** 2)[:, None]
    return made
