"""Tone: is the new skin as light and as coloured as the old, whatever the mouth says."""

from __future__ import annotations

import cv2
import numpy as np

from gsmooth_core.types import Bool, Float, Image

_PARTS = 12  # of the face's width: what is smaller is shape, not tone
_LEAST = 1e-6
_REDUCED = 4  # pixels that are looked at as one; far below the blur


def tone_error(truth: Image, made: Image, mask: Bool, without: Bool | None = None) -> float:
    """Mean absolute difference under a mask, after a Gaussian of 1/12 of the mask's width.

    Args:
        truth: (H, W, 3) crop of the source.
        made: the same of the dub.
        mask: (H, W) what was replaced, the lower face.
        without: (H, W) what is to have no part in either picture, such as a mouth that says
            something else.

    Returns:
        levels of 255; NaN where the mask is empty.
    """
    columns = np.flatnonzero(mask.any(0))
    if not len(columns):
        return float("nan")
    sigma = (columns[-1] - columns[0] + 1) / _PARTS / _REDUCED
    seen = np.ones(mask.shape, np.float32) if without is None else (~without).astype(np.float32)
    apart = _reduced((truth.astype(np.float32) - made) * seen[..., None])
    around = _blurred(_reduced(seen), sigma)[..., None]
    apart = np.abs(_blurred(apart, sigma) / np.maximum(around, _LEAST)).mean(-1)
    weight = _reduced(mask * seen)
    return float((apart * weight).sum() / max(weight.sum(), _LEAST))


def _blurred(values: Float, sigma: float) -> Float:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma))


def _reduced(values: Float) -> Float:
    size = (values.shape[1] // _REDUCED, values.shape[0] // _REDUCED)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA))
