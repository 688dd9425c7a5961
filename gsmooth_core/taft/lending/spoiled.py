"""Pixels of references that must not be lent: letters, boxes and logos lie over them.

They are made good from the other references, and where all are spoiled from what lies around, so
that nothing after this can see them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import Region
from gsmooth_core.face.render import FaceSurface
from gsmooth_core.mafb.blend import dilate
from gsmooth_core.mafb.crop import Window
from gsmooth_core.mafb.occlusion.kin import hull_of
from gsmooth_core.mafb.occlusion.matte import LetterColours
from gsmooth_core.mafb.occlusion.occluders import Occluders
from gsmooth_core.taft.warping.warp import Reference
from gsmooth_core.types import Bool, Float, Image

ODDS = 0.9  # of letters: their soft edges are found by themselves
_LEAST = 1e-3  # validity of what is made up
_REACH = 3.0  # pixels from which it is made up at a time
_SOFT = 0.035  # of a crop: width of the transition beside what is spoiled
_BLURRED = 7  # pixels: diameter of that and of how far a codec smears letters
_SMEARED = 5  # pixels: diameter by which a codec smears letters
_BESIDE = 0.02  # of a crop: width of what is still the mouth, beside its lips
_GROWN = 5  # pixels: diameter of the bicubic filter
_WIDTH = 0.11  # of a crop: standard deviation of what counts as near the mouth
_PRICE = 60.0  # square millimetres: of a reference whose lower face is all covered


def price(captions: Occluders, frames: NDArray[np.int64], mouth: Float) -> Float:
    """What the frames of a bank cost more for being covered.

    Args:
        captions: of the clip.
        frames: (B,) frame numbers.
        mouth: (2,) x and y of the mouth in a crop, 0..1: letters over it cost most.

    Returns:
        (B,) square millimetres.
    """
    axis = (np.arange(captions.size) + 0.5) / captions.size
    across, down = (np.exp(-(((axis - at) / _WIDTH) ** 2) / 2) for at in mouth)
    weight = down[:, None] * across[None]
    weight = (weight / weight.sum()).astype(np.float32)
    shares = [(weight * captions.mask(int(frame), captions.size)).sum() for frame in frames]
    return np.array(shares, np.float32) * np.float32(_PRICE)


def letters_near(captions: Occluders, frame: int, size: int = 0) -> Bool:
    """(size, size) letters of a frame and of those before and after; the masks' own size is 0."""
    masks = [captions.mask(frame + step, size or captions.size) for step in (-1, 0, 1)]
    return np.asarray(np.any(masks, 0), bool)


def spoiled_part(captions: Occluders, frame: int, under: Window) -> Bool | None:
    """(h, w) pixels of a frame's box that must not be lent; None where all may.

    Letters come and go between frames, so those of the frames before and after count as well.
    """
    mask = letters_near(captions, frame, under.size)
    if not mask.any():
        return None
    return dilate(under.uncrop(mask.astype(np.float32), cv2.INTER_LINEAR) > 0, _GROWN, _GROWN)


def lettering(
    references: Iterable[Reference], surface: FaceSurface
) -> Iterator[tuple[Image, Bool, Bool]]:
    """Of each captioned reference its pixels, what letters cover in it, and its lower face."""
    lower = np.isin(surface.regions, (Region.LOWER_FACE, Region.LIPS))
    for reference in references:
        if reference.spoiled is None:
            continue
        hull = np.zeros(reference.spoiled.shape, np.uint8)
        points = cv2.transform(reference.points[None, lower], reference.to_image)[0]
        cv2.fillConvexPoly(hull, cv2.convexHull(points.astype(np.int32)), 1)
        yield reference.image, reference.spoiled, hull > 0


def unlettered(crop: Float, known: Bool, letters: Bool | None) -> tuple[Float, Bool]:
    """A frame without captions: skin beside them is made as if bare.

    Args:
        crop: (H, W, 3) of the frame.
        known: (H, W) what is known of it.
        letters: (H, W) what was burned in; None where nothing was.

    Returns:
        the crop, 0 where it is not known, and what is known of it.
    """
    if letters is None or not letters.any():
        return crop, known
    known = known & ~dilate(letters, _SMEARED, _SMEARED)
    return np.where(known[..., None], crop, 0).astype(np.float32), known


def mouths(poses: Iterable[Float], surface: FaceSurface, size: int) -> Bool:
    """(size, size) where a face has its mouth in one of several poses, (V, >=2) crop pixels each.

    What letters hide there in all references is made up: bits of the old mouth would be worse.
    """
    lips, found = surface.regions == Region.LIPS, np.zeros((size, size), bool)
    for seen in poses:
        found |= hull_of(seen[lips, :2], found.shape)
    width = 2 * round(_BESIDE * size) + 1
    return dilate(found, width, width)


def bare_mouth(reference: Reference, colours: LetterColours, surface: FaceSurface) -> Bool | None:
    """(h, w) what a reference must not lend, less what of its mouth lies beside a caption's box.

    What is found of a caption reaches beyond it, generously: into lips and teeth beside a box,
    which might be the only ones of the clip that look like this. Only a box says where it ends;
    letters that stand alone may have the colours of lips.
    """
    if reference.spoiled is None:
        return None
    found = reference.spoiled
    lips = reference.points[None, surface.regions == Region.LIPS]
    mouth = hull_of(cv2.transform(lips, reference.to_image)[0], found.shape)
    beside = colours.beside_boxes(reference.image, found, ODDS)
    clear = cv2.erode((beside | ~found).astype(np.uint8), np.ones((_BLURRED, _BLURRED)))
    return np.asarray(found & ~((clear > 0) & mouth))


def mend(pictures: Image, validity: Float, spoiled: Bool) -> None:
    """Replace spoiled pixels of warped references, in place.

    Args:
        pictures: (K, H, W, 3) the references, uint8.
        validity: (K, H, W) 0..1; 0 afterwards where a reference was spoiled, and very little
            where all were.
        spoiled: (K, H, W) pixels that must not be lent.
    """
    clear = _clearance(spoiled)
    validity *= clear
    weight = np.where(spoiled, 0, validity + np.float32(1e-6))[..., None]
    total = weight.sum(0)  # (H, W, 1)
    mean = (pictures * weight).sum(0) / np.maximum(total, 1e-9)
    bare = (total[..., 0] <= 0).astype(np.uint8)
    if bare.any():
        made_up = cv2.inpaint(_levels(mean), bare, _REACH, cv2.INPAINT_TELEA)
        mean = np.where(bare[..., None] > 0, made_up.astype(np.float32), mean)
    pictures[:] = _levels(mean + clear[..., None] * (pictures - mean))
    validity[:, bare > 0] = _LEAST


def _levels(picture: Float) -> Image:
    return np.rint(picture).clip(0, 255).astype(np.uint8)


def _clearance(spoiled: Bool) -> Float:
    """(K, H, W) 0 on what is spoiled, rising to 1 around it: nothing ends there with an edge."""
    reach = _SOFT * spoiled.shape[-1]
    clear = np.ones(spoiled.shape, np.float32)
    for k in np.flatnonzero(spoiled.any((1, 2))):
        away = cv2.distanceTransform((~spoiled[k]).astype(np.uint8), cv2.DIST_L2, 5)
        x = np.clip(away / reach, 0, 1)
        clear[k] = x * x * (3 - 2 * x)
    return clear
