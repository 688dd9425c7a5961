"""The one loop that every model here is trained by; `a2ep`, `sync` and `taft` give it a `Task`.

Warm-up and cosine, clipped gradients, an averaged copy, validation on held-out people whose best
step is kept, limits in steps and minutes, and a state from which a stopped run goes on as if it
had not been stopped. It runs on accelerate: one process or, with `accelerate launch`, many.
"""

from __future__ import annotations

import itertools
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from training.progress import Progress, learning_rate, load_state, save_state

SMOOTH = 0.97
SHOW = 25  # steps between two lines of the log
RANK_SEED = 1_000_000_007  # apart from every step's seed

log = logging.getLogger(__name__)

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Schedule:
    """How long a training is, and how fast it learns.

    Attributes:
        steps: optimiser steps, and the length of the cosine.
        rate: highest learning rate.
        warm_up: steps until it is reached.
        floor: share of the highest rate at which the cosine ends.
        check: steps between two validations, and between two states on disk.
        minutes: wall time after which it stops.
        clip: largest norm of the gradient.
        average: decay of the averaged copy, which is validated and kept in the module's place;
            None averages nothing.
        seed: of everything random while it runs.
        by_clock: whether the cosine follows the minutes instead of the steps, for a machine
            whose speed nobody knows; such a training does not resume as if it had not stopped.
    """

    steps: int
    rate: float
    warm_up: int
    floor: float = 0.0
    check: int = 100
    minutes: float = math.inf
    clip: float = 1.0
    average: float | None = None
    seed: int = 0
    by_clock: bool = False


@dataclass(frozen=True)
class Task(Generic[Batch]):
    """What one model gives the engine.

    Attributes:
        module: to train.
        optimiser: of its parameters; the engine sets its learning rate.
        batches: (step, rank) -> endless batches from that step on; step and rank, and a seed,
            decide what they are (`drawn` makes such a function).
        loss: (module, batch) -> terms by name; "total" is what is minimised.
        validate: of the module on held-out people, lower is better; None keeps the last step.
        clipped: the part whose gradient is clipped; None is the whole module.
    """

    module: nn.Module
    optimiser: torch.optim.Optimizer
    batches: Callable[[int, int], Iterator[Batch]]
    loss: Callable[[nn.Module, Batch], Mapping[str, Tensor]]
    validate: Callable[[nn.Module], float] | None = None
    clipped: nn.Module | None = None


def drawn(
    draw: Callable[[np.random.Generator], Batch], seed: int
) -> Callable[[int, int], Iterator[Batch]]:
    """A `Task.batches` of what `draw` makes of a generator that step and rank alone decide on."""

    def batches(step: int, rank: int) -> Iterator[Batch]:
        for at in itertools.count(step):
            yield draw(np.random.default_rng([seed, at, rank] if rank else [seed, at]))

    return batches


