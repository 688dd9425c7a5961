"""How much noise pictures have: what differs between neighbours on skin that hardly moves."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.evaluation.metrics.bands import pyramid_bands
from gsmooth_core.evaluation.metrics.fidelity import Picture
from gsmooth_core.taft.finish.still import still_blocks
from gsmooth_core.types import Bool, Float

GRAIN_BANDS = 2
"""Bands in which noise is told from what is seen: details of about 2 and 4 pixels."""

_ALL = 0.999
_BLOCK = 16  # pixels of the crop


def grain_blocks(now: Picture, before: Picture, skin: Bool) -> list[NDArray[np.float64]]:
    """Energy of the noise in each band, block by block.

    Args:
        now: (H, W, 3) or (H, W), 0..255.
        before: the picture before, registered to half a pixel or so.
        skin: (H, W) bare skin of both that counts.

    Returns:
        for each of GRAIN_BANDS (N,) squared grey levels of one picture's noise in N blocks.
    """
    energies, share = [], skin.astype(np.float32)
    pairs = zip(*(_bands(picture) for picture in (now, before)), strict=True)
    for band, earlier in pairs:
        energies.append(still_blocks(band, earlier, share > _ALL, _BLOCK).variance[:, 0])
        share = cv2.pyrDown(share)
    return energies


def _bands(picture: Picture) -> list[Float]:
    """The bands in which noise is looked at, each (H, W, 1)."""
    parts = pyramid_bands(picture, GRAIN_BANDS)
    return [part.astype(np.float32)[..., None] for part in parts]
