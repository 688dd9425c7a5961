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


def crisp(pictures: Float, validity: Float, inside: Bool) -> None:
    """Let sharp references count more between the lips, and all together as much as before.

    Args:
        pictures: (K, H, W, 3) references at the new face, 0..1.
        validity: (K, H, W) how far they are to be believed; changed `inside`, to 1 at most.
        inside: (H, W) the mouth's interior.
    """
    if not inside.any() or not len(pictures):
        return
    part = box_around(inside, _REACH)
    within = inside[part]
    detail = np.array([_detail(picture[part], within) for picture in pictures], np.float32)
    own = [valid[part] for valid in validity]
    believed = np.array([valid[within].mean() for valid in own], np.float32)
    for valid, factor in zip(own, share(detail, believed), strict=True):
        np.copyto(valid, np.minimum(valid * factor, 1), where=within)


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
