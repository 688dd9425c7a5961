"""Losses of TAFT: photometric, perceptual and style, over an image pyramid (eq. 10-13).

The paper's trunk is VGG-19. Any VGG trunk with 3x3 convolutions will do: the user's VGG-19, or
the anti-aliased VGG-16 of the package `stlpips_pytorch`, which is what ours was trained with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gsmooth_core.errors import ModelError

_STAGES = {13: (2, 2, 3, 3, 3), 16: (2, 2, 4, 4, 4)}  # convolutions a stage: VGG-16, VGG-19
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class LossSettings:
    """Weights of eq. 13 and what the trunk looks at.

    Attributes:
        photo: lambda_photo.
        perceptual: lambda_p.
        style: lambda_s.
        scales: the pyramid's reductions.
        stages: how many of the trunk's stages are compared.
    """

    photo: float = 1.0
    perceptual: float = 4.0
    style: float = 1000.0
    scales: tuple[int, ...] = (1, 2, 4, 8)
    stages: int = 5


class Trunk(nn.Module):
    """A VGG trunk: images (B, 3, H, W) in 0..1 -> the first activation of each stage.

    Args:
        convolutions: (weight, bias) of its 3x3 convolutions, in order.
        stages: how many stages to run.
        blur: whether downsampling is anti-aliased (maximum, then a binomial blur).
    """

    def __init__(
        self, convolutions: Sequence[tuple[Tensor, Tensor]], stages: int, *, blur: bool = False
    ) -> None:
        super().__init__()
        layout = _STAGES[len(convolutions)][:stages]
        self.layout = (*layout[:-1], 1)
        self.blur = blur
        for i, (weight, bias) in enumerate(convolutions[: sum(self.layout)]):
            self.register_buffer(f"weight{i}", weight.float())
            self.register_buffer(f"bias{i}", bias.float())
        self.register_buffer("mean", torch.tensor(_MEAN).reshape(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(_DEVIATION).reshape(1, 3, 1, 1))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return relu1_1, relu2_1, ... of each stage."""
        x = (images - self.get_buffer("mean")) / self.get_buffer("deviation")
        features, layer = [], 0
        for stage, count in enumerate(self.layout):
            x = self._downsample(x) if stage else x
            for position in range(count):
                x = F.relu(self._convolve(x, layer))
                layer += 1
                if position == 0:
                    features.append(x)
        return features

    def _convolve(self, x: Tensor, layer: int) -> Tensor:
        weight, bias = self.get_buffer(f"weight{layer}"), self.get_buffer(f"bias{layer}")
        return F.conv2d(x, weight, bias, padding=1)

    def _downsample(self, x: Tensor) -> Tensor:
        if not self.blur:
            return F.max_pool2d(x, 2)
        row = x.new_tensor([0.25, 0.5, 0.25])
        kernel = torch.outer(row, row).expand(x.shape[1], 1, 3, 3)
        peaks = F.max_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 2, 1)
        return F.conv2d(peaks, kernel, stride=2, groups=x.shape[1])


def load_trunk(path: Path | None = None, stages: int = 5) -> Trunk:
    """Read a VGG trunk from a state dict.

    Args:
        path: the user's VGG-19 (or VGG-16); None takes the VGG-16 of `stlpips_pytorch`.
        stages: how many stages to run.

    Raises:
        ModelError: no such file, or it holds no VGG.
    """
    path = path or _installed_trunk()
    try:
        state: Mapping[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
        names = [k for k, v in state.items() if k.endswith(".weight") and v.shape[2:] == (3, 3)]
        pairs = [(state[name], state[name.removesuffix("weight") + "bias"]) for name in names]
        return Trunk(pairs, stages, blur=any(name.endswith("filt") for name in state))
    except (OSError, EOFError, UnpicklingError, RuntimeError, KeyError, AttributeError) as error:
        raise ModelError(
            f"'{path}' is no VGG trunk: {error}.", "Pass a state dict of VGG-19 or VGG-16."
        ) from error


def _installed_trunk() -> Path:
    spec = find_spec("stlpips_pytorch")
    if spec is None or spec.origin is None:
        raise ModelError(
            "There is no trunk for the perceptual loss.",
            "Pass one, or run `pip install --no-deps stlpips_pytorch==0.0.2`.",
        )
    return Path(spec.origin).parent / "weights" / "vST0.0" / "vgg_shift_tolerant.pth"


def photometric(picture: Tensor, truth: Tensor, weight: Tensor | None = None) -> Tensor:
    """L_photo: mean absolute difference (eq. 10), weighted by (B, 1, H, W) where given."""
    difference = (picture - truth).abs()
    return difference.mean() if weight is None else (difference * weight).mean()


def gram(features: Tensor) -> Tensor:
    """(B, C, C) Gram matrix of (B, C, H, W), divided by the number of values."""
    flat = features.flatten(2)  # (B, C, H*W)
    return flat @ flat.transpose(1, 2) / (flat.shape[1] * flat.shape[2])


def edge_energy(picture: Tensor, truth: Tensor, cell: int = 8) -> Tensor:
    """How far a picture's edges are stronger or weaker than the truth's, cell by cell.

    Not in the paper. The mean of pictures that disagree by a pixel is the best guess for eq. 10
    and 11, and soft; this asks for the truth's amount of detail without saying where.
    """
    return F.l1_loss(_edges(picture, cell), _edges(truth, cell))


def _edges(picture: Tensor, cell: int) -> Tensor:
    """(B, 3, H/cell, W/cell) mean absolute gradient."""
    across = (picture[..., :-1, 1:] - picture[..., :-1, :-1]).abs()
    down = (picture[..., 1:, :-1] - picture[..., :-1, :-1]).abs()
    return F.avg_pool2d(across + down, cell)


class TaftLoss(nn.Module):
    """L of eq. 13: pictures (B, 3, H, W) against the truth, 0..1 -> terms by name and "total"."""

    def __init__(self, trunk: nn.Module, settings: LossSettings | None = None) -> None:
        super().__init__()
        self.trunk = trunk
        self.settings = settings or LossSettings()

    def forward(
        self, picture: Tensor, truth: Tensor, weight: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return photo, perceptual, style (unweighted) and total."""
        s = self.settings
        perceptual, style = picture.new_zeros(()), picture.new_zeros(())
        for scale in s.scales:
            ours = self.trunk(F.avg_pool2d(picture, scale))
            with torch.no_grad():
                theirs = self.trunk(F.avg_pool2d(truth, scale))
            for a, b in zip(ours, theirs, strict=True):
                perceptual = perceptual + F.l1_loss(a, b)  # eq. 11
                style = style + F.l1_loss(gram(a), gram(b))  # eq. 12
        photo = photometric(picture, truth, weight)
        total = s.photo * photo + s.perceptual * perceptual + s.style * style  # eq. 13
        return {"photo": photo, "perceptual": perceptual, "style": style, "total": total}
