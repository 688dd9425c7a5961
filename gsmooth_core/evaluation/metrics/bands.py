"""How much detail a picture has, by size: energy in the bands of a Laplacian pyramid.

A mean gradient forgives a picture that lost its finest lines and kept its edges; energies, band
by band, do not. Each figure is to be looked at over the source's: 1 means as much detail.
"""

from __future__ import annotations

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
    coarse, energies = _grey(picture), []
    weight = np.ones(coarse.shape) if where is None else where.astype(np.float64)
    for _ in range(BANDS):
        smaller = cv2.pyrDown(coarse)
        band = coarse - cv2.pyrUp(smaller, dstsize=coarse.shape[::-1])
        total = weight.sum()
        energies.append(float((band**2 * weight).sum() / total) if total else np.nan)
        coarse, weight = smaller, cv2.pyrDown(weight)
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
