"""Fusion by frequency: colours are averaged over references, detail is chosen from few of them.

References that disagree by half a pixel average to a blur. Low frequencies do not mind, so they
are fused as by default; high frequencies come from a second choice among the same references,
which is far more decided, shared by neighbouring pixels, and as steady in time as the inputs that
it is made of. What a choice must still lose (it cannot know where every pore lies) a gain gives
back, band by band. References are moved once, by bicubic sampling: bilinear sampling blurs.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gsmooth_core.taft.fusion import FusionGenerator, shift
from gsmooth_core.taft.interface import GeneratorConfig, GeneratorInput

SIGMAS = (1.0, 2.0)
"""Standard deviations in pixels at which detail is parted: fine below the first, then middling."""

_LARGEST_GAIN = 0.7  # of a band, as a logarithm


class DetailGenerator(FusionGenerator):
    """`FusionGenerator` with a choice and gains of its own for two bands of detail."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__(config)
        self.detail = _still(torch.nn.Conv2d(config.width, 1, 3, padding=1))
        self.gain = _still(torch.nn.Conv2d(config.width, len(SIGMAS), 3, padding=1))

    def _choice(self, own: Tensor) -> Tensor:
        """Scores and flow as by default, and the score for detail: one convolution is cheaper."""
        heads = (self.choice, self.detail)
        weight = torch.cat([head.weight for head in heads])
        bias = torch.cat([cast(Tensor, head.bias) for head in heads])
        return F.conv2d(own, weight, bias, padding=1)

    def _fused(
        self, x: GeneratorInput[Tensor], logits: Tensor, flow: Tensor, more: Tensor, decoded: Tensor
    ) -> Tensor:
        """(B, 3, H, W) low frequencies of the mean, high ones of the choice for detail."""
        size = x.references.shape[-2:]
        moved = shift(x.references.flatten(0, 1), flow, "bicubic").reshape_as(x.references)
        mean = (moved * torch.softmax(logits, 1)).sum(1)
        sharp = (moved * self._chosen(logits, more, size)).sum(1)
        gains = torch.exp(torch.tanh(self.gain(decoded)) * _LARGEST_GAIN)
        gains = F.interpolate(gains, size, mode="bilinear", align_corners=False)
        colour, base = blurred(torch.cat([mean, sharp], 1), SIGMAS[1]).split(3, 1)  # type: ignore[no-untyped-call]
        middling = blurred(sharp, SIGMAS[0])
        fine, middle = sharp - middling, middling - base
        return cast(Tensor, colour + fine * gains[:, :1] + middle * gains[:, 1:])

    def _chosen(self, logits: Tensor, score: Tensor, size: torch.Size) -> Tensor:
        """(B, K, 1, H, W) weights of the references' detail, made at half the resolution."""
        count = logits.shape[1]
        coarse = F.avg_pool2d(logits.flatten(0, 1), 2) + score
        coarse = coarse.reshape(-1, count, *coarse.shape[-2:])  # (B, K, H/2, W/2)
        weight = torch.softmax(self.config.sharpness * coarse, 1)
        return F.interpolate(weight, size, mode="bilinear", align_corners=False)[:, :, None]


def blurred(picture: Tensor, sigma: float) -> Tensor:
    """(B, C, H, W) under a Gaussian; edge pixels repeat."""
    radius, channels = round(3 * sigma), int(picture.shape[1])
    bell = np.exp(-((np.arange(-radius, radius + 1) / sigma) ** 2) / 2)
    kernel = np.broadcast_to(bell / bell.sum(), (channels, 1, 1, len(bell)))
    row = picture.new_tensor(kernel.tolist())  # a constant, wherever the network is written to
    padded = F.pad(picture, (radius, radius, radius, radius), mode="replicate")
    return F.conv2d(F.conv2d(padded, row, groups=channels), row.mT, groups=channels)


def _still(conv: torch.nn.Conv2d) -> torch.nn.Conv2d:
    torch.nn.init.zeros_(conv.weight)
    if conv.bias is not None:
        torch.nn.init.zeros_(conv.bias)
    return conv
