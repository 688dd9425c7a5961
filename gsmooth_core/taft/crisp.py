"""Teeth that can be told apart: between the lips, the sharper a reference is the more it counts.

Teeth are seldom just where the new ones should be, and the mean of several rows is a grey strip.
Among mouths that are as good as each other by their shape, those whose teeth are sharp show more.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

import cv2
import numpy as np

from gsmooth_core.mafb.regions import box_around
from gsmooth_core.types import Bool, Float

Reals = TypeVar("Reals", bound=Any)

SIGMA = 1.5
"""Pixels of the crop: the deviation of the Gaussian below which is detail."""
FAINT = 1e-6
"""Squares of 0..1: detail that says nothing. Dark mouths are as good as each other."""

_REACH = 6  # pixels in which the Gaussian ends
_GREY = np.full((1, 3), 1 / 3, np.float32)


def crisp(pictures: Float, validity: Float, inside: Bool) -> Float:
    """Let sharp references count more between the lips, and all together as much as before.

    Args:
        pictures: (K, H, W, 3) references at the new face, 0..1.
        validity: (K, H, W) how far they are to be believed.
        inside: (H, W) the mouth's interior.

    Returns:
        (K, H, W), changed only where `inside`; 1 at most.
    """
    if not inside.any() or not len(pictures):
        return validity
    part = box_around(inside, _REACH)
    within = inside[part]
    own = np.array([_detail(picture[part], within) for picture in pictures], np.float32)
    part_of, weighed = validity[:, part[0], part[1]], validity.copy()
    factor = share(own, part_of[:, within].mean(1))[:, None]
    weighed[:, part[0], part[1]][:, within] = np.minimum(part_of[:, within] * factor, 1)
    return weighed


def share(detail: Reals, believed: Reals) -> Reals:
    """(..., K) factors by which references count more or less.

    Args:
        detail: (..., K) mean square of what is fine in them.
        believed: (..., K) how far they are to be believed; together that stays as it is.
    """
    sharp = detail + FAINT
    whole = believed.sum(-1) / (believed * sharp).sum(-1).clip(1e-9)
    return cast(Reals, sharp * whole[..., None])


def _detail(picture: Float, within: Bool) -> float:
    grey = cv2.transform(picture, _GREY)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), SIGMA)
    return float(np.mean(fine[within] ** 2))
