"""The network that tells people apart, in torch; see `recognise`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsmooth_core.models.checkpoints import load_network
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.storage.arrays import Arrays
from gsmooth_core.types import Float

_EMBEDDING = 128
_MEAN, _SCALE = (122.782, 117.001, 104.298), 256.0
_WIDTHS = (32,) * 3 + (64,) * 4 + (128,) * 3 + (256,) * 4
_HALVING = (3, 7, 10, 13)
"""Numbers of the blocks that halve the picture."""


class Block(nn.Module):
    """Two convolutions beside a way past them.

    Args:
        channels: (in, out).
        halve: whether the picture gets half as large.
    """

    def __init__(self, channels: tuple[int, int], *, halve: bool) -> None:
        super().__init__()
        inner, outer = channels
        self.halve = halve
        self.first = nn.Conv2d(inner, outer, 3, stride=1 + halve, padding=1 - halve)
        self.second = nn.Conv2d(outer, outer, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H', W')."""
        made = self.second(F.relu(self.first(x)))
        return F.relu(_sum(made, F.avg_pool2d(x, 2) if self.halve else x))


def _sum(a: Tensor, b: Tensor) -> Tensor:
    """The sum of two tensors, each filled up with zeros behind to the size of the larger."""
    shapes = [[int(length) for length in x.shape[1:]] for x in (a, b)]
    size = [max(pair) for pair in zip(*shapes, strict=True)]
    filled = []
    for x, shape in zip((a, b), shapes, strict=True):
        missing = [want - have for want, have in zip(size, shape, strict=True)]
        filled.append(F.pad(x, [part for more in reversed(missing) for part in (0, more)]))
    return filled[0] + filled[1]


class Recogniser(nn.Module):
    """Aligned faces to vectors."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Conv2d(3, _WIDTHS[0], 7, stride=2)
        self.blocks = nn.ModuleList(
            Block(channels, halve=number in _HALVING)
            for number, channels in enumerate(
                zip((_WIDTHS[0], *_WIDTHS[:-1]), _WIDTHS, strict=True)
            )
        )
        self.leave = nn.Linear(_WIDTHS[-1], _EMBEDDING, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, 150, 150) RGB 0..255 -> (B, 128)."""
        mean = x.new_tensor(_MEAN)[:, None, None]
        x = F.max_pool2d(F.relu(self.enter((x - mean) / _SCALE)), 3, 2)
        for block in self.blocks:
            x = block(x)
        made: Tensor = self.leave(x.mean((2, 3)))
        return made

    @torch.inference_mode()
    def recognise(self, images: Float) -> Float:
        """(B, 3, 150, 150) RGB 0..255 -> (B, 128)."""
        vectors: Float = self(torch.from_numpy(images)).numpy()
        return vectors


def load_module(source: ModelSource, arrays: Arrays) -> Recogniser:
    """The network with the tables of a file, in evaluation mode.

    Raises:
        ModelError: they are not those of the network.
    """
    return load_network(source, Recogniser, arrays)
