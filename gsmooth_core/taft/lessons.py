"""Lessons of a clip: frames to reconstruct, as the generator is given them, and the truth."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from gsmooth_core.data import FaceTrack, Image
from gsmooth_core.face_model import MorphableModel
from gsmooth_core.mafb import rim_weight
from gsmooth_core.taft.compose import Composer, ComposeSettings, Composition, ReferenceSource
from gsmooth_core.taft.generator import GeneratorConfig, GeneratorInput
from gsmooth_core.taft.inputs import generator_input, suited

Opened = Callable[[], AbstractContextManager[ReferenceSource]]
"""Opens the clip; its frames are asked for in ascending order."""


@dataclass(frozen=True)
class LessonSettings:
    """Which frames of a clip are reconstructed, and how much of them is seen.

    Attributes:
        count: of lessons, spread evenly over the usable frames.
        gap: seconds between a frame and its references.
        side: of the window around the mouth, in crop pixels.
    """

    count: int = 120
    gap: float = 0.5
    side: int = 160


@dataclass(frozen=True)
class Lesson:
    """One frame to learn from, as half-precision tensors of a batch of one.

    Attributes:
        frame: its number.
        inputs: for the generator.
        truth: (1, 3, h, w) the frame itself.
        alpha: (1, 1, h, w) weight of the generated picture.
        mouth: (1, 1, h, w) lips and mouth interior.
    """

    frame: int
    inputs: GeneratorInput
    truth: Tensor
    alpha: Tensor
    mouth: Tensor


def lessons(
    track: FaceTrack,
    model: MorphableModel,
    opened: Opened,
    config: GeneratorConfig,
    compose: ComposeSettings,
    settings: LessonSettings,
) -> list[Lesson]:
    """Reconstruct usable frames of a track, in their order.

    Args:
        track: of the clip; frames that must not be learned from have no confidence in it.
        model: the track's face model.
        opened: opens the clip.
        config: of the generator that will learn.
        compose: how frames are composed for it.
        settings: which frames, and how much of them.
    """
    apart = replace(compose.references, gap=max(settings.gap, compose.references.gap))
    compose = suited(replace(compose, references=apart), config)
    with opened() as source:
        composer = Composer(track, model, track.expression, source, compose)
    usable = np.flatnonzero(track.usable)
    places = np.linspace(0, len(usable) - 1, min(settings.count, len(usable))).astype(np.intp)
    made = []
    with opened() as source:
        for frame in usable[places]:
            picture = source(int(frame))
            composition = composer.compose(int(frame), picture)
            if composition.members:
                rim, side = composer.rim, settings.side
                made.append(_lesson(int(frame), composition, picture, config, rim, side))
    return made


def _lesson(
    frame: int,
    composition: Composition,
    picture: Image,
    config: GeneratorConfig,
    rim: float,
    side: int,
) -> Lesson:
    under = composition.veiled.under
    truth = under.cut(under.part(picture)).astype(np.float32) / 255
    alpha = rim_weight(composition.blend.mask > 0, rim)
    mouth = composition.hints[..., :2].any(-1)
    rows, columns = _around(mouth, side)

    def part(tensor: Tensor) -> Tensor:
        return tensor[..., rows, columns].half()

    inputs = generator_input(composition, config)
    return Lesson(
        frame=frame,
        inputs=GeneratorInput(*(part(tensor) for tensor in inputs)),
        truth=part(torch.from_numpy(truth).movedim(-1, 0)[None]),
        alpha=part(torch.from_numpy(alpha)[None, None]),
        mouth=part(torch.from_numpy(mouth)[None, None].float()),
    )


def _around(
    mouth: np.ndarray[tuple[int, int], np.dtype[np.bool_]], side: int
) -> tuple[slice, slice]:
    """A window of side x side pixels, as far as there are, with the mouth in its middle."""
    y, x = np.nonzero(mouth)
    spans = []
    for places, size in zip((y, x), mouth.shape, strict=True):
        centre = float(places.mean()) if len(places) else size / 2
        start = int(np.clip(centre - side / 2, 0, max(0, size - side)))
        spans.append(slice(start, start + side))
    return spans[0], spans[1]
