"""What a training keeps between its steps: where it stands, its learning rate, its best step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gsmooth_core.errors import InputError


@dataclass
class Progress:
    """Where a training stands; all of it goes into a resumable state.

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


def learning_rate(
    step: int, highest: float, warm_up: int, done: float, floor: float = 0.0
) -> float:
    """Linear warm-up to the highest rate, cosine to `floor` times it when all is `done` (0..1)."""
    rise = min(1.0, (step + 1) / max(1, warm_up))
    fall = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
    return highest * rise * (floor + (1 - floor) * fall)


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write what a stopped training goes on from, in one step: never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    torch.save(dict(state), partial)
    partial.replace(path)


def load_state(path: Path, names: Set[str]) -> dict[str, Any]:
    """Read what `save_state` wrote.

    Raises:
        InputError: the file holds other entries than `names`, so another training wrote it.
    """
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if set(state) != names:
        raise InputError(
            f"'{path}' is the state of another training.",
            "Choose another output folder, or remove that file.",
        )
    return state
