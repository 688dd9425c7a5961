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

BLOCK = 8
"""Side of a block in pixels. Larger ones turn and bend too much where a face is small."""

_SMOOTH = 0.7  # pixels: deviation of the Gaussian before slopes are taken
_FARTHEST = 0.7  # pixels up to which first order will do
_CAUSES = 3  # movement across and down, and contrast
_LEAST = 1e-3
_APART = 3.0  # times the variance of the lower quartile: more is movement, noise varies less
_ROUNDING = 1 / 12  # variance of a level that is rounded: nothing has less


@dataclass(frozen=True)
class StillBlocks:
    """Noise of N blocks of still skin.

    Attributes:
        noise: (N, side, side, C) of one picture, in levels: its variance is half that of the
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


def still_blocks(now: Float, before: Float, skin: Bool, side: int = BLOCK) -> StillBlocks:
    """The noise of two pictures that lie over each other to half a pixel or so.

    Args:
        now: (H, W, C) levels.
        before: (H, W, C) the picture before.
        skin: (H, W) what is bare skin in both; only blocks that are all skin are looked at.
        side: of a block in pixels.
    """
    channels = now.shape[2]
    mean = cv2.GaussianBlur((now + before) / 2, (0, 0), _SMOOTH).reshape(now.shape)
    down, across = np.gradient(mean, axis=(0, 1))
    taken = _blocks(skin[..., None], side).all((1, 2))
    light = _blocks(mean, side)[taken]  # (N, C, pixels)
    causes = np.stack([_blocks(across, side)[taken], _blocks(down, side)[taken], light], -1)
    causes, difference = (_even(x) for x in (causes, _blocks(now - before, side)[taken]))
    # All channels move together; each may become lighter as a whole.
    square = np.einsum("ncpi,ncpj->nij", causes, causes) + _LEAST * np.eye(_CAUSES)
    found = np.linalg.solve(square, np.einsum("ncpi,ncp->ni", causes, difference)[..., None])
    rest = difference - np.einsum("ncpi,ni->ncp", causes, found[..., 0])
    # Some noise is explained away; half of what remains is each picture's own.
    count = channels * side**2
    rest *= np.sqrt(count / (count - _CAUSES - channels) / 2)
    still = np.hypot(*found[:, :2, 0].T) < _FARTHEST
    noise = rest[still].reshape(-1, channels, side, side).transpose(0, 2, 3, 1)
    return StillBlocks(noise.astype(np.float32), light[still].mean((1, 2)).astype(np.float32))


def typical(blocks: StillBlocks) -> StillBlocks:
    """The middle half of the blocks by their noise: without shadows that pass, hair, eyes.

    Where movement is much of what is left in more blocks than that, less than half of them.
    """
    if len(blocks) < 4:
        return blocks
    strength = blocks.variance.mean(1)
    low, high = np.quantile(strength, [0.25, 0.75], method="lower")  # of a block that there is
    high = min(high, _APART * max(low, _ROUNDING))
    middle = (strength >= low) & (strength <= high)
    return StillBlocks(blocks.noise[middle], blocks.brightness[middle])


def _even(blocks: NDArray[np.generic]) -> NDArray[np.float64]:
    """(N, C, pixels, ...) blocks without the mean of each."""
    values = blocks.astype(np.float64)
    even: NDArray[np.float64] = values - values.mean(2, keepdims=True)
    return even


def _blocks(picture: NDArray[np.generic], side: int) -> NDArray[np.generic]:
    """(H, W, C) in blocks: (N, C, side * side)."""
    rows, columns = picture.shape[0] // side, picture.shape[1] // side
    part = picture[: rows * side, : columns * side]
    parts = part.reshape(rows, side, columns, side, -1).transpose(0, 2, 4, 1, 3)
    return parts.reshape(rows * columns, -1, side * side)
