"""ST-LPIPS: distance of two pictures in the features of a network that was trained on photos.

LPIPS (Zhang et al. 2018) with the shift-tolerant trunk and heads of Ghildyal and Liu (ECCV
2022), whose weights the package `stlpips_pytorch` holds; only its weight files are used. Its
numbers are not those of the original LPIPS and may only be compared with each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gsmooth_core.errors import ModelError
from gsmooth_core.evaluation.metrics.fidelity import Picture
from gsmooth_core.models.checkpoints import read_torch, table_of_weights, tried
from gsmooth_core.models.modelfile import GREATEST, ModelSource

_HINT = "Run `pip install --no-deps stlpips_pytorch==0.0.2`."
_MOST_WEIGHTS = 1 << 24  # of one table; those of VGG-16 have 2.4 million
_SMALLEST = 64  # pixels of a picture

# The trunk, AlexNet's, as steps: a number is a convolution's padding; "relu", "pool" a maximum over
# so many pixels without stride, "half" the binomial blur with stride 2; "out" ends a stage, whose
# features are compared.
_STEPS = (
    ("conv", 2), ("half", 0), ("relu", 0), ("out", 0),
    ("pool", 3), ("half", 0), ("conv", 2), ("relu", 0), ("out", 0),
    ("pool", 3), ("half", 0), ("conv", 1), ("relu", 0), ("out", 0),
    ("conv", 1), ("relu", 0), ("out", 0),
    ("conv", 1), ("relu", 0), ("out", 0),
)  # fmt: skip


class PerceptualDistance(nn.Module):
    """ST-LPIPS of pairs of images (B, 3, H, W) in 0..1 -> (B,).

    d = sum over stages of the mean over places of head . (f - g)^2, with f and g the stage's
    features, each place's scaled to length 1.

    Args:
        state: the package's state dict for it.

    Raises:
        ModelError: the state does not fit.
    """

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        super().__init__()
        names = [k.removesuffix(".weight") for k in state if k.startswith("net.")]
        names = [name for name in names if f"{name}.bias" in state]
        if len(names) != sum(kind == "conv" for kind, _ in _STEPS):
            raise ModelError("The weights are not those of the trunk that is compared in.", _HINT)
        self.count = len(names)
        for i, name in enumerate(names):
            self.register_buffer(f"weight{i}", state[f"{name}.weight"].float())
            self.register_buffer(f"bias{i}", state[f"{name}.bias"].float())
        for i in range(5):
            self.register_buffer(f"head{i}", state[f"lin{i}.model.1.weight"].float())
        self.register_buffer("shift", state["scaling_layer.shift"].float())
        self.register_buffer("scale", state["scaling_layer.scale"].float())

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return (B,) distances, 0 for equal images."""
        total = a.new_zeros(len(a))
        for stage, (f, g) in enumerate(zip(self._features(a), self._features(b), strict=True)):
            difference = (_unit(f) - _unit(g)) ** 2
            total = total + F.conv2d(difference, self.get_buffer(f"head{stage}")).mean((1, 2, 3))
        return total

    def _features(self, images: Tensor) -> list[Tensor]:
        x = (images * 2 - 1 - self.get_buffer("shift")) / self.get_buffer("scale")
        found: list[Tensor] = []
        layer = 0
        for kind, value in _STEPS:
            if kind == "conv":
                weight, bias = self.get_buffer(f"weight{layer}"), self.get_buffer(f"bias{layer}")
                x, layer = F.conv2d(x, weight, bias, padding=value), layer + 1
            elif kind == "out":
                found.append(x)
            else:
                x = _step(kind, value, x)
        return found


def _step(kind: str, value: int, x: Tensor) -> Tensor:
    if kind == "relu":
        return F.relu(x)
    if kind == "pool":
        return F.max_pool2d(x, value, 1)
    row = x.new_tensor([0.25, 0.5, 0.25])
    kernel = torch.outer(row, row).expand(x.shape[1], 1, 3, 3)
    return F.conv2d(F.pad(x, (2, 2, 2, 2), mode="reflect"), kernel, stride=2, groups=x.shape[1])


def _unit(features: Tensor) -> Tensor:
    length = features.square().sum(1, keepdim=True).sqrt()
    return features / (length + 1e-10)


@cache
def load_perceptual() -> PerceptualDistance:
    """The distance with the weights that are installed.

    Raises:
        ModelError: the package with the weights is not there, or damaged.
    """
    spec = find_spec("stlpips_pytorch")
    if spec is None or spec.origin is None:
        raise ModelError("There are no weights for ST-LPIPS.", _HINT)
    path = Path(spec.origin).parent / "weights" / "vST0.0" / "alex_shift_tolerant.pth"
    source = ModelSource(path, "ST-LPIPS file", _HINT)
    state = table_of_weights(source, read_torch(source))
    for name, tensor in state.items():
        if tensor.numel() > _MOST_WEIGHTS:  # a view of one number can claim any size
            raise source.refused(f"'{name}' is far too large")
        source.bounded(name, tensor.double().numpy(), -GREATEST, GREATEST)
    try:
        distance = PerceptualDistance(state).eval()
    except KeyError as error:
        raise source.refused(f"{error} is missing") from error
    grey = torch.full((1, 3, _SMALLEST, _SMALLEST), 0.5)
    tried(source, lambda: distance(grey, grey * 1.1))
    return distance


def perceptual_distance(truth: Picture, made: Picture) -> float:
    """ST-LPIPS of two pictures (H, W, 3), 0..255, at least 64 pixels high and wide."""
    pair = np.stack([truth, made]).astype(np.float32) / 255  # (2, H, W, 3)
    planes = torch.from_numpy(pair).movedim(-1, 1)
    with torch.inference_mode():
        return float(load_perceptual()(planes[:1], planes[1:])[0])
