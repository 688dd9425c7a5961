"""Light that neither falls evenly on a face nor slopes across it: a pool of it, an edge, a leak.

Where a face is lit so, the change from a reference to the frame is a smooth field of gains,
told at the skin that is seen and gone on with beneath the mask, after a veil that takes the skin
its contrast. A channel that is full says "at least", one that is full in the reference "at most";
how much it is the others tell, since light seldom changes its colour within a face.
"""

from __future__ import annotations

import cv2
import numpy as np

from gsmooth_core.taft.warping.lamp import DARK
from gsmooth_core.taft.warping.tone import CLIPPED, FEWEST, Skin
from gsmooth_core.types import Bool, Float

UNEVEN = 0.14, 0.24
"""Mean logarithm of what the change of a whole face leaves, between which this takes over. In 38
clips of steady light it was .13 at most, .03 in most of them."""
SCALES = (0.32, 0.32), (0.1, 0.4), (0.08, 0.08)
"""Of the grid's columns: deviations, across and down, over which a field is averaged. What lights
a cheek lights the jaw below it."""
SEEN = 0.0, 0.03, 0.03  # share of skin at which each counts half
MOST = 2.5  # logarithm of a gain
VEILED = 0.15  # share of the contrast that a veil leaves at least
ALIKE = 0.4, 0.7  # correlation of two contrasts between which they are believed
EDGE = 3.0  # medians of the contrast beyond which none counts more
FAINT = 1e-6  # share of skin, and contrast, that is none
FINE = 0.05  # of the grid's columns: deviation below which is the skin's contrast


def uneven(own: Float, skin: Skin, lamp: Float) -> tuple[Float, Float] | None:
    """The light of a frame on a reference, from place to place.

    Args:
        own: (h, w, 3) samples of the reference, 0..1.
        skin: the frame's.
        lamp: (h, w, 3) logarithm of the gain of a lamp's slope (`lamp.slope`), which goes on.

    Returns:
        (3,) what a veil adds to the reference, and (h, w, 3) the logarithm of the gain of that;
        None where too little of the skin has all its channels.
    """
    white = own >= CLIPPED
    told = skin.bare & ~(skin.white | white).any(-1)
    if np.count_nonzero(told) < FEWEST:
        return None
    veil = _veil(own, skin.small, told)
    apart = np.log(skin.small + DARK) - np.log(own + veil + DARK) - lamp
    far, tint = filled(apart, told), _tint(apart[told])
    known = skin.bare[..., None] & ~(skin.white | white)
    count = known.sum(-1, keepdims=True)
    common = ((apart - tint) * known).sum(-1, keepdims=True) / np.maximum(count, 1)
    likely = np.where(count > 0, common + tint, far)
    least = np.where(skin.white, np.maximum(apart, likely), apart)
    most = np.where(white, np.minimum(apart, likely), least)
    apart = np.where(skin.white & white, likely, most).astype(np.float32)
    return veil, np.clip(lamp + filled(apart, skin.bare), -MOST, MOST)


def _tint(apart: Float) -> Float:
    """(3,) by how much channels change more than their mean, of samples (N, 3)."""
    tint: Float = np.median(apart - apart.mean(1, keepdims=True), 0)
    return tint


def _veil(own: Float, wanted: Float, told: Bool) -> Float:
    """(3,) what must be added to a reference (h, w, 3) to take it the contrast that skin has not.

    Contrast is that of neighbours that both pictures show; the edge of a lamp, which few of them
    are beside, is none, nor is noise.
    """
    one, other = (_contrast(picture, told) for picture in (own, wanted))
    has, should = ((c * c).mean(0) + FAINT for c in (one, other))
    alike = (one * other).mean(0) / np.sqrt(has * should)
    sure = np.clip((alike - ALIKE[0]) / (ALIKE[1] - ALIKE[0]), 0, 1)
    left = 1 - sure * (1 - np.clip(np.sqrt(should / has), VEILED, 1))
    veil: Float = (own[told].mean(0) * (1 - left) / left).astype(np.float32)
    return veil


def _contrast(picture: Float, told: Bool) -> Float:
    """(N, 3) how far a picture's logarithm is from what is around, where it is told; no edges."""
    bright, sigma = np.log(picture + DARK), FINE * told.shape[1]
    weight = told[..., None].astype(np.float32)
    near, smooth = (_blurred(v, sigma, sigma) for v in (weight, bright * weight))
    apart: Float = (bright - smooth / np.maximum(near, np.float32(FAINT)))[told]
    most = EDGE * np.median(np.abs(apart), 0)
    return np.clip(apart, -most, most)


def filled(values: Float, known: Bool) -> Float:
    """(h, w, 3) smooth values (h, w, 3) where they are known (h, w), gone on with elsewhere."""
    weight = known[..., None].astype(np.float32)
    weighed, made = np.where(known[..., None], values, 0), np.zeros_like(values)
    for (across, down), seen in zip(SCALES, SEEN, strict=True):
        x, y = across * values.shape[1], down * values.shape[1]
        near, own = (_blurred(v, x, y) for v in (weight, weighed))
        made += (own / (near + np.float32(FAINT)) - made) * (
            near / (near + np.float32(seen + FAINT))
        )
    return made


def _blurred(values: Float, across: float, down: float) -> Float:
    """(h, w, C) under a Gaussian beyond whose picture there is nothing."""
    edge = cv2.BORDER_CONSTANT
    blurred = cv2.GaussianBlur(values, (0, 0), across, sigmaY=down, borderType=edge)
    return np.asarray(blurred).reshape(values.shape)
