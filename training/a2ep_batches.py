"""Random stretches of the footage, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gsmooth_core.data import Bool, Float
from training.a2ep_data import Take, Utterance

LONGEST = 400  # frames beyond which a clip is not drawn more often


@dataclass(frozen=True)
class Lesson:
    """A clip ready to be drawn from.

    Attributes:
        takes: ways to hear it.
        direct: for each take (T, E), what the direct path says without knowing the speaker.
        style: number of its speaker.
    """

    takes: tuple[Take, ...]
    direct: tuple[Float, ...]
    style: int


@dataclass(frozen=True)
class Batch:
    """B stretches of T frames.

    Attributes:
        features: (B, T, F).
        targets: (B, T, E).
        direct: (B, T, E).
        valid: (B, T) 1 where the frame counts.
        style: (B, styles) one-hot.
        first: t of the first frame, for PE(t).
    """

    features: Tensor
    targets: Tensor
    direct: Tensor
    valid: Tensor
    style: Tensor
    first: int


def weights_of(utterances: Sequence[Utterance]) -> NDArray[np.float64]:
    """How often each clip is drawn: more for long ones, less than in proportion."""
    lengths = np.array([min(int(u.takes[0].valid.sum()), LONGEST) for u in utterances])
    weights: NDArray[np.float64] = lengths**0.7
    return weights / weights.sum()


def _stretch(array: Float | Bool, start: int, frames: int) -> Float:
    """Frames `start`... of (T, ...), its last one repeated where it ends too soon."""
    part = np.asarray(array[start : start + frames], np.float32)
    return np.pad(part, ((0, frames - len(part)), *[(0, 0)] * (part.ndim - 1)), mode="edge")


def draw(
    lessons: Sequence[Lesson],
    weights: NDArray[np.float64],
    size: int,
    frames: int,
    styles: int,
    period: int,
    rng: np.random.Generator,
) -> Batch:
    """Draw `size` stretches of `frames` frames."""
    columns: dict[str, list[Float]] = {n: [] for n in ("features", "targets", "direct", "valid")}
    style = torch.zeros(size, styles)
    for row, index in enumerate(rng.choice(len(lessons), size, p=weights)):
        lesson = lessons[index]
        variant = int(rng.integers(len(lesson.takes)))
        take = lesson.takes[variant]
        start = int(rng.integers(max(1, len(take.valid) - frames + 1)))
        valid = take.valid[start : start + frames]
        columns["features"].append(_stretch(take.features, start, frames))
        columns["targets"].append(_stretch(take.targets, start, frames))
        columns["direct"].append(_stretch(lesson.direct[variant], start, frames))
        columns["valid"].append(np.pad(valid, (0, frames - len(valid))).astype(np.float32))
        style[row, lesson.style] = 1.0
    stacked = {name: torch.from_numpy(np.stack(parts)) for name, parts in columns.items()}
    return Batch(**stacked, style=style, first=int(rng.integers(period)))
