"""Who a face is: vectors that lie close together for pictures of one person.

The network is the residual one of 29 layers that Davis King trained and gave to the public domain
(dlib_face_recognition_resnet_model_v1, CC0), written anew; `training.recognise` turns its file into
`recognise.safetensors`, with the affine layers after the convolutions multiplied into them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gsmooth_core.models import registry
from gsmooth_core.models.checkpoints import load_network, plausible
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.types import Float, Image

EMBEDDING = 128
SAME = 0.475
"""Vectors of one person lie closer; measured by `python -m training.recognise.measure`."""

_MEAN, _SCALE = (122.782, 117.001, 104.298), 256.0
_WIDTHS = (32,) * 3 + (64,) * 4 + (128,) * 3 + (256,) * 4
_HALVING = (3, 7, 10, 13)
"""Numbers of the blocks that halve the picture."""

_HINT = "Reinstall GSmooth, or take your own file away."


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
    size = [max(m, n) for m, n in zip(a.shape[1:], b.shape[1:], strict=True)]
    filled = []
    for x in (a, b):
        missing = [want - have for want, have in zip(size, x.shape[1:], strict=True)]
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
        self.leave = nn.Linear(_WIDTHS[-1], EMBEDDING, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, 150, 150) RGB 0..255 -> (B, 128)."""
        mean = x.new_tensor(_MEAN)[:, None, None]
        x = F.max_pool2d(F.relu(self.enter((x - mean) / _SCALE)), 3, 2)
        for block in self.blocks:
            x = block(x)
        made: Tensor = self.leave(x.mean((2, 3)))
        return made


def load_recogniser(path: Path) -> Recogniser:
    """Read the network of a file.

    Raises:
        ModelError: missing, damaged, or of another kind.
    """
    source = _source(path)
    arrays, _ = source.arrays("recognise")
    return load_network(source, Recogniser, arrays)


@cache
def _recogniser(path: Path, _digest: str) -> Recogniser:
    return load_recogniser(path)


def embed(chips: Sequence[Image]) -> Float:
    """What the network makes of chips.

    Args:
        chips: B pictures (150, 150, 3) RGB of `face_chip`.

    Returns:
        (B, 128)

    Raises:
        ModelError: the network is missing, damaged, or makes absurd values.
    """
    path = registry.locate("recognise")
    network = _recogniser(path, registry.examine("recognise").sha256)
    images = torch.from_numpy(np.stack(chips)).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        made = plausible(_source(path), network(images))
    return np.asarray(made.numpy(), np.float32)


def identify(chips: Sequence[Image]) -> Float:
    """(128,) who is on some pictures of one face: the mean of them and of their mirror images."""
    both = [*chips, *(np.ascontiguousarray(chip[:, ::-1]) for chip in chips)]
    return np.asarray(embed(both).mean(0), np.float32)


def distance(a: Float, b: Float) -> float:
    """How unlike two vectors (128,) of `identify` are; below `SAME` it is one person."""
    return float(np.linalg.norm(a - b))


def _source(path: Path) -> ModelSource:
    return ModelSource(path, "face recognition network", _HINT)
