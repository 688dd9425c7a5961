"""How far two pictures are apart, in the 255 levels that are written to a file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEVELS = 2
SHARE = 0.999
"""A card agrees with a processor when this share of pixels is within LEVELS."""


@dataclass(frozen=True)
class Levels:
    """Differences of pictures (..., 3), the worst channel of each pixel.

    Attributes:
        share: of pixels within LEVELS.
        largest: over all pixels.
        mean: over all pixels.
    """

    share: float
    largest: float
    mean: float

    @property
    def agree(self) -> bool:
        """Whether the share is large enough."""
        return self.share >= SHARE


def levels_apart(ours: NDArray[np.uint8], theirs: NDArray[np.uint8]) -> Levels:
    """Compare pictures (..., 3) of levels."""
    apart = np.abs(ours.astype(np.int32) - theirs.astype(np.int32)).max(-1)
    return Levels(float((apart <= LEVELS).mean()), float(apart.max()), float(apart.mean()))


def as_levels(pictures: NDArray[np.floating]) -> NDArray[np.uint8]:
    """(B, 3, H, W) colours 0..1 -> (B, H, W, 3) as they are written."""
    return np.rint(np.moveaxis(pictures, 1, -1).clip(0, 1) * 255).astype(np.uint8)
