"""Fits the decoder: free-running histories, noise against overconfidence, an averaged copy."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from gsmooth_core.a2ep.decoder import ExpressionDecoder
from gsmooth_core.a2ep.loss import VertexLoss
from training.a2ep.batches import Batch
from training.progress import Progress, learning_rate, save_state

log = logging.getLogger(__name__)


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


class Fitter:
    """One student in training.

    Args:
        student: to train.
        loss: eq. 8.
        settings: how.
        accelerator: the engine.
    """

    def __init__(
        self, student: Student, loss: VertexLoss, settings: FitSettings, accelerator: Accelerator
    ) -> None:
        self.settings = settings
        self.accelerator = accelerator
        self.average = copy.deepcopy(student).to(accelerator.device).eval()
        free = [p for p in student.parameters() if p.requires_grad]
        optimiser = torch.optim.AdamW(free, settings.rate, weight_decay=settings.weight_decay)
        self.student, self.optimiser = accelerator.prepare(student, optimiser)
        self.loss = loss.to(accelerator.device)
        self.progress = Progress()

    def step(self, batch: Batch) -> float:
        """One optimiser step; returns the loss."""
        self.student.train()
        s, batch = self.settings, batch.to(self.accelerator.device)
        rate = learning_rate(self.progress.step, s.rate, s.warm_up, s.steps)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        predicted = self.student(batch, s)
        loss = self.loss(predicted, batch.targets, batch.valid)
        if s.velocity:
            both = batch.valid[:, 1:] * batch.valid[:, :-1]
            moved = self.loss(predicted.diff(dim=1), batch.targets.diff(dim=1), both)
            loss = loss + s.velocity * moved
        self.optimiser.zero_grad()
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.student.parameters(), 1.0)
        self.optimiser.step()
        self._update_average()
        self.progress.step += 1
        return float(loss.detach())

    def _update_average(self) -> None:
        step = self.progress.step
        decay = min(self.settings.average, (1 + step) / (10 + step))
        live: nn.Module = self.accelerator.unwrap_model(self.student)
        with torch.no_grad():
            for kept, now in zip(self.average.parameters(), live.parameters(), strict=True):
                kept.mul_(decay).add_(now, alpha=1 - decay)

    def fit(
        self,
        draw: Callable[[np.random.Generator], Batch],
        score: Callable[[Student], float],
        save: Callable[[Fitter], None] | None = None,
    ) -> Student:
        """Train until the last step; the averaged copy of the best validation is returned.

        Args:
            draw: gives a batch; called with a generator that depends on the step alone, so
                that a resumed run draws what an uninterrupted one would.
            score: of a student on held-out speakers, lower is better.
            save: writes what is needed to go on; called after each validation.
        """
        settings, progress = self.settings, self.progress
        while progress.step <= settings.steps:
            if progress.step % settings.check == 0:
                self._validate(score)
                if save:
                    save(self)
            torch.manual_seed(settings.seed * 1_000_003 + progress.step)
            self.step(draw(np.random.default_rng([settings.seed, progress.step])))
        self.average.load_state_dict(progress.kept)
        return self.average

    def _validate(self, score: Callable[[Student], float]) -> None:
        value = score(self.average)
        log.info("step %d: held-out error %.4f", self.progress.step, value)
        self.progress.note(value, self.average)

    def state(self) -> dict[str, object]:
        """Everything needed to go on from here."""
        return {
            "student": self.accelerator.unwrap_model(self.student).state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average.state_dict(),
            "progress": vars(self.progress),
        }

    def save(self, path: Path) -> None:
        """Write `state` in one step; only the first of several processes does."""
        if self.accelerator.is_main_process:
            save_state(path, self.state())

    def resume(self, state: dict[str, object]) -> None:
        """Go on from a `state`."""
        self.accelerator.unwrap_model(self.student).load_state_dict(state["student"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average.load_state_dict(state["average"])  # type: ignore[arg-type]
        self.progress = Progress(**state["progress"])  # type: ignore[arg-type]
