"""Morphology Augmented Face Blending: the mask M_f and the blended image I_b (Sec. IV-C, eq. 9).

The mask starts as the region of the mesh that is to be replaced. It is closed (the mesh may
have a hole where the mouth is), then dilated below the middle of the face so that a jaw that
opens wider than the frame's finds room. In training, random dilations and erosions teach the
generator to live with any outline. Lengths are those of the paper's crop (224 pixels at focal
length 1015 from 10 dm, that is 2.2 dm) and scale with ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.mafb import rim_kernels
from gsmooth_core.mafb.crop import CROP_CENTRE, CROP_SIDE
from gsmooth_core.types import Bool, Float, Image

Pixels = TypeVar("Pixels", Image, Float)

PAPER_SIZE = 224
PAPER_SIDE = 10 * PAPER_SIZE / 1015

_ROUNDING = 1e-3  # pixels by which a distance that is exact may be off
_FINE = 0.15  # of the rim's width, over which detail changes from one picture to the other
_EDGE = 1.5  # pixels over which the new picture ends at an occluder
_COARSE = 0.3  # of the rim's width: deviation of the Gaussian that separates light from detail
_CELLS = 1.5  # cells to that deviation, at least
_SPREAD = 0.25  # of a cell's area: variance of a mean over cells that is read with a slope


@dataclass(frozen=True)
class MaskSettings:
    """Morphology of M_f; lengths in pixels of the paper's crop.

    Attributes:
        closing: diameter of the disc that closes holes.
        jaw_width: width of the ellipse that makes room for the jaw.
        jaw_height: its height. The paper's 31 makes room for a jaw that the mask has not seen;
            ours covers the old jaw and the new one, and needs room for the track's errors alone.
        still: its height where the outlines of both are the same (`room.frame_mask`).
        middle: the row above which the closed mask stays as it is.
        rim: width of the soft rim around the mask, over which the new picture fades out.
        random_max: largest diameter of the random dilation or erosion in training.
    """

    closing: int = 21
    jaw_width: int = 5
    jaw_height: int = 15
    still: int = 1
    middle: int = 128
    rim: float = 7.0
    random_max: int = 13


def scaled(length: float, size: int) -> int:
    """Return `length` of the paper's crop in pixels of a `size` crop, odd, at least 1."""
    return max(1, 2 * round((in_crop(length, size) - 1) / 2) + 1)


def in_crop(length: float, size: int) -> float:
    """Return `length` of the paper's crop in pixels of a `size` crop."""
    return length * PAPER_SIDE / PAPER_SIZE * size / CROP_SIDE


def row_in_crop(row: float, size: int) -> int:
    """Return the row of a `size` crop that shows what `row` of the paper's crop shows."""
    return round(in_crop(row - PAPER_SIZE / 2, size) + size * (0.5 + CROP_CENTRE / CROP_SIDE))


def ellipse(width: int, height: int) -> NDArray[np.uint8]:
    """(height, width) structuring element, 1 inside the ellipse."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, height))
    return np.asarray(kernel, np.uint8)


def close(mask: Bool, diameter: int) -> Bool:
    """Fill holes and bays of (H, W) `mask` that are narrower than a disc of `diameter`.

    By distances, whose cost does not grow with the disc: a pixel is in the dilation when the
    mask is no farther than the radius, and in its erosion when the rest is farther than that.
    Nothing is filled beyond the box around the mask.
    """
    closed, radius = mask.copy(), diameter // 2 + _ROUNDING
    if mask.any():
        y, x = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
        part = np.s_[y[0] : y[-1] + 1, x[0] : x[-1] + 1]
        # A frame around the mask lets the closing work at the crop's border as inside it.
        dilated = _distance(np.pad(mask[part], diameter)) <= radius
        inner = np.s_[diameter:-diameter, diameter:-diameter]
        closed[part] = (_distance(~dilated) > radius)[inner]
    return closed


def _distance(mask: Bool) -> Float:
    """(H, W) pixels to the nearest pixel of the mask."""
    distance: Float = cv2.distanceTransform(
        (~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    return distance


def dilate(mask: Bool, width: int, height: int) -> Bool:
    """Grow (H, W) `mask` by an ellipse."""
    return np.asarray(cv2.dilate(mask.astype(np.uint8), ellipse(width, height)) > 0)


def within(mask: Bool, diameter: int) -> Bool:
    """Grow (H, W) `mask` by a disc, at the same cost whatever its size."""
    return np.asarray(_distance(mask) <= diameter // 2 + _ROUNDING)


def erode(mask: Bool, width: int, height: int) -> Bool:
    """Shrink (H, W) `mask` by an ellipse; the crop's border does not eat into it."""
    return np.asarray(cv2.erode(mask.astype(np.uint8), ellipse(width, height)) > 0)


