"""How far the content of one picture is displaced from that of the true one."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from gsmooth_core.types import Bool, Float, Image

_TEXTURE = 200.0  # squared gradient (8 bit) at which a pixel's position is half certain
_AROUND = 3.0  # pixels over which the gradient is averaged
_FARTHEST = 6.0  # pixels of flow that weigh e times less
_DOUBT = 0.02  # weight of the prior, which is no flow


def flow(truth: Image, made: Float, where: Bool, smooth: float) -> Float:
    """A smooth flow f such that truth(x) looks like made(x + f).

    Args:
        truth: (H, W, 3) uint8 RGB, the true picture.
        made: (H, W, 3) RGB 0..1, the picture that is off.
        where: (H, W) pixels that may be compared.
        smooth: standard deviation in pixels of the weighted mean around each pixel.

    Returns:
        (H, W, 2) x and y in pixels; 0 where there is no texture to tell.
    """
    right = cv2.cvtColor(truth, cv2.COLOR_RGB2GRAY)
    other = cv2.cvtColor((made * 255).clip(0, 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)
    found = _dis().calc(right, other, None)
    belief = where * _texture(right) * np.exp(-((np.linalg.norm(found, axis=-1) / _FARTHEST) ** 2))
    belief = belief.astype(np.float32)
    total = cv2.GaussianBlur(found * belief[..., None], (0, 0), smooth)
    mean: Float = total / (cv2.GaussianBlur(belief, (0, 0), smooth)[..., None] + _DOUBT)
    return mean


@cache
def _dis() -> cv2.DISOpticalFlow:
    """Dense inverse search (Kroeger et al., 2016)."""
    return cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)


def _texture(grey: Image) -> Float:
    """(H, W) 0..1 how certain a pixel's position is."""
    x, y = (cv2.Sobel(grey.astype(np.float32), cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
    square = cv2.GaussianBlur(x * x + y * y, (0, 0), _AROUND)
    texture: Float = square / (square + _TEXTURE)
    return texture
