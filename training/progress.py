"""What a fit keeps between its steps: where it stands, its learning rate, its best validation."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn


@dataclass
class Progress:
    """Where a fit stands; all of it goes into a resumable checkpoint.

    Attributes:
        step: steps done.
        best: lowest validation score so far.
        best_step: where that was.
        kept: state of what was validated there.
        history: (step, score) of all validations.
    """

    step: int = 0
    best: float = math.inf
    best_step: int = 0
    kept: dict[str, Tensor] = field(default_factory=dict)
    history: list[tuple[int, float]] = field(default_factory=list)

    def note(self, score: float, model: nn.Module) -> None:
        """Write a validation down, and keep the model's state if no other was better."""
        self.history.append((self.step, score))
        if score < self.best:
            self.best, self.best_step = score, self.step
            self.kept = {name: value.clone() for name, value in model.state_dict().items()}


def learning_rate(step: int, highest: float, warm_up: int, steps: int) -> float:
    """Linear warm-up to the highest rate, cosine to zero."""
    rise = min(1.0, (step + 1) / warm_up)
    return highest * rise * 0.5 * (1 + math.cos(math.pi * step / max(1, steps)))


def save_state(path: Path, state: dict[str, object]) -> None:
    """Write what a stopped fit goes on from, in one step: never half of it."""
    partial = path.with_name(path.name + ".partial")
    torch.save(state, partial)
    partial.replace(path)
