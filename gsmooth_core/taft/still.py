"""What differs between two neighbouring pictures of skin that hardly moves: noise.

Skin is looked at in blocks. In each, the change that a small movement and a change of light
explain (to first order, as Lucas and Kanade register pictures) is taken away; what is left is the
noise of both pictures. Nothing is resampled, since that would take noise away as well.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.types import Bool, Float

BLOCK = 16
"""Side of a block in pixels."""

_SMOOTH = 0.7  # pixels: deviation of the Gaussian before slopes are taken
_FARTHEST = 0.7  # pixels up to which first order will do
_EXPLAINED = 4  # unknowns of a block and channel: movement across and down, gain, offset
_LEAST = 1e-3


@dataclass(frozen=True)
class StillBlocks:
    """Noise of N blocks of still skin.

    Attributes:
        noise: (N, BLOCK, BLOCK, C) of one picture, in levels: its variance is half that of the
            difference of two.
        brightness: (N,) mean of the block, in levels.
    """

    noise: Float
    brightness: Float

    def __len__(self) -> int:
        return len(self.noise)

    @property
    def variance(self) -> NDArray[np.float64]:
        """(N, C) of the noise."""
        variance: NDArray[np.float64] = (self.noise.astype(np.float64) ** 2).mean((1, 2))
        return variance


def still_blocks(now: Float, before: Float, skin: Bool) -> StillBlocks:
    """The noise of two pictures that lie over each other to half a pixel or so.

    Args:
        now: (H, W, C) levels.
        before: (H, W, C) the picture before.
        skin: (H, W) what is bare skin in both; only blocks that are all skin are looked at.
    """
    channels = now.shape[2]
    mean = cv2.GaussianBlur((now + before) / 2, (0, 0), _SMOOTH).reshape(now.shape)
    down, across = np.gradient(mean, axis=(0, 1))
    taken = _blocks(skin[..., None]).all((1, 2))
    light = _blocks(mean)[taken]  # (N, C, pixels)
    causes = [_blocks(across)[taken], _blocks(down)[taken]]
    causes += [light - light.mean(2, keepdims=True), np.ones_like(light)]
    design = np.stack(causes, -1).astype(np.float64)  # (N, C, pixels, 4)
    difference = _blocks(now - before)[taken].astype(np.float64)
    square = np.einsum("ncpi,ncpj->ncij", design, design) + _LEAST * np.eye(_EXPLAINED)
    found = np.linalg.solve(square, np.einsum("ncpi,ncp->nci", design, difference)[..., None])
    rest = difference - (design @ found)[..., 0]
    # Some noise is explained away; half of what remains is each picture's own.
    rest *= np.sqrt(BLOCK**2 / (BLOCK**2 - _EXPLAINED) / 2)
    still = np.hypot(*np.median(found[:, :, :2, 0], 1).T) < _FARTHEST
    noise = rest[still].reshape(-1, channels, BLOCK, BLOCK).transpose(0, 2, 3, 1)
    return StillBlocks(noise.astype(np.float32), light[still].mean((1, 2)).astype(np.float32))


def typical(blocks: StillBlocks) -> StillBlocks:
    """The middle half of the blocks by their noise: without shadows that pass, hair, eyes."""
    if len(blocks) < 4:
        return blocks
    strength = blocks.variance.mean(1)
    low, high = np.quantile(strength, [0.25, 0.75])
    middle = (strength >= low) & (strength <= high)
    return StillBlocks(blocks.noise[middle], blocks.brightness[middle])


def _blocks(picture: NDArray[np.generic]) -> NDArray[np.generic]:
    """(H, W, C) in blocks: (N, C, BLOCK * BLOCK)."""
    rows, columns = picture.shape[0] // BLOCK, picture.shape[1] // BLOCK
    part = picture[: rows * BLOCK, : columns * BLOCK]
    parts = part.reshape(rows, BLOCK, columns, BLOCK, -1).transpose(0, 2, 4, 1, 3)
    return parts.reshape(rows * columns, -1, BLOCK * BLOCK)
