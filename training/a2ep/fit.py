"""How the decoder is fitted: free-running histories, noise against overconfidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gsmooth_core.a2ep.decoder import ExpressionDecoder
from gsmooth_core.a2ep.loss import VertexLoss
from training.a2ep.batches import Batch
from training.engine import Schedule, Task, drawn


@dataclass(frozen=True)
class FitSettings:
    """How the decoder learns.

    Attributes:
        steps: optimiser steps.
        batch: stretches a step.
        frames: frames a stretch; the paper has 100.
        rate: highest learning rate.
        warm_up: steps until it is reached; it falls to zero by a cosine.
        weight_decay: of AdamW.
        history_dropout: share of past expressions that are hidden.
        history_noise: noise on past expressions, in units of each component's size.
        style_dropout: share of stretches without a style, as every new person is.
        velocity: weight of the vertex loss on frame-to-frame changes.
        average: decay of the averaged copy, which is what is kept.
        check: steps between validations.
        seed: of everything random.
    """

    steps: int = 100
    batch: int = 32
    frames: int = 75
    rate: float = 3e-3
    warm_up: int = 20
    weight_decay: float = 0.01
    history_dropout: float = 0.3
    history_noise: float = 0.3
    style_dropout: float = 0.5
    velocity: float = 2.0
    average: float = 0.98
    check: int = 25
    seed: int = 0

    @property
    def schedule(self) -> Schedule:
        """What of this the engine needs."""
        return Schedule(
            self.steps, self.rate, self.warm_up,
            check=self.check, average=self.average, seed=self.seed,
        )  # fmt: skip


def shift(beta: Tensor) -> Tensor:
    """(B, T, E) -> what came before each frame: zeros (sos), then beta_0, beta_1, ..."""
    return torch.cat([torch.zeros_like(beta[:, :1]), beta[:, :-1]], dim=1)


def disturbed(previous: Tensor, settings: FitSettings, scale: Tensor) -> Tensor:
    """Histories with gaps and noise, so that the model does not lean on them."""
    seen = torch.rand(previous.shape[:2], device=previous.device) > settings.history_dropout
    noise = settings.history_noise * torch.randn_like(previous) * scale
    return previous * seen[..., None] + noise


class Student(nn.Module):
    """What is trained: a decoder, and the encoder before it when that learns too.

    Args:
        decoder: to train; its ridge, if any, stays as it is.
        encoder: samples -> features; None when batches hold what the decoder hears.
    """

    def __init__(self, decoder: ExpressionDecoder, encoder: nn.Module | None = None) -> None:
        super().__init__()
        self.decoder = decoder
        self.encoder = encoder
        if decoder.direct is not None:
            decoder.direct.requires_grad_(False)

    def forward(self, batch: Batch, settings: FitSettings) -> Tensor:
        """(B, T, E), each frame given what the model itself would have said before it.

        The first pass sees true histories, the second its own of the first: two passes in
        parallel instead of T in a row.
        """
        heard = batch.heard  # (B, T, W), or (B, T, 640) samples
        if self.encoder is not None:
            heard = self.encoder(heard.flatten(1), heard.shape[1])
        named = torch.rand(len(batch.style), 1, device=heard.device) > settings.style_dropout
        style = batch.style * named
        with torch.no_grad():
            own = self.decoder(heard, shift(batch.targets), style, batch.first)
        previous = disturbed(shift(own), settings, self.decoder.scale)
        return self.decoder(heard, previous, style, batch.first)  # type: ignore[no-any-return]


def fit_loss(
    loss: VertexLoss, settings: FitSettings
) -> Callable[[nn.Module, Batch], dict[str, Tensor]]:
    """Eq. 8 on expressions and on their changes from frame to frame, as the engine asks for it."""

    def terms(student: nn.Module, batch: Batch) -> dict[str, Tensor]:
        batch = batch.to(loss.gram.device)
        predicted = student(batch, settings)
        shape = total = loss(predicted, batch.targets, batch.valid)
        if not settings.velocity:
            return {"shape": shape, "total": total}
        both = batch.valid[:, 1:] * batch.valid[:, :-1]
        moved = loss(predicted.diff(dim=1), batch.targets.diff(dim=1), both)
        return {"shape": shape, "velocity": moved, "total": shape + settings.velocity * moved}

    return terms


def fit_task(
    student: Student,
    loss: VertexLoss,
    settings: FitSettings,
    draw: Callable[[np.random.Generator], Batch],
    score: Callable[[nn.Module], float],
) -> Task[Batch]:
    """What the engine trains.

    Args:
        student: to train.
        loss: eq. 8, on the device where the student will be.
        settings: how.
        draw: gives a batch.
        score: of a student on held-out speakers, lower is better.
    """
    free = [p for p in student.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(free, settings.rate, weight_decay=settings.weight_decay)
    batches = drawn(draw, settings.seed)
    return Task(student, optimiser, batches, fit_loss(loss, settings), score)
