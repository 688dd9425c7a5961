"""How the sync expert is fitted: stretches of many clips, one matrix of similarities."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from gsmooth_core.sync.model import SyncExpert
from gsmooth_core.types import Float
from training.engine import Schedule, Task, drawn
from training.sync.data import Pair

_NEVER = -1e4


@dataclass(frozen=True)
class FitSettings:
    """How the expert learns.

    Attributes:
        steps: optimiser steps.
        batch: stretches a step.
        frames: frames a stretch.
        rate: highest learning rate.
        warm_up: steps until it is reached; it falls to zero by a cosine.
        weight_decay: of AdamW.
        temperature: of the similarities at the start; it is learned.
        blur: neighbours of the diagonal within a clip, on either side, that are no negatives:
            what is truly aligned is known to about a frame.
        own: weight of the loss over negatives of the same clip alone; the rest is over all.
        variants: share of stretches that are heard at another speed, in another room.
        noise: on movements, in units of each component's usual size.
        swing: spread of the logarithm of the factor on a stretch's movements.
        check: steps between validations.
        seed: of everything random.
    """

    steps: int = 1000
    batch: int = 16
    frames: int = 40
    rate: float = 2e-3
    warm_up: int = 100
    weight_decay: float = 0.05
    temperature: float = 0.1
    blur: int = 1
    own: float = 0.5
    variants: float = 0.7
    noise: float = 0.1
    swing: float = 0.2
    check: int = 100
    seed: int = 0

    @property
    def schedule(self) -> Schedule:
        """What of this the engine needs."""
        return Schedule(self.steps, self.rate, self.warm_up, check=self.check, seed=self.seed)


@dataclass(frozen=True)
class Batch:
    """B stretches of T frames.

    Attributes:
        lips: (B, T, K) movements.
        sound: (B, T, F) standardised features.
        valid: (B, T)
    """

    lips: Tensor
    sound: Tensor
    valid: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        return Batch(self.lips.to(device), self.sound.to(device), self.valid.to(device))


@dataclass(frozen=True)
class Lesson:
    """A clip ready for drawing: for each take movements, sound, and which frames count."""

    takes: tuple[tuple[Float, Float, Float], ...]

    @property
    def frames(self) -> int:
        """Length."""
        return len(self.takes[0][2])


def lesson_of(pair: Pair, expert: SyncExpert) -> Lesson:
    """A pair as `expert` is given it."""
    return Lesson(
        tuple(
            (
                expert.movement(take.lips.shape, take.lips.valid),
                expert.standardise(take.sound.astype(np.float32)),
                take.lips.valid.astype(np.float32),
            )
            for take in pair.takes
        )
    )


def draw(lessons: list[Lesson], settings: FitSettings, rng: np.random.Generator) -> Batch:
    """A batch of random stretches; a clip's chance grows with the root of its length."""
    chances = np.sqrt([lesson.frames for lesson in lessons])
    chosen = rng.choice(len(lessons), settings.batch, p=chances / chances.sum())
    stretches = [_stretch(lessons[i], settings, rng) for i in chosen]
    lips, sound, valid = (
        torch.from_numpy(np.stack(parts)) for parts in zip(*stretches, strict=True)
    )
    return Batch(lips, sound, valid > 0)


def _stretch(
    lesson: Lesson, settings: FitSettings, rng: np.random.Generator
) -> tuple[Float, Float, Float]:
    varied = len(lesson.takes) > 1 and rng.random() < settings.variants
    lips, sound, valid = lesson.takes[rng.integers(1, len(lesson.takes)) if varied else 0]
    count = min(len(valid), settings.frames)
    start = int(rng.integers(0, len(valid) - count + 1))
    part, missing = slice(start, start + count), settings.frames - count
    moved = lips[part] * np.float32(np.exp(settings.swing * rng.standard_normal()))
    moved = moved + settings.noise * rng.standard_normal(moved.shape).astype(np.float32)
    rows = ((0, missing), (0, 0))
    return (
        np.pad(moved, rows, mode="edge"),
        np.pad(sound[part], rows, mode="edge"),
        np.pad(valid[part], (0, missing)),
    )


def alignment_loss(
    lips: Tensor, sound: Tensor, valid: Tensor, scale: Tensor, blur: int, own: float
) -> Tensor:
    """Symmetric contrastive loss on the diagonal of the similarity matrix.

    Row i asks which sound belongs to lips i, column j which lips belong to sound j. Negatives
    are all other windows of all clips, and, in a second term, of the same clip alone.

    Args:
        lips: (B, T, D) of unit length.
        sound: (B, T, D) of unit length.
        valid: (B, T) which windows take part.
        scale: () inverse temperature.
        blur: neighbours in time that are left out.
        own: weight of the second term.
    """
    places = (torch.arange(n, device=valid.device) for n in valid.shape)
    clip, time = torch.meshgrid(*places, indexing="ij")
    clip, time = clip[valid], time[valid]  # (N,)
    similar = scale * lips[valid] @ sound[valid].T  # (N, N)
    same = clip[:, None] == clip[None]
    apart = (time[:, None] - time[None]).abs()
    similar = similar.masked_fill(same & (apart > 0) & (apart <= blur), _NEVER)
    return (1 - own) * _both_ways(similar) + own * _both_ways(similar.masked_fill(~same, _NEVER))


def _both_ways(similar: Tensor) -> Tensor:
    """Mean of the row-wise and the column-wise cross entropy of the diagonal."""
    rows = similar.diagonal() - similar.logsumexp(dim=1)
    columns = similar.diagonal() - similar.logsumexp(dim=0)
    return -(rows.mean() + columns.mean()) / 2


class Aligner(nn.Module):
    """What is trained: an expert, and the temperature of its similarities.

    Args:
        expert: to train.
        temperature: at the start.
    """

    def __init__(self, expert: SyncExpert, temperature: float) -> None:
        super().__init__()
        self.expert = expert
        self.scale = nn.Parameter(torch.tensor(-math.log(temperature)))

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """(B, T, D) lips and sound of unit length, () inverse temperature."""
        return self.expert.lips(batch.lips), self.expert.sound(batch.sound), self.scale.exp()


def fit_task(
    expert: SyncExpert,
    settings: FitSettings,
    lessons: list[Lesson],
    score: Callable[[SyncExpert], float],
) -> Task[Batch]:
    """What the engine trains.

    Args:
        expert: to train.
        settings: how.
        lessons: what to learn from.
        score: of the expert on people it does not learn from, lower is better.
    """
    aligner = Aligner(expert, settings.temperature)
    optimiser = torch.optim.AdamW(
        aligner.parameters(), settings.rate, weight_decay=settings.weight_decay
    )

    def loss(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        batch = batch.to(next(model.parameters()).device)
        lips, sound, scale = model(batch)
        total = alignment_loss(lips, sound, batch.valid, scale, settings.blur, settings.own)
        return {"total": total}

    return Task(
        aligner,
        optimiser,
        drawn(lambda rng: draw(lessons, settings, rng), settings.seed),
        loss,
        lambda now: score(cast(Aligner, now).expert),
        clipped=expert,
    )
