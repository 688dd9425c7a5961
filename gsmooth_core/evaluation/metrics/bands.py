"""How much detail a picture has, by size: energy in the bands of a Laplacian pyramid.

A mean gradient forgives a picture that lost its finest lines and kept its edges; energies, band
by band, do not. Each figure is to be looked at over the source's: 1 means as much detail.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.evaluation.metrics.fidelity import Picture
from gsmooth_core.types import Bool

BANDS = 4
"""Bands of the pyramid: details of about 2, 4, 8 and 16 pixels."""


def band_energies(picture: Picture, where: Bool | None = None) -> NDArray[np.float64]:
    """Mean squares of the bands of a Laplacian pyramid (Burt and Adelson 1983) of the grey picture.

    Args:
        picture: (H, W, 3) or (H, W), 0..255; sides of at least 2^BANDS pixels.
        where: (H, W) pixels that count; all by default.

    Returns:
        (BANDS,) squared grey levels, finest first; NaN where no pixel counts.
    """
    parts = pyramid_bands(picture)
    return energies_in(parts, np.ones(parts[0].shape, bool) if where is None else where)


def pyramid_bands(picture: Picture, count: int = BANDS) -> list[NDArray[np.float64]]:
    """The finest `count` bands of the grey picture, finest first; each has half the last's side."""
    coarse, parts = _grey(picture), []
    for _ in range(count):
        smaller = cv2.pyrDown(coarse)
        parts.append(coarse - cv2.pyrUp(smaller, dstsize=coarse.shape[::-1]))
        coarse = smaller
    return parts


def energies_in(parts: Sequence[NDArray[np.float64]], where: Bool) -> NDArray[np.float64]:
    """Mean squares of `pyramid_bands` over the pixels (H, W) that count; NaN where none does."""
    weight, energies = where.astype(np.float64), []
    for part in parts:
        total = weight.sum()
        energies.append(float((part**2 * weight).sum() / total) if total else np.nan)
        weight = cv2.pyrDown(weight)
    return np.array(energies)


def laplacian_variance(picture: Picture, where: Bool | None = None) -> float:
    """Variance of the Laplacian (4 neighbours) of the grey picture, a common measure of focus.

    Args:
        picture: (H, W, 3) or (H, W), 0..255.
        where: (H, W) pixels that count; all by default.

    Returns:
        squared grey levels; NaN where no pixel counts.
    """
    response = cv2.Laplacian(_grey(picture), cv2.CV_64F)
    chosen = response if where is None else response[where]
    return float(chosen.var()) if chosen.size else float("nan")


def _grey(picture: Picture) -> NDArray[np.float64]:
    grey = picture.astype(np.float64)
    return grey.mean(-1) if grey.ndim == 3 else grey
