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

from gsmooth_core.taft.generators import coarse
from gsmooth_core.taft.generators.fusion import FusionGenerator, shift, split
from gsmooth_core.taft.generators.interface import GeneratorConfig, GeneratorInput
from gsmooth_core.taft.generators.mix import SIGMAS, Plan, bell, followed_near
from gsmooth_core.types import Float

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

    def forward(self, x: GeneratorInput[Tensor]) -> Tensor:
        """Return (B, 3, H, W) picture, 0..1."""
        height, width = x.blend.shape[-2:]
        if not coarse.is_large(height, width, self.config):
            return super().forward(x)
        small = GeneratorInput(*map(_halved, x))
        flow, colour, detail, gains, residue = self.plan(small)
        size, gains = x.blend.shape[-2:], gains * gains.new_tensor(coarse.MORE)[:, None, None]
        shares = _finer(colour, size)[:, :, None], detail
        picture = self._mixed(x.references, 2 * flow.flatten(0, 1), *shares, gains)
        return (picture + _finer(residue, size)).clamp(0, 1)

    def plan(self, x: GeneratorInput[Tensor]) -> tuple[Tensor, ...]:
        """What `mix.followed` needs to make the picture of `forward`: a `mix.Plan` of tensors."""
        looks, count = self._look(x), x.references.shape[1]
        decoded = self._decode(x, looks)
        logits, flow, score = self._weighed(x, looks, decoded)
        colour, detail = torch.softmax(logits, 1)[:, :, 0], self._decided(logits, score)
        return split(flow, count), colour, detail, self._gains(decoded), self._residue(decoded)

    def paint(self, x: GeneratorInput[Float]) -> Float:
        """(B, 3, H, W) pictures, 0..1."""
        if type(self) is not DetailGenerator or next(self.parameters()).device.type != "cpu":
            return super().paint(x)
        made = coarse.planned(x, self.config, lambda seen: Plan(*self.run(self.plan, seen)))
        return followed_near(made, x)

    def _fused(
        self, x: GeneratorInput[Tensor], logits: Tensor, flow: Tensor, more: Tensor, decoded: Tensor
    ) -> Tensor:
        """(B, 3, H, W) of references that are chosen at their own resolution."""
        shares = torch.softmax(logits, 1), self._decided(logits, more)
        return self._mixed(x.references, flow, *shares, self._gains(decoded))

    def _mixed(
        self, references: Tensor, flow: Tensor, shares: Tensor, detail: Tensor, gains: Tensor
    ) -> Tensor:
        """(B, 3, H, W) low frequencies of the mean, high ones of the choice for detail.

        Args:
            references: (B, K, 3, H, W).
            flow: (B*K, 2, h, w) pixels from each place to where it is looked up.
            shares: (B, K, 1, H, W) in the mean.
            detail: (B, K, h, w) shares in the detail.
            gains: (B, 2, h, w) of fine and middling detail.
        """
        size = references.shape[-2:]
        moved = shift(references.flatten(0, 1), flow, "bicubic").reshape_as(references)
        mean = (moved * shares).sum(1)
        sharp = (moved * _finer(detail, size)[:, :, None]).sum(1)
        gains = _finer(gains, size)
        colour, base = blurred(torch.cat([mean, sharp], 1), SIGMAS[1]).split(3, 1)  # type: ignore[no-untyped-call]
        middling = blurred(sharp, SIGMAS[0])
        fine, middle = sharp - middling, middling - base
        return cast(Tensor, colour + fine * gains[:, :1] + middle * gains[:, 1:])

    def _gains(self, decoded: Tensor) -> Tensor:
        """(B, 2, H/2, W/2) of fine and middling detail."""
        return torch.exp(torch.tanh(self.gain(decoded)) * _LARGEST_GAIN)

    def _decided(self, logits: Tensor, score: Tensor) -> Tensor:
        """(B, K, H/2, W/2) weights of the references' detail."""
        count = logits.shape[1]
        coarse = F.avg_pool2d(logits.flatten(0, 1), 2) + score
        coarse = coarse.reshape(-1, count, *coarse.shape[-2:])
        return torch.softmax(self.config.sharpness * coarse, 1)


def _halved(planes: Tensor) -> Tensor:
    """(..., H / 2, W / 2) means of 2 x 2 pixels."""
    height, width = planes.shape[-2:]
    small = F.avg_pool2d(planes.flatten(0, -4), 2) if planes.dim() > 4 else F.avg_pool2d(planes, 2)
    return small.reshape(*planes.shape[:-2], height // 2, width // 2)


def _finer(values: Tensor, size: torch.Size) -> Tensor:
    return F.interpolate(values, size, mode="bilinear", align_corners=False)


def blurred(picture: Tensor, sigma: float) -> Tensor:
    """(B, C, H, W) under a Gaussian; edge pixels repeat."""
    channels, weights = int(picture.shape[1]), bell(sigma)
    radius = len(weights) // 2
    kernel = np.broadcast_to(weights, (channels, 1, 1, len(weights)))
    row = picture.new_tensor(kernel.tolist())  # a constant, wherever the network is written to
    padded = F.pad(picture, (radius, radius, radius, radius), mode="replicate")
    return F.conv2d(F.conv2d(padded, row, groups=channels), row.mT, groups=channels)


def _still(conv: torch.nn.Conv2d) -> torch.nn.Conv2d:
    torch.nn.init.zeros_(conv.weight)
    if conv.bias is not None:
        torch.nn.init.zeros_(conv.bias)
    return conv
