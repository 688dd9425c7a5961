"""The default generator: a small U-Net that fuses references which are warped to the new face.

It chooses, pixel by pixel, among references of the same clip, moves them by a pixel or two where
they disagree, and adds a bounded residual. It is symmetric in its references, so it takes any
number of them in any order, and untrained it returns their validity-weighted mean.
"""

from __future__ import annotations

from functools import reduce
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gsmooth_core.taft.generators.interface import HINTS, GeneratorConfig, GeneratorInput
from gsmooth_core.taft.generators.torch_generator import TorchGenerator

SLOPE = 0.1
FAINT = 1e-4


def weighted_mean(references: Tensor, validity: Tensor) -> Tensor:
    """(B, 3, H, W) validity-weighted mean of (B, K, 3, H, W): what fusion starts from."""
    weight = validity + FAINT
    return (references * weight).sum(1) / weight.sum(1)


class FusionGenerator(TorchGenerator):
    """Small U-Net that fuses warped references; works at half resolution inside."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__(config)
        c = config.width
        # Over 2 x 2 pixels at once (pixel_unshuffle); run as strided convolutions.
        self.look = conv3(4 * 7, c)  # a reference, its difference to I_b, its validity
        self.context = conv3(4 * (4 + HINTS), c)
        self.merge = nn.Conv2d(3 * c, c, 1)
        widths = [min(c * 2**level, config.max_width) for level in range(config.levels + 1)]
        self.down = nn.ModuleList(_Down(a, b) for a, b in pairwise(widths))
        self.up = nn.ModuleList(_Up(b, a) for b, a in pairwise(widths[::-1]))
        self.shared_head = conv3(c, c)
        self.own_head = conv3(c, c)
        self.choice = zeroed(conv3(c, 4 + 2))  # score at full resolution, flow at half
        self.residual = nn.Sequential(conv3(c, c), nn.LeakyReLU(SLOPE), zeroed(conv3(c, 12)))

    def forward(self, x: GeneratorInput[Tensor]) -> Tensor:
        """Return (B, 3, H, W) picture, 0..1."""
        looks = self._look(x)
        decoded = self._decode(x, looks)
        return self._finished(self._fused(x, *self._weighed(x, looks, decoded), decoded), decoded)

    def _weighed(
        self, x: GeneratorInput[Tensor], looks: Tensor, decoded: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Logits (B, K, 1, H, W), flow (B*K, 2, H/2, W/2) in pixels, what a preset adds."""
        choice = self._choice(self._own(x, looks, decoded))
        score, flow, more = choice[:, :4], choice[:, 4:6].contiguous(), choice[:, 6:]
        score = split(_shuffled(score), x.references.shape[1])  # (B, K, 1, H, W)
        logits = score + torch.log(x.validity + FAINT)
        return logits, torch.tanh(flow) * self.config.max_flow, more

    def _finished(self, picture: Tensor, decoded: Tensor) -> Tensor:
        """(B, 3, H, W), 0..1, the fused picture and its bounded residual."""
        return (picture + self._residue(decoded)).clamp(0, 1)

    def _residue(self, decoded: Tensor) -> Tensor:
        """(B, 3, H, W) the bounded residual."""
        residual = F.pixel_shuffle(self.residual(decoded), 2)
        return torch.tanh(residual) * self.config.max_residual

    def _own(self, x: GeneratorInput[Tensor], looks: Tensor, decoded: Tensor) -> Tensor:
        """(B*K, C, H/2, W/2) what is known of each reference beside the new face."""
        own = split(self.own_head(looks), x.references.shape[1])
        own = own + self.shared_head(decoded)[:, None]
        return F.leaky_relu(own, SLOPE, inplace=True).flatten(0, 1)

    def _choice(self, own: Tensor) -> Tensor:
        """(B*K, 6 or more, H/2, W/2) of each reference: 2 x 2 scores, flow, what a preset adds."""
        choice: Tensor = self.choice(own)
        return choice

    def _fused(
        self,
        x: GeneratorInput[Tensor],
        logits: Tensor,
        flow: Tensor,
        _more: Tensor,
        _decoded: Tensor,
    ) -> Tensor:
        """(B, 3, H, W) the references, moved by `flow`, as `logits` choose among them."""
        moved = shift(x.references.flatten(0, 1), flow)
        return (split(moved, x.references.shape[1]) * torch.softmax(logits, 1)).sum(1)

    def _look(self, x: GeneratorInput[Tensor]) -> Tensor:
        """(B*K, C, H/2, W/2) features of each reference, its difference to I_b, its validity.

        The convolution is linear: what it makes of I_b is made once, and not K times.
        """
        of_picture, of_difference, of_validity = torch.split(_strided(self.look), [3, 3, 1], 1)
        seen = torch.cat([x.references, x.validity], 2).flatten(0, 1)  # (B*K, 4, H, W)
        seen = seen.contiguous(memory_format=torch.channels_last)
        kernel = torch.cat([of_picture + of_difference, of_validity], 1)
        own = F.conv2d(seen, kernel, self.look.bias, stride=2, padding=2)
        blend = x.blend.contiguous(memory_format=torch.channels_last)  # two layouts are slow to add
        base = F.conv2d(blend, of_difference, stride=2, padding=2)
        looks = split(own, x.references.shape[1]) - base[:, None]
        return F.leaky_relu(looks, SLOPE, inplace=True).flatten(0, 1)

    def _decode(self, x: GeneratorInput[Tensor], looks: Tensor) -> Tensor:
        """(B, C, H/2, W/2) features of the new face."""
        skips = self._encoded(x, looks)
        decoded: Tensor = skips.pop()
        for up in self.up:
            decoded = up(decoded, skips.pop())
        return decoded

    def _encoded(self, x: GeneratorInput[Tensor], looks: Tensor) -> list[Tensor]:
        """Features of the new face at each scale: (B, C, H/2, W/2), then at half of it, ..."""
        context = torch.cat([x.blend, x.mask, x.hints], 1)
        kernel = _strided(self.context)
        context = F.conv2d(context, kernel, self.context.bias, stride=2, padding=2)
        context = F.leaky_relu(context, SLOPE)
        average, most = _pooled(split(looks, x.references.shape[1]))
        fine = self.merge(torch.cat([context, average, most], 1))
        skips = [F.leaky_relu(fine, SLOPE)]
        for down in self.down:
            skips.append(down(skips[-1]))
        return skips


