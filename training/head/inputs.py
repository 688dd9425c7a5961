"""The head generator: a fusion generator that is given three ways to move a photo.

The person before the background, all as one surface, and the photo as it is: on hair and neck none
of them is right everywhere.
"""

from __future__ import annotations

import numpy as np
import torch

from gsmooth_core.taft.generators.interface import HINTS, GeneratorConfig, GeneratorInput
from gsmooth_core.types import Image

HEAD = GeneratorConfig(references=3, max_flow=6.0)
"""Its dimensions."""

_TRUST = (1.0, 0.05, 0.02)
"""Validity of the three; untrained, it returns the first."""


def head_input(layer: Image, sheet: Image, static: Image) -> GeneratorInput[torch.Tensor]:
    """A batch of one.

    Args:
        layer: (H, W, 3) uint8, the person moved before the background that stays.
        sheet: the same size, everything moved as one surface.
        static: the photo.
    """
    pictures = np.stack([layer, sheet, static]).astype(np.float32) / 255
    references = torch.from_numpy(pictures).permute(0, 3, 1, 2)[None]  # (1, 3, 3, H, W)
    moved = (references[:, 0] - references[:, 2]).abs().mean(1, keepdim=True)
    height, width = layer.shape[:2]
    trust = torch.tensor(_TRUST)[None, :, None, None, None]
    return GeneratorInput(
        references[:, 0],
        torch.ones(1, 1, height, width),
        moved.expand(1, HINTS, -1, -1),
        references,
        trust.expand(1, 3, 1, height, width),
    )
