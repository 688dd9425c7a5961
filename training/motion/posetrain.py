"""Train PoseVAE on the library: reconstruction, KL and an adversarial term."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gsmooth_core.motion.library import MotionLibrary
from gsmooth_core.types import Float
from training.engine import Engine, Schedule, Task, drawn
from training.motion.posevae import AXES, FRAMES, PoseConfig, PoseCritic, PoseVAE, Windows
from training.motion.table import Maker

BATCH = 64
SPEED = 5.0  # weight of a step beside a place, since steps are small
KL, FOOLED = 0.02, 0.5
"""Weights beside the reconstruction."""
RATE = 1e-3


@dataclass
class Drawer:
    """Random windows of a library.

    Attributes:
        library: what is learned from.
        spread: (6,) deviation of its axes.
    """

    library: MotionLibrary
    spread: Float

    def __post_init__(self) -> None:
        clip = self.library.clip_of()
        last = self.library.begin[1:][clip] - FRAMES
        first = self.library.begin[:-1][clip] + 2
        frames = np.arange(len(clip))
        self.starts = frames[(frames >= first) & (frames <= last)]
        self.clip = clip

    def __call__(self, random: np.random.Generator) -> Windows:
        """A batch; half of it mirrored."""
        starts = random.choice(self.starts, BATCH)
        places = starts[:, None] + np.arange(-2, FRAMES)
        sides = np.where(random.random(BATCH) < 0.5, 1.0, -1.0)[:, None]
        flips = np.where(np.array([0, 1, 1, 1, 0, 0]), sides, 1.0)[:, None]
        motion = self.library.motion[places] * flips / self.spread
        before = np.concatenate([motion[:, 1], motion[:, 1] - motion[:, 0]], axis=1)
        return Windows(
            torch.from_numpy((motion[:, 2:] - motion[:, 1:2]).astype(np.float32)),
            torch.from_numpy(before.astype(np.float32)),
            torch.from_numpy(self.library.energy[places[:, 2:]]),
            torch.from_numpy(self.clip[starts].astype(np.int64)),
        )


class Lesson:
    """The loss of PoseVAE, with the critic that learns beside it."""

    def __init__(self) -> None:
        self.critic = PoseCritic()
        self.optimiser = torch.optim.Adam(self.critic.parameters(), RATE, (0.5, 0.99))

    def __call__(self, module: nn.Module, batch: Windows) -> Mapping[str, Tensor]:
        """Terms of one step; see `Task.loss`."""
        vae = cast(PoseVAE, module)
        mean, log_variance = vae.encode(batch)
        found = vae.decode(mean + (log_variance / 2).exp() * torch.randn_like(mean), batch)
        free = vae.decode(torch.randn_like(mean), batch)
        self._learn(free.detach(), batch)
        place = F.mse_loss(found, batch.moved)
        step = SPEED * F.mse_loss(found.diff(dim=1), batch.moved.diff(dim=1))
        apart = (mean**2 + log_variance.exp() - 1 - log_variance).mean() / 2
        self.critic.requires_grad_(requires_grad=False)
        fooled = -self.critic(free, batch.energy).mean()
        self.critic.requires_grad_(requires_grad=True)
        total = place + step + KL * apart + FOOLED * fooled
        return {"total": total, "place": place, "step": step, "kl": apart, "fooled": fooled}

    def _learn(self, made: Tensor, batch: Windows) -> None:
        true = self.critic(batch.moved, batch.energy)
        loss = F.relu(1 - true).mean() + F.relu(1 + self.critic(made, batch.energy)).mean()
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()


def train(library: MotionLibrary, steps: int, minutes: float, seed: int = 0) -> PoseVAE:
    """PoseVAE of a library; it does not resume, since it takes minutes."""
    torch.manual_seed(seed)
    draw = Drawer(library, library.motion.std(axis=0))
    vae = PoseVAE(PoseConfig(library.clips), draw.spread)
    optimiser = torch.optim.Adam(vae.parameters(), RATE, (0.5, 0.99))
    task = Task(vae, optimiser, drawn(draw, seed), Lesson())
    schedule = Schedule(steps, RATE, 50, minutes=minutes, average=0.995, seed=seed, check=10**6)
    return cast(PoseVAE, Engine(task, schedule).run())


def save(path: Path, vae: PoseVAE) -> None:
    """Write what was trained, for experiments: no file of GSmooth's."""
    torch.save(vae.state_dict(), path)


def pose_maker(vae: PoseVAE) -> Maker:
    """Draws window after window, each from where the last one ended; the style by the seed."""

    @torch.inference_mode()
    def make(energy: Float, seed: int) -> Float:
        random = torch.Generator().manual_seed(seed)
        style = torch.randint(vae.config.styles, (1,), generator=random)
        heard = torch.from_numpy(np.pad(energy, (0, FRAMES)).astype(np.float32))
        way, before = [torch.zeros(1, AXES)], torch.zeros(1, 2 * AXES)
        for at in range(0, len(energy), FRAMES):
            batch = Windows(torch.empty(0), before, heard[None, at : at + FRAMES], style)
            moved = vae.decode(torch.randn(1, vae.config.latent, generator=random), batch)[0]
            way.extend(before[:, :AXES] + step for step in moved)
            before = torch.cat([way[-1], way[-1] - way[-2]], dim=1)
        return (torch.cat(way[1:])[: len(energy)] * vae.spread).numpy()

    return make
