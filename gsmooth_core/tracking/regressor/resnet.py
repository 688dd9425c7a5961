"""ResNet-50 with seven heads: one face crop -> 257 coefficients (the paper's R-Net).

Parameter names are those of Deep3DFaceRecon's checkpoints ("backbone.*", "final_layers.N.*"),
so that a user's file loads as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gsmooth_core.models.checkpoints import load_network, read_torch, table_of_weights
from gsmooth_core.models.modelfile import ModelSource

HEADS = (80, 64, 80, 3, 27, 2, 1)
"""alpha, beta, delta, angles, gamma, translation x y, translation z."""
COEFFICIENTS = sum(HEADS)

_STAGES = ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2))  # width, blocks, stride
_EXPANSION = 4
_HINT = "Use 'epoch_20.pth' of Deep3DFaceRecon_pytorch."


class Bottleneck(nn.Module):
    """1x1, 3x3 (with the stride), 1x1 convolutions around a shortcut."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * _EXPANSION
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or inputs != outputs:
            shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C', H', W')."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = torch.relu(self.bn1(self.conv1(x)))
        x = torch.relu(self.bn2(self.conv2(x)))
        return torch.relu(self.bn3(self.conv3(x)) + shortcut)


class Backbone(nn.Module):
    """ResNet-50 up to its pooled features."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = 64
        for number, (width, blocks, stride) in enumerate(_STAGES, start=1):
            layers = []
            for block in range(blocks):
                layers.append(Bottleneck(inputs, width, stride if block == 0 else 1))
                inputs = width * _EXPANSION
            setattr(self, f"layer{number}", nn.Sequential(*layers))

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, 224, 224) -> (B, 2048, 1, 1)."""
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        for number in range(1, len(_STAGES) + 1):
            x = getattr(self, f"layer{number}")(x)
        return x.mean((2, 3), keepdim=True)


class RNet(nn.Module):
    """The regressor."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = Backbone()
        features = _STAGES[-1][0] * _EXPANSION
        self.final_layers = nn.ModuleList(nn.Conv2d(features, size, 1) for size in HEADS)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, 224, 224) RGB 0..1 -> (B, 257)."""
        features = self.backbone(x)
        return torch.cat([head(features) for head in self.final_layers], 1).flatten(1)


def load_rnet(path: Path) -> RNet:
    """Load a user's checkpoint, without running anything that is in it.

    Args:
        path: a .pth file that holds the state under "net_recon", or the state alone.

    Returns:
        the network, ready for use.

    Raises:
        ModelError: missing, damaged, unsafe, or of another layout.
    """
    source = rnet_source(path)
    content: Any = read_torch(source)
    if isinstance(content, dict):
        content = content.get("net_recon", content)
    state = table_of_weights(source, content)
    own = {name.removeprefix("module."): value for name, value in state.items()}
    return load_network(source, RNet, own)


def rnet_source(path: Path) -> ModelSource:
    """The file of a checkpoint, with the words for refusing it."""
    return ModelSource(path, "R-Net checkpoint", _HINT)
