"""Self-reconstruction samples: frames of a clip, made from others, to compare with the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import monotonic

import numpy as np

from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.composition import ComposeSettings, Composition
from gsmooth_core.taft.generators.interface import Generator
from gsmooth_core.taft.inputs import suited
from gsmooth_core.types import FaceTrack, Image, Opened

_SWEEPS = (0, 2, 1, 3)  # offsets of the sweeps; any number of them is spread evenly


@dataclass(frozen=True)
class SampleSettings:
    """Which frames of a clip are reconstructed.

    Attributes:
        count: number of samples, spread evenly over the usable frames.
        gap: smallest distance in seconds between a frame and its references.
    """

    count: int = 240
    gap: float = 0.5


@dataclass(frozen=True)
class ClipData:
    """What self-reconstruction samples are made from.

    Attributes:
        track: the track of the clip; frames that must not be learned from have confidence 0.
        model: the face model that the track was fitted with.
        opened: opens the clip.
        generator: makes the reconstructions.
        compose: how frames are composed for the generator.
        device: the device that the generator runs on, see `Generator.on`.
    """

    track: FaceTrack
    model: MorphableModel
    opened: Opened
    generator: Generator
    compose: ComposeSettings
    device: str | None = None

    def composer(self, settings: SampleSettings) -> Composer:
        """A composer of the clip with its own expression, from references at least `gap` away."""
        references = self.compose.references
        apart = replace(references, gap=max(settings.gap, references.gap))
        compose = suited(replace(self.compose, references=apart), self.generator.config)
        with self.opened() as source:
            return Composer(self.track, self.model, self.track.expression, source, compose)

    def samples(
        self, composer: Composer, settings: SampleSettings, until: float
    ) -> Iterator[tuple[Image, Composition]]:
        """Frames (H, W, 3) and their compositions, spread evenly over the clip.

        They come in interleaved sweeps, so that those made before time ran out are spread evenly
        as well.

        Args:
            composer: see `composer`.
            settings: number of frames.
            until: time of `monotonic` after which no other frame is begun.
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
