"""PoseVAE of SadTalker: a conditional VAE of 32 frames of head movement, beside stitching.

Input and output are residuals from the frame before the 32; conditions are that frame (place and
speed), a style code and the speech, here its loudness. A critic sees whole windows.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from gsmooth_core.types import Float

AXES = 6  # of a movement: turn and shift
FRAMES = 32


@dataclass(frozen=True)
class PoseConfig:
    """Sizes.

    Attributes:
        styles: S, how many style codes there are.
        latent: L, size of what is drawn.
        width: hidden features.
        code: size of a style code.
    """

    styles: int
    latent: int = 32
    width: int = 192
    code: int = 16


@dataclass(frozen=True)
class Windows:
    """A batch of B windows.

    Attributes:
        moved: (B, 32, 6) residuals from `before`, in deviations.
        before: (B, 12) the frame before: its place, and its speed.
        energy: (B, 32) of the speech.
        style: (B,) numbers.
    """

    moved: Tensor
    before: Tensor
    energy: Tensor
    style: Tensor


class PoseVAE(nn.Module):
    """Windows of movement to a normal distribution and back; `spread` is the axes' deviation."""

    spread: Tensor

    def __init__(self, config: PoseConfig, spread: Float) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("spread", torch.as_tensor(spread))
        self.style = nn.Embedding(config.styles, config.code)
        known = 2 * AXES + FRAMES + config.code
        self.encoder = _layers(FRAMES * AXES + known, config.width, 2 * config.latent)
        self.decoder = _layers(config.latent + known, config.width, FRAMES * AXES)

    def conditions(self, batch: Windows) -> Tensor:
        """(B, C) all that is known before a window is made."""
        return torch.cat([batch.before, batch.energy, self.style(batch.style)], dim=1)

    def encode(self, batch: Windows) -> tuple[Tensor, Tensor]:
        """Mean and logarithm of the variance (B, L)."""
        made = self.encoder(torch.cat([batch.moved.flatten(1), self.conditions(batch)], dim=1))
        mean, log_variance = made.chunk(2, dim=1)
        return mean, log_variance.clamp(-8, 4)

    def decode(self, drawn: Tensor, batch: Windows) -> Tensor:
        """(B, L) -> (B, 32, 6) residuals; the way there is summed up, so that none begins far."""
        steps = self.decoder(torch.cat([drawn, self.conditions(batch)], dim=1))
        speed = batch.before[:, None, AXES:]
        way: Tensor = (steps.view(-1, FRAMES, AXES) * 0.1 + speed).cumsum(dim=1)
        return way


class PoseCritic(nn.Module):
    """Windows (B, 32, 6) with their speech -> (B, T) large where they look true."""

    def __init__(self) -> None:
        super().__init__()
        width = 64
        layers = [nn.Conv1d(2 * AXES + 1, width, 5), nn.Conv1d(width, width, 5, stride=2)]
        self.layers = nn.ModuleList(spectral_norm(layer) for layer in layers)
        self.last = spectral_norm(nn.Conv1d(width, 1, 3))

    def forward(self, moved: Tensor, energy: Tensor) -> Tensor:
        """Judge each place by movement, speed and loudness."""
        speed = F.pad(moved.diff(dim=1), (0, 0, 1, 0)) * 10
        x = torch.cat([moved, speed, energy[..., None]], dim=2).transpose(1, 2)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
        judged: Tensor = self.last(x)[:, 0]
        return judged


def _layers(inputs: int, width: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, width), nn.LeakyReLU(0.2), nn.Linear(width, width),
        nn.LeakyReLU(0.2), nn.Linear(width, outputs),
    )  # fmt: skip
