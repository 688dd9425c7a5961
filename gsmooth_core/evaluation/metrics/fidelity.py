"""How close a picture is to the true one: PSNR and SSIM, of a whole picture or a part of it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.types import Bool

BEST_PSNR = 60.0
"""dB of identical pictures, whose PSNR would be infinite; no value is larger."""

WINDOW = 11
_SIGMA = 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2

Picture = NDArray[Any]


def psnr(truth: Picture, made: Picture, where: Bool | None = None) -> float:
    """Peak signal-to-noise ratio 10 log10(255^2 / MSE), at most `BEST_PSNR`.

    The mean over frames is the mean of these values, not the value of the mean error.

    Args:
        truth: (H, W) or (H, W, C), 0..255.
        made: the same shape.
        where: (H, W) pixels that count; all by default.

    Returns:
        dB; NaN where no pixel counts.
    """
    difference = truth.astype(np.float64) - made
    chosen = difference if where is None else difference[where]
    if not chosen.size:
        return float("nan")
    error = float((chosen**2).mean())
    return min(BEST_PSNR, float(10 * np.log10(255**2 / max(error, 1e-12))))


def ssim_map(truth: Picture, made: Picture) -> NDArray[np.float64]:
    """Structural similarity around each pixel (Wang et al. 2004).

    Gaussian window of 11 x 11, sigma 1.5, population covariance, K1 .01, K2 .03, range 255.

    Args:
        truth: (H, W) or (H, W, C), 0..255.
        made: the same shape.

    Returns:
        (H, W, C) -1..1; windows near the border see mirrored pixels.
    """
    # kornia.metrics.ssim was measured against this on 256-pixel crops: in float64 it is equal to
    # 1e-14, but 20 times slower; in float32 it is 2 to 4 times slower and 8e-6 off.
    a, b = (_planes(x) for x in (truth, made))
    mean_a, mean_b = _blur(a), _blur(b)
    var_a, var_b = _blur(a * a) - mean_a**2, _blur(b * b) - mean_b**2
    covariance = _blur(a * b) - mean_a * mean_b
    above = (2 * mean_a * mean_b + _C1) * (2 * covariance + _C2)
    below = (mean_a**2 + mean_b**2 + _C1) * (var_a + var_b + _C2)
    return np.asarray(above / below)


def ssim(truth: Picture, made: Picture, where: Bool | None = None) -> float:
    """Mean of `ssim_map` over channels and over the pixels whose window lies in the picture.

    Args:
        truth: (H, W) or (H, W, C), 0..255; at least 11 pixels high and wide.
        made: the same shape.
        where: (H, W) pixels that count; all by default.

    Returns:
        -1..1; NaN where no pixel counts.
    """
    edge = WINDOW // 2
    inner = ssim_map(truth, made)[edge:-edge, edge:-edge]
    chosen = inner if where is None else inner[where[edge:-edge, edge:-edge]]
    return float(chosen.mean()) if chosen.size else float("nan")


def _planes(picture: Picture) -> NDArray[np.float64]:
    """(H, W, C) float64."""
    planes = picture.astype(np.float64)
    return planes[..., None] if planes.ndim == 2 else planes


def _blur(planes: NDArray[np.float64]) -> NDArray[np.float64]:
    size = (WINDOW, WINDOW)
    blurred = cv2.GaussianBlur(planes, size, _SIGMA, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred).reshape(planes.shape)  # OpenCV drops a channel of one