def shift(images: Tensor, flow: Tensor, mode: str = "bilinear") -> Tensor:
    """Sample (N, C, H, W) images at their own pixels moved by (N, 2, H/2, W/2) flow in pixels."""
    height, width = images.shape[-2:]
    fine = F.interpolate(flow, (height, width), mode="bilinear", align_corners=False)
    options = {"device": images.device, "dtype": images.dtype}
    y = (torch.arange(height, **options) * 2 + 1) / height - 1  # type: ignore[call-overload]
    x = (torch.arange(width, **options) * 2 + 1) / width - 1  # type: ignore[call-overload]
    grid_x = x[None, None, :] + fine[:, 0] * (2 / width)
    grid_y = y[None, :, None] + fine[:, 1] * (2 / height)
    grid = torch.stack([grid_x, grid_y], -1)  # (N, H, W, 2)
    return F.grid_sample(images, grid, mode, padding_mode="border", align_corners=False)


def _shuffled(score: Tensor) -> Tensor:
    """(N, 4, H/2, W/2) -> (N, 1, H, W), 2 x 2 pixels of each place."""
    if torch.onnx.is_in_onnx_export():
        return F.pixel_shuffle(score, 2)
    count, _, height, width = score.shape  # three times as fast where channels come last
    apart = score.reshape(count, 2, 2, height, width).permute(0, 3, 1, 4, 2)
    return apart.reshape(count, 1, 2 * height, 2 * width)


def _pooled(looks: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and largest over K of (B, K, C, H/2, W/2)."""
    if torch.onnx.is_in_onnx_export():  # a graph must not count them
        return looks.mean(1), looks.amax(1)
    each = looks.unbind(1)  # one by one is faster
    return reduce(torch.add, each) / len(each), reduce(torch.maximum, each)


def split(x: Tensor, count: int) -> Tensor:
    """(B*K, ...) -> (B, K, ...), K references of each."""
    return x.reshape(-1, count, *x.shape[1:])


def _strided(conv: nn.Conv2d) -> Tensor:
    """(O, C, 6, 6) kernel that does with stride 2 what `conv` does after pixel_unshuffle by 2."""
    outputs, inputs = conv.weight.shape[:2]
    weight = conv.weight.reshape(outputs, inputs // 4, 2, 2, 3, 3)  # (O, 4 C, 3, 3): dy, dx
    return weight.permute(0, 1, 4, 2, 5, 3).reshape(outputs, inputs // 4, 6, 6)


def conv3(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    """A convolution of 3 x 3."""
    return nn.Conv2d(inputs, outputs, 3, stride, 1)


def zeroed(conv: nn.Conv2d) -> nn.Conv2d:
    """Start from "no change": the last layer of a head says zero until it has learned."""
    nn.init.zeros_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv3(width, width), nn.LeakyReLU(SLOPE), zeroed(conv3(width, width))
        )

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, x + self.body(x))


class _Down(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = conv3(inputs, outputs, 2)
        self.residual = _Residual(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.residual(F.leaky_relu(self.conv(x), SLOPE)))


class _Up(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = conv3(inputs, outputs)
        self.residual = _Residual(outputs)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        # The convolution commutes with the upsampling but for its edges, and is cheaper before it.
        narrow = F.interpolate(self.conv(x), scale_factor=2, mode="bilinear", align_corners=False)
        return cast(Tensor, self.residual(F.leaky_relu(narrow + skip, SLOPE)))
