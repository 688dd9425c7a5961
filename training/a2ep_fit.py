"""Fits the decoder: free-running histories, noise against overconfidence, an averaged copy."""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from gsmooth_core.a2ep.decoder import ExpressionDecoder
from gsmooth_core.a2ep.loss import VertexLoss
from training.a2ep_batches import Batch

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
        feature_dropout: share of feature channels that a stretch does not hear.
        history_dropout: share of past expressions that are hidden.
        history_noise: noise on past expressions, in units of each component's size.
        style_dropout: share of stretches without a style, as every new person is.
        velocity: weight of the vertex loss on frame-to-frame changes.
        average: decay of the averaged copy, which is what is kept.
        check: steps between validations.
        seed: of everything random.
    """

    steps: int = 300
    batch: int = 32
    frames: int = 75
    rate: float = 1e-3
    warm_up: int = 30
    weight_decay: float = 0.1
    feature_dropout: float = 0.3
    history_dropout: float = 0.3
    history_noise: float = 0.3
    style_dropout: float = 0.5
    velocity: float = 0.0
    average: float = 0.98
    check: int = 50
    seed: int = 0


@dataclass
class Progress:
    """Where a fit stands; all of it goes into a resumable checkpoint.

    Attributes:
        step: steps done.
        best: lowest validation score so far.
        best_step: where that was.
        kept: state of the averaged decoder at that step.
        history: (step, score) of all validations.
    """

    step: int = 0
    best: float = math.inf
    best_step: int = 0
    kept: dict[str, Tensor] = field(default_factory=dict)
    history: list[tuple[int, float]] = field(default_factory=list)


def shift(beta: Tensor) -> Tensor:
    """(B, T, E) -> what came before each frame: zeros (sos), then beta_0, beta_1, ..."""
    return torch.cat([torch.zeros_like(beta[:, :1]), beta[:, :-1]], dim=1)


def disturbed(previous: Tensor, settings: FitSettings, scale: Tensor) -> Tensor:
    """Histories with gaps and noise, so that the model does not lean on them."""
    seen = torch.rand(previous.shape[:2], device=previous.device) > settings.history_dropout
    noise = settings.history_noise * torch.randn_like(previous) * scale
    return previous * seen[..., None] + noise


def heard(features: Tensor, share: float) -> Tensor:
    """(B, T, F) with whole channels of a stretch silenced."""
    keep = torch.rand(features.shape[0], 1, features.shape[2], device=features.device) > share
    return features * keep / (1 - share)


def with_direct(decoder: ExpressionDecoder, audio: Tensor, direct: Tensor) -> Tensor:
    """`project`'s output with the direct path's part replaced by one that is honest."""
    if decoder.direct is None:
        return audio
    return torch.cat([audio[..., : decoder.config.d], direct], dim=-1)


class Fitter:
    """One decoder in training.

    Args:
        decoder: to train; its direct path, if any, stays as it is.
        loss: eq. 8.
        settings: how.
        accelerator: the engine.
    """

    def __init__(
        self,
        decoder: ExpressionDecoder,
        loss: VertexLoss,
        settings: FitSettings,
        accelerator: Accelerator,
    ) -> None:
        self.settings = settings
        self.accelerator = accelerator
        self.average = copy.deepcopy(decoder).to(accelerator.device).eval()
        if decoder.direct is not None:
            decoder.direct.requires_grad_(False)
        free = [p for p in decoder.parameters() if p.requires_grad]
        optimiser = torch.optim.AdamW(free, settings.rate, weight_decay=settings.weight_decay)
        self.decoder, self.optimiser = accelerator.prepare(decoder, optimiser)
        self.loss = loss.to(accelerator.device)
        self.progress = Progress()

    def rate(self, step: int) -> float:
        """Learning rate: linear warm-up, cosine to zero."""
        s = self.settings
        return (
            s.rate * min(1, (step + 1) / s.warm_up) * 0.5 * (1 + math.cos(math.pi * step / s.steps))
        )

    def predict(self, batch: Batch) -> Tensor:
        """(B, T, E), each frame given what the model itself would have said before it.

        The first pass sees true histories, the second its own of the first: two passes in
        parallel instead of T in a row.
        """
        decoder: ExpressionDecoder = self.accelerator.unwrap_model(self.decoder)
        settings = self.settings
        features = heard(batch.features, settings.feature_dropout)
        audio = with_direct(decoder, decoder.embed_audio(features), batch.direct)
        named = torch.rand(len(batch.style), 1, device=audio.device) > settings.style_dropout
        style = batch.style * named
        with torch.no_grad():
            own = decoder(audio, shift(batch.targets), style, batch.first)
        previous = disturbed(shift(own), settings, decoder.scale)
        return decoder(audio, previous, style, batch.first)  # type: ignore[no-any-return]

    def step(self, batch: Batch) -> float:
        """One optimiser step; returns the loss."""
        self.decoder.train()
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate(self.progress.step)
        predicted = self.predict(batch)
        loss = self.loss(predicted, batch.targets, batch.valid)
        if self.settings.velocity:
            both = batch.valid[:, 1:] * batch.valid[:, :-1]
            moved = self.loss(predicted.diff(dim=1), batch.targets.diff(dim=1), both)
            loss = loss + self.settings.velocity * moved
        self.optimiser.zero_grad()
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.decoder.parameters(), 1.0)
        self.optimiser.step()
        self._update_average()
        self.progress.step += 1
        return float(loss)

    def _update_average(self) -> None:
        step = self.progress.step
        decay = min(self.settings.average, (1 + step) / (10 + step))
        live: nn.Module = self.accelerator.unwrap_model(self.decoder)
        with torch.no_grad():
            for kept, now in zip(self.average.parameters(), live.parameters(), strict=True):
                kept.mul_(decay).add_(now, alpha=1 - decay)

    def fit(
        self,
        draw: Callable[[np.random.Generator], Batch],
        score: Callable[[ExpressionDecoder], float],
        save: Callable[[Fitter], None] | None = None,
    ) -> ExpressionDecoder:
        """Train until the last step; the averaged copy of the best validation is returned.

        Args:
            draw: gives a batch; called with a generator that depends on the step alone, so
                that a resumed run draws what an uninterrupted one would.
            score: of a decoder on held-out speakers, lower is better.
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

    def _validate(self, score: Callable[[ExpressionDecoder], float]) -> None:
        progress = self.progress
        value = score(self.average)
        progress.history.append((progress.step, value))
        log.info("step %d: held-out error %.4f", progress.step, value)
        if value < progress.best:
            progress.best, progress.best_step = value, progress.step
            progress.kept = {k: v.clone() for k, v in self.average.state_dict().items()}

    def state(self) -> dict[str, object]:
        """Everything needed to go on from here."""
        return {
            "decoder": self.accelerator.unwrap_model(self.decoder).state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average.state_dict(),
            "progress": vars(self.progress),
        }

    def resume(self, state: dict[str, object]) -> None:
        """Go on from a `state`."""
        self.accelerator.unwrap_model(self.decoder).load_state_dict(state["decoder"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average.load_state_dict(state["average"])  # type: ignore[arg-type]
        self.progress = Progress(**state["progress"])  # type: ignore[arg-type]
