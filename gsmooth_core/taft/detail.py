"""Fusion by frequency: colours are averaged over references, detail is chosen from few of them.

References that disagree by half a pixel average to a blur. Low frequencies do not mind, so they
are fused as by default; high frequencies come from a second choice among the same references,
which is far more decided, shared by neighbouring pixels, and as steady in time as the inputs that
it is made of. What a choice must still lose (it cannot know where every pore lies) a gain gives
back, band by band. References are moved once, by bicubic sampling: bilinear sampling blurs.
"""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F

from gsmooth_core.taft.generator import (
    FusionGenerator,
    GeneratorConfig,
    GeneratorInput,
    shift,
)

SIGMAS = (1.0, 2.0)
"""Standard deviations in pixels at which detail is parted: fine below the first, then middling."""

_LARGEST_GAIN = 0.7  # of a band, as a logarithm
_FAINT = 1e-4


class DetailGenerator(FusionGenerator):
    """`FusionGenerator` with a choice and gains of its own for two bands of detail."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__(config)
        self.detail = _still(torch.nn.Conv2d(config.width, 1, 3, padding=1))
        self.gain = _still(torch.nn.Conv2d(config.width, len(SIGMAS), 3, padding=1))

    def _fused(
        self, x: GeneratorInput, logits: Tensor, flow: Tensor, own: Tensor, decoded: Tensor
    ) -> Tensor:
        """(B, 3, H, W) low frequencies of the mean, high ones of the choice for detail."""
        size = x.references.shape[-2:]
        flow = torch.tanh(flow) * self.config.max_flow
        moved = shift(x.references.flatten(0, 1), flow, "bicubic").reshape_as(x.references)
        mean = (moved * torch.softmax(logits, 1)).sum(1)
        sharp = (moved * self._chosen(logits, own, size)).sum(1)
        gains = torch.exp(torch.tanh(self.gain(decoded)) * _LARGEST_GAIN)
        gains = F.interpolate(gains, size, mode="bilinear", align_corners=False)
        return blurred(mean, SIGMAS[-1]) + _detail(sharp, gains)

    def _chosen(self, logits: Tensor, own: Tensor, size: torch.Size) -> Tensor:
        """(B, K, 1, H, W) weights of the references' detail, made at half the resolution."""
        count = logits.shape[1]
        coarse = F.avg_pool2d(logits.flatten(0, 1), 2) + self.detail(own)
        coarse = coarse.reshape(-1, count, *coarse.shape[-2:])  # (B, K, H/2, W/2)
        weight = torch.softmax(self.config.sharpness * coarse, 1)
        return F.interpolate(weight, size, mode="bilinear", align_corners=False)[:, :, None]


def _detail(picture: Tensor, gains: Tensor) -> Tensor:
    """(B, 3, H, W) what lies above the last of SIGMAS, each band times its (B, 1, H, W) gain."""
    low = [picture, *(blurred(picture, sigma) for sigma in SIGMAS)]
    bands = ((a - b) * gains[:, n : n + 1] for n, (a, b) in enumerate(pairwise(low)))
    return cast(Tensor, sum(bands))


def blurred(picture: Tensor, sigma: float) -> Tensor:
    """(B, C, H, W) under a Gaussian; edge pixels repeat."""
    radius, channels = round(3 * sigma), picture.shape[1]
    at = torch.arange(-radius, radius + 1, device=picture.device, dtype=picture.dtype)
    row = torch.exp(-((at / sigma) ** 2) / 2)
    row = (row / row.sum()).expand(channels, 1, 1, -1)
    padded = F.pad(picture, (radius, radius, radius, radius), mode="replicate")
    return F.conv2d(F.conv2d(padded, row, groups=channels), row.mT, groups=channels)


def _still(conv: torch.nn.Conv2d) -> torch.nn.Conv2d:
    torch.nn.init.zeros_(conv.weight)
    if conv.bias is not None:
        torch.nn.init.zeros_(conv.bias)
    return conv
