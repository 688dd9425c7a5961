"""The paper's generator (Sec. IV-C): an encoder-decoder, blended image and one reference in."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn

from gsmooth_core.taft.generators.interface import GeneratorConfig, GeneratorInput
from gsmooth_core.taft.generators.torch_generator import TorchGenerator

_SLOPE = 0.1


class PaperGenerator(TorchGenerator):
    """The paper's generator (Fig. 4): 6 channels in, added skips, tanh.

    Each level has two residual blocks, one on the way down and one on the way up.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__(config)
        widths = [min(config.width * 2**i, config.max_width) for i in range(config.levels + 1)]
        self.first = _NormedConv(6, widths[0], 7)
        self.down = nn.ModuleList(
            nn.Sequential(_NormedConv(a, b, 3, 2), _NormedResidual(b)) for a, b in pairwise(widths)
        )
        self.up = nn.ModuleList(
            nn.Sequential(nn.Upsample(scale_factor=2), _NormedConv(b, a, 3), _NormedResidual(a))
            for b, a in pairwise(widths[::-1])
        )
        self.last = nn.Conv2d(widths[0], 3, 7, padding=3)

    def forward(self, x: GeneratorInput[Tensor]) -> Tensor:
        """Return (B, 3, H, W) picture, 0..1; only the first reference is looked at."""
        pair = torch.cat([x.blend, x.references[:, 0]], 1) * 2 - 1
        skips: list[Tensor] = [self.first(pair)]
        for down in self.down:
            skips.append(down(skips[-1]))
        decoded = skips.pop()
        for up in self.up:
            decoded = up(decoded) + skips.pop()
        return torch.tanh(self.last(decoded)) / 2 + 0.5


class _NormedConv(nn.Sequential):
    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2),
            nn.GroupNorm(1, outputs),  # one group: layer norm over channels and pixels
            nn.LeakyReLU(_SLOPE),
        )


class _NormedResidual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_NormedConv(width, width, 3), _NormedConv(width, width, 3))

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, x + self.body(x))
