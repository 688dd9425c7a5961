"""Random stretches of the footage, as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gsmooth_core.types import Bool, Float


@dataclass(frozen=True)
class Lesson:
    """A clip ready to be drawn from; one item a way to hear it.

    Attributes:
        heard: (T, W) each, what the decoder hears, or (T, 640) samples for an encoder.
        targets: (T, E) each.
        valid: (T,) each.
        style: number of the speaker.
    """

    heard: tuple[Float, ...]
    targets: tuple[Float, ...]
    valid: tuple[Bool, ...]
    style: int


@dataclass(frozen=True)
class Batch:
    """B stretches of T frames.

    Attributes:
        heard: (B, T, W).
        targets: (B, T, E).
        valid: (B, T) 1 where the frame counts.
        style: (B, styles) one-hot.
        first: t of the first frame, for PE(t).
    """

    heard: Tensor
    targets: Tensor
    valid: Tensor
    style: Tensor
    first: int

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        heard, targets, valid, style = (
            part.to(device) for part in (self.heard, self.targets, self.valid, self.style)
        )
        return Batch(heard, targets, valid, style, self.first)


def weights_of(lessons: Sequence[Lesson]) -> NDArray[np.float64]:
    """How often each clip is drawn; see `chances`."""
    return chances([lesson.valid[0] for lesson in lessons], [lesson.style for lesson in lessons])


def chances(valid: Sequence[Bool], speakers: Sequence[int]) -> NDArray[np.float64]:
    """How often each clip is drawn: speakers by the square root of their footage.

    Otherwise those with most footage, and the many unlabelled readers above all, would speak
    for everybody.

    Args:
        valid: of each clip, (T,) frames that count.
        speakers: number of who speaks in each.
    """
    lengths = np.array([float(frames.sum()) for frames in valid])
    totals = np.bincount(speakers, lengths)[np.array(speakers)]
    weights = lengths / np.sqrt(totals)
    return np.asarray(weights / weights.sum())


def _stretch(array: Float, start: int, frames: int) -> Float:
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
    columns: dict[str, list[Float]] = {name: [] for name in ("heard", "targets", "valid")}
    style = torch.zeros(size, styles)
    for row, index in enumerate(rng.choice(len(lessons), size, p=weights)):
        lesson = lessons[index]
        take = int(rng.integers(len(lesson.heard)))
        start = int(rng.integers(max(1, len(lesson.valid[take]) - frames + 1)))
        valid = lesson.valid[take][start : start + frames]
        columns["heard"].append(_stretch(lesson.heard[take], start, frames))
        columns["targets"].append(_stretch(lesson.targets[take], start, frames))
        columns["valid"].append(np.pad(valid, (0, frames - len(valid))).astype(np.float32))
        style[row, lesson.style] = 1.0
    stacked = {name: torch.from_numpy(np.stack(parts)) for name, parts in columns.items()}
    return Batch(**stacked, style=style, first=int(rng.integers(period)))
