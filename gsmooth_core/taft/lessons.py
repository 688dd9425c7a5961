"""Lessons of a clip: frames that are reconstructed from others, to be held against the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import monotonic

import numpy as np
from torch import nn

from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.taft.compose import Composer, ComposeSettings, Composition
from gsmooth_core.taft.generator import config_of
from gsmooth_core.taft.inputs import suited
from gsmooth_core.types import FaceTrack, Image, Opened

_SWEEPS = (0, 2, 1, 3)  # a sweep that time cuts short leaves an even choice


@dataclass(frozen=True)
class LessonSettings:
    """Which frames of a clip are reconstructed.

    Attributes:
        count: of lessons, spread evenly over the usable frames.
        gap: seconds between a frame and its references.
    """

    count: int = 240
    gap: float = 0.5


@dataclass(frozen=True)
class Material:
    """What lessons are taken from.

    Attributes:
        track: of the clip; frames that must not be learned from have no confidence in it.
        model: the track's face model.
        opened: opens the clip.
        generator: makes the reconstructions.
        compose: how frames are composed for it.
        device: that it works on, see `generator.placed`.
    """

    track: FaceTrack
    model: MorphableModel
    opened: Opened
    generator: nn.Module
    compose: ComposeSettings
    device: str | None = None

    def composer(self, settings: LessonSettings) -> Composer:
        """Composes the track's frames as they are, from references that are far enough."""
        references = self.compose.references
        apart = replace(references, gap=max(settings.gap, references.gap))
        compose = suited(replace(self.compose, references=apart), config_of(self.generator))
        with self.opened() as source:
            return Composer(self.track, self.model, self.track.expression, source, compose)

    def composed(
        self, composer: Composer, settings: LessonSettings, until: float
    ) -> Iterator[tuple[Image, Composition]]:
        """Frames and their compositions, evenly spread; in sweeps, so that time may run out.

        Args:
            composer: see `composer`.
            settings: which frames.
            until: time of `monotonic` after which none is begun.
        """
        usable = np.flatnonzero(self.track.usable)
        count = min(settings.count, len(usable))
        frames = usable[np.linspace(0, len(usable) - 1, count).astype(np.intp)]
        for first in _SWEEPS:
            with self.opened() as source:
                for frame in frames[first :: len(_SWEEPS)]:
                    if monotonic() > until:
                        return
                    composition = composer.compose(int(frame), picture := source(int(frame)))
                    if composition.members:
                        yield picture, composition