class Engine(Generic[Batch]):
    """One training, from wherever it stands to its last step.

    Args:
        task: what is trained.
        schedule: how.
        state: file that a stopped run goes on from; None keeps no state.

    Raises:
        InputError: `state` was written by another training.
    """

    def __init__(self, task: Task[Batch], schedule: Schedule, state: Path | None = None) -> None:
        self.task, self.schedule, self.state_file = task, schedule, state
        self.accelerator = Accelerator()
        self.clipped = list((task.clipped or task.module).parameters())
        self.average = _averaged(task.module, schedule.average, self.accelerator.device)
        self.module, self.optimiser = self.accelerator.prepare(task.module, task.optimiser)
        self.progress = Progress()
        self._terms: dict[str, Tensor] = {}
        self._start = time.monotonic()
        if state and state.exists():
            self._resume(load_state(state, set(self._state())))
            log.info("going on from step %d", self.progress.step)

    @property
    def judged(self) -> nn.Module:
        """What is validated and kept: the averaged copy where there is one."""
        if self.average is not None:
            kept: nn.Module = self.average.module
            return kept
        live: nn.Module = self.accelerator.unwrap_model(self.module)
        return live

    def run(self) -> nn.Module:
        """Train to the last step, or until the time is over.

        Returns:
            the module (its averaged copy, where there is one) as it was at its best validation,
            or at the end where nothing validates; in evaluation mode.
        """
        self._start = time.monotonic()
        self._check()
        batches = self.task.batches(self.progress.step, self.accelerator.process_index)
        while not self._over():
            self.step(next(batches))
            if self.progress.step % self.schedule.check == 0:
                self._check()
        self._check()
        if self.progress.kept:
            self.judged.load_state_dict(self.progress.kept)
        return self.judged.eval()

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """One step of the optimiser; returns the loss's terms."""
        s, at = self.schedule, self.progress.step
        torch.manual_seed(s.seed * 1_000_003 + at + RANK_SEED * self.accelerator.process_index)
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate()
        self.module.train()
        terms = self.task.loss(self.module, batch)
        self.optimiser.zero_grad()
        self.accelerator.backward(terms["total"])
        self.accelerator.clip_grad_norm_(self.clipped, s.clip)
        self.optimiser.step()
        if self.average is not None:
            self.average.update_parameters(self.accelerator.unwrap_model(self.module))
        self.progress.step += 1
        self._note(terms)
        return {name: term.detach() for name, term in terms.items()}

    def _rate(self) -> float:
        s, at = self.schedule, self.progress.step
        done = self._minutes() / s.minutes if s.by_clock else at / max(1, s.steps)
        return learning_rate(at, s.rate, s.warm_up, done, s.floor)

    def _note(self, terms: Mapping[str, Tensor]) -> None:
        """Smooth the terms, and show them from time to time."""
        for name, term in terms.items():
            now = term.detach()
            self._terms[name] = SMOOTH * self._terms.get(name, now) + (1 - SMOOTH) * now
        if self.progress.step % SHOW == 0:
            shown = "  ".join(f"{name} {float(term):.4f}" for name, term in self._terms.items())
            log.info("step %d: %s", self.progress.step, shown)

    def _check(self) -> None:
        """Validate once a step, and write the state."""
        history = self.progress.history
        if self.task.validate and not (history and history[-1][0] == self.progress.step):
            found = self.task.validate(self.judged.eval())
            log.info("step %d: held-out error %.4f", self.progress.step, found)
            self.progress.note(found, self.judged)
        if self.state_file and self.accelerator.is_main_process:
            save_state(self.state_file, self._state())

    def _over(self) -> bool:
        """Whether steps or time are used up; the first process's clock counts for all."""
        if self.progress.step >= self.schedule.steps:
            return True
        over = [self._minutes() > self.schedule.minutes]
        if self.accelerator.num_processes > 1:
            broadcast_object_list(over)
        return over[0]

    def _minutes(self) -> float:
        return (time.monotonic() - self._start) / 60

    def _state(self) -> dict[str, Any]:
        """Everything needed to go on from here."""
        state = {
            "module": self.accelerator.unwrap_model(self.module).state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "progress": vars(self.progress),
        }
        return state | ({"average": self.average.state_dict()} if self.average is not None else {})

    def _resume(self, state: Mapping[str, Any]) -> None:
        self.accelerator.unwrap_model(self.module).load_state_dict(state["module"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.progress = Progress(**state["progress"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])


def _averaged(module: nn.Module, decay: float | None, device: torch.device) -> AveragedModel | None:
    """A copy that follows the module, at first closely: min(decay, (1 + step) / (10 + step))."""
    if decay is None:
        return None

    def follow(kept: Tensor, now: Tensor, count: Tensor | int) -> Tensor:
        share = min(decay, int(count) / (9 + int(count)))
        return kept.mul(share).add(now, alpha=1 - share)

    average = AveragedModel(module, device, avg_fn=follow)
    average.update_parameters(module)  # its first update only copies: let that be the start
    return average.eval()
