"""What goes on beside a new face where no reference knows it: the frame's own surroundings.

A chin that rises uncovers a strip of neck and collar. References show what lies there in their own
frame; where the body is elsewhere in all of them, that is a microphone below a chin, or a second
collar. The strip is thin, so what can be seen next to it goes on into it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import cv2
import numpy as np

from gsmooth_core.mafb.nearest import nearest
from gsmooth_core.taft.warping import kernels
from gsmooth_core.taft.warping.tone import reduced
from gsmooth_core.taft.warping.warp import HALF, TOLERANCE, agreement
from gsmooth_core.types import Bool, Float

Reals = TypeVar("Reals", bound=Any)

APART = 0.10, 0.15
"""Difference of the best reference from the frame next to a place, 0..1, between which the frame's
own surroundings take over; less its roughness there, since no two beards lie hair on hair."""

NEAR = 0.01, 0.025
"""Of the crop's side: distances from what is seen between which it says less and less, whatever
references show. Where the picture's edge cuts a chin, nothing nearer may be seen than its side."""

SEEN = 1e-4
"""Share of what is seen that is none."""

ROWS = 128  # of the grid on which references are held against what is seen right beside a place
NEXT = 2 / 128  # of its rows: deviation over which that is averaged
SURE = 0.02  # share of what is seen there at which it says half of all
ANY_MOUTH = 0.02  # weight of a reference from which its mouth says little of what it has beside it

_SMOOTH = 1 / 32  # of the crop's side: distance from which what goes on is smoothed by as much
_COARSE = 4  # pixels of the crop to one of what is smooth
_ROUGH = 1 / 16  # of the crop's side: width over which a frame is smoothed to see how rough it is


def fitting(pictures: Float, crop: Float, around: Bool, validity: Float) -> tuple[Float, Float]:
    """How well each reference goes on beside the new face.

    As `warp.agreement`, which looks over a wide neighbourhood, and then right beside each place: a
    reference whose jacket is where the frame's is may have its collar elsewhere. How alike its
    mouth is to the new one has next to no say there.

    Args:
        pictures: (K, H, W, 3) warped references in the frame's light, 0..1.
        crop: (H, W, 3) the frame, 0..1.
        around: (H, W) what is seen of it beside the new face.
        validity: (K, H, W) of the references; 0 where they have no pixels.

    Returns:
        (K, H, W) factors of the validity there, 0 and up, and (H, W) how far the best reference is
        from the frame around each place, 0..1.
    """
    wide, apart = agreement(pictures, crop, around, validity)
    step = step_of(len(crop))
    cells = around.shape[1] // step, around.shape[0] // step
    every = _nearby(reduced(around.astype(np.float32), cells))
    error, shown = np.empty((2, len(pictures), *every.shape), np.float32)
    for k, (picture, valid) in enumerate(zip(pictures, validity, strict=True)):
        there, both, of = valid > 0, around, every
        shown[k] = 1
        if not there.all():
            both = there & around
            of = _nearby(reduced(both.astype(np.float32), cells))
            shown[k] = reduced(there.astype(np.float32), cells)
        error[k] = _nearby(kernels.differences(picture, crop, both, step, 1)) / (of + SEEN)
    least = np.where(shown >= HALF * shown.max(0), error, np.inf).min(0)
    sure = every / (every + SURE)
    finer = np.exp(np.minimum(least - error, 0) * sure / TOLERANCE)
    wide *= any_mouth(validity.max((1, 2)))[:, None, None]
    for each, fine in zip(wide, finer, strict=True):
        each *= cv2.resize(fine, around.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return wide, apart


def step_of(side: int) -> int:
    """Pixels of a crop of some side that are one of the grid of `fitting`, and of `astray`."""
    return max(1, side // ROWS)


def any_mouth(weight: Reals) -> Reals:
    """What the weight of a reference, 0..1, is to be multiplied with beside the face.

    The product hardly depends on the weight but for a small one, with which references come and go.
    """
    return cast(Reals, (1 + ANY_MOUTH) / (weight + ANY_MOUTH))


def _nearby(values: Float) -> Float:
    blurred: Float = cv2.GaussianBlur(values, (0, 0), NEXT * len(values))
    return blurred


def go_on(pictures: Float, apart: Float, crop: Float, around: Bool, unknown: Bool) -> None:
    """Let pictures have what goes on from around them, where none of them fits that.

    Args:
        pictures: (K, H, W, 3) what references lend; changed in place.
        apart: (H, W) least difference of one of them from the frame around each place, 0..1.
        crop: (H, W, 3) the frame, 0..1.
        around: (H, W) what is seen of it beside the new face.
        unknown: (H, W) what is made anew beside the new face.
    """
    if not around.any() or not (unknown & (apart > APART[0])).any():
        return
    own, away = gone_on(crop, around)
    share = share_of(apart - roughness(crop, around), away, np.clip) * unknown
    rows, columns = np.nonzero(share)
    part = share[rows, columns, None]
    pictures[:, rows, columns] += (own[rows, columns] - pictures[:, rows, columns]) * part


def share_of(apart: Reals, away: Reals, clip: Callable[[Reals, float, float], Reals]) -> Reals:
    """0..1 how much rather what is seen goes on than what is lent.

    Args:
        apart: of the best reference, see `warp.agreement`, less what is `roughness`.
        away: of `gone_on`.
        clip: of their kind.
    """
    low, high = APART
    ramp = clip((apart - low) / (high - low), 0, 1)
    near = clip(cast(Reals, (NEAR[1] - away) / (NEAR[1] - NEAR[0])), 0, 1)
    return cast(Reals, ramp * ramp * (3 - 2 * ramp) * near)


def roughness(crop: Float, around: Bool) -> Float:
    """(H, W) how far the frame is from a smooth one around each place, as `apart` is told, 0..1.

    Args:
        crop: (H, W, 3) the frame, 0..1.
        around: (H, W) what is seen of it beside the new face.
    """
    seen, width = around.astype(np.float32), 2 * round(_ROUGH * len(crop) / 2) + 1
    blurred = cv2.blur(crop * seen[..., None], (width, width))
    smooth = blurred / (cv2.blur(seen, (width, width)) + np.float32(SEEN))[..., None]
    return agreement(smooth[None], crop, around, np.ones((1, *around.shape), np.float32))[1]


def gone_on(crop: Float, around: Bool) -> tuple[Float, Float]:
    """A crop whose every place has the colour of the nearest one that is seen.

    Args:
        crop: (H, W, 3) the frame, 0..1.
        around: (H, W) what is seen of it beside the new face; some of it must be.

    Returns:
        (H, W, 3), and (H, W) how far away that is, of the crop's side.
    """
    distance, colours = nearest(crop, around)
    width, (height, length) = _SMOOTH * len(crop), around.shape
    coarse = cv2.resize(
        colours, (length // _COARSE, height // _COARSE), interpolation=cv2.INTER_AREA
    )
    coarse = cv2.GaussianBlur(coarse, (0, 0), width / _COARSE)
    smooth = cv2.resize(coarse, (length, height), interpolation=cv2.INTER_LINEAR)
    far = np.clip(distance / width, 0, 1)[..., None]
    own = np.asarray(colours + (smooth - colours) * far, np.float32)
    return own, np.asarray(distance / len(crop), np.float32)
