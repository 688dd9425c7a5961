"""A critic of mouths: tells true detail from made detail, so that made detail looks true.

Not in the paper. It sees the mouth at full size, and its detail enlarged, through few layers, so
it judges texture and not who speaks. Hinge loss and spectral normalisation keep it from running
away (Miyato et al. 2018).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from gsmooth_core.taft.generators.detail import blurred
from gsmooth_core.taft.generators.mix import SIGMAS

_WIDTHS = (32, 64, 128)
_SLOPE = 0.2
_ENLARGED = 20.0  # detail of the order of .02 would else hardly be seen


class Critic(nn.Module):
    """Pictures (B, 3, H, W) in 0..1 -> (B, 1, H/4, W/4), large where they look true."""

    def __init__(self) -> None:
        super().__init__()
        widths = zip((6, *_WIDTHS), _WIDTHS, strict=False)
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 4 if n else 3, 2 if n else 1, 1))
            for n, (a, b) in enumerate(widths)
        )
        self.last = spectral_norm(nn.Conv2d(_WIDTHS[-1], 1, 3, padding=1))

    def forward(self, pictures: Tensor) -> Tensor:
        """Judge each place."""
        detail = pictures - blurred(pictures, SIGMAS[-1])
        x = torch.cat([pictures * 2 - 1, _ENLARGED * detail], 1)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), _SLOPE)
        judged: Tensor = self.last(x)
        return judged


class Judge:
    """A critic that learns beside the generator.

    Args:
        device: where both are.
        learning_rate: of the critic's Adam.
    """

    def __init__(self, device: torch.device, learning_rate: float) -> None:
        self.critic = Critic().to(device)
        self.optimizer = torch.optim.Adam(self.critic.parameters(), learning_rate, (0.5, 0.99))

    def fooled(self, made: Tensor) -> Tensor:
        """The generator's loss: how far from true its pictures look."""
        self.critic.requires_grad_(requires_grad=False)
        loss: Tensor = -self.critic(made).mean()
        self.critic.requires_grad_(requires_grad=True)
        return loss

    def learn(self, made: Tensor, truth: Tensor) -> Tensor:
        """One step of the critic; returns its hinge loss."""
        made, true = self.critic(made.detach()), self.critic(truth)
        loss = F.relu(1 + made).mean() + F.relu(1 - true).mean()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss.detach()