def face_mask(region: Bool, settings: MaskSettings | None = None) -> Bool:
    """M_f of a rendered region: closed, with room for the jaw below the middle.

    Args:
        region: (H, W) pixels of the mesh that are to be replaced.
        settings: the morphology; by default that of the paper.

    Returns:
        (H, W) bool, a superset of `region`.
    """
    s = settings or MaskSettings()
    size = region.shape[0]
    closed = close(region, scaled(s.closing, size))
    with_jaw = dilate(closed, scaled(s.jaw_width, size), scaled(s.jaw_height, size))
    middle = row_in_crop(s.middle, size)
    with_jaw[:middle] = closed[:middle]
    return with_jaw | closed


def random_morphology(mask: Bool, rng: np.random.Generator) -> Bool:
    """Dilate or erode M_f by an ellipse of random size (training only).

    See `MaskSettings.random_max`.

    Args:
        mask: (H, W) M_f.
        rng: source of chance.

    Returns:
        (H, W) bool, between the erosion and the dilation by the largest ellipse.
    """
    largest = scaled(MaskSettings().random_max, mask.shape[0]) // 2
    width, height = (2 * int(n) + 1 for n in rng.integers(0, largest + 1, 2))
    return dilate(mask, width, height) if rng.random() < 0.5 else erode(mask, width, height)


def rim_weight(mask: Bool, rim: float) -> Float:
    """Weight of the new picture: 1 on the mask, falling smoothly to 0 over `rim` pixels around it.

    The rim lies outside the mask, so that pixels under the mask never show.

    Args:
        mask: (H, W) M_f.
        rim: width of the rim in pixels.

    Returns:
        (H, W) 0..1.
    """
    if not mask.any():
        return np.zeros(mask.shape, np.float32)
    return _falloff(_distance(mask), rim)


def _falloff(distance: Float, rim: float) -> Float:
    """1 at distance 0, falling smoothly to 0 over `rim` pixels."""
    x = np.clip(1 - distance / (rim + 1), 0, 1)
    return (x * x * (3 - 2 * x)).astype(np.float32)


def lay_over(
    frame: Pixels, picture: Float, hidden: Bool, rim: float, occluder: Bool | None = None
) -> tuple[Pixels, Bool]:
    """Lay a new picture over a frame, so that its rim shows neither a step nor a haze.

    In two bands (Burt and Adelson, 1983): a difference in light fades out over the whole rim,
    while detail changes over at its inner end. A mean of two textures would be softer than either
    of them, or show both.

    Args:
        frame: (h, w, 3) the frame, uint8, or float32 of the same range for a result that is not
            rounded; its pixels under `hidden` have no part in the result.
        picture: (h, w, 3) the new picture, 0..255.
        hidden: (h, w) M_f: what the new picture replaces.
        rim: pixels around M_f over which it fades out.
        occluder: (h, w) mask of what is in front of the face: there the picture ends within a
            pixel or two, and what light falls on it says nothing about the face.

    Returns:
        (h, w, 3): `picture` under M_f, the frame bit by bit beyond the rim; and (h, w) M_f and rim.
    """
    laid = frame.copy()
    if not hidden.any():
        return laid, np.zeros(hidden.shape, bool)
    y, x = (np.flatnonzero(hidden.any(axis)) for axis in (1, 0))
    reach = int(rim) + 2  # most of a large face is not touched
    top, left = max(int(y[0]) - reach, 0), max(int(x[0]) - reach, 0)
    part = np.s_[top : y[-1] + reach + 1, left : x[-1] + reach + 1]
    distance, face = _distance(hidden[part]), np.zeros((0, 0), bool)
    if occluder is not None:
        face = ~occluder[part]
        distance = np.where(face, distance, distance * np.float32(max(1.0, rim / _EDGE)))
    _two_bands(laid, picture, (top, left), distance, rim, face)
    changed = np.zeros(hidden.shape, bool)
    changed[part] = distance < np.float32(rim + 1)
    return laid, changed


def _two_bands(
    laid: Pixels, picture: Float, at: tuple[int, int], distance: Float, rim: float, face: Bool
) -> None:
    """The blend of `lay_over` for a part of it, in place; light is measured on the `face`."""
    wide, narrow = np.float32(rim + 1), np.float32(rim * _FINE + 1)
    deviation = max(rim * _COARSE, 0.5)
    step = max(1, int(deviation / _CELLS))
    where = np.ascontiguousarray(picture, np.float32), at, distance
    light = rim_kernels.differences(laid, *where, face, wide, step)
    spread = float(np.sqrt((deviation / step) ** 2 - _SPREAD * (step > 1)))
    light = cv2.GaussianBlur(light, (0, 0), spread)
    rim_kernels.lay(laid, *where, light, wide, narrow, step, laid.dtype == np.uint8)
