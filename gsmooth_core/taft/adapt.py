"""Target adaptation: the generator learns this clip's own mouth, and not the frame it will make.

The clip is cut in the middle. The generator of the first half is trained on the second half, the
one of the second half on the first, each reconstructing frames from references at least `gap`
seconds away. Around the middle lies a part that neither is trained on; there the weights go over
from one to the other. So no pixel of a frame ever has a part in the weights that make it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from gsmooth_core.data import FaceTrack, Image
from gsmooth_core.face_model import MorphableModel
from gsmooth_core.mafb import rim_weight
from gsmooth_core.taft.compose import Composer, ComposeSettings, Composition, ReferenceSource
from gsmooth_core.taft.generator import GeneratorConfig, GeneratorInput
from gsmooth_core.taft.inputs import generator_input, suited
from gsmooth_core.taft.losses import edge_energy, photometric

Opened = Callable[[], AbstractContextManager[ReferenceSource]]
"""Opens the clip; its frames are asked for in ascending order."""


@dataclass(frozen=True)
class AdaptSettings:
    """How a generator is adapted.

    Attributes:
        samples: frames of each half to learn from.
        steps: of Adam, for each half.
        batch: samples a step.
        window: side in pixels of the part around the mouth that a step sees.
        learning_rate: at the start; it falls to zero linearly.
        photo: weight of eq. 10.
        mouth: extra weight of lips and mouth interior in eq. 10.
        edges: weight of `losses.edge_energy`.
        gap: seconds between a frame and its references, and between the halves and the middle.
        fade: seconds around the middle in which one half's weights become the other's.
        shortest: seconds with a usable face that each half needs.
        seed: of the order of samples.
    """

    samples: int = 120
    steps: int = 200
    batch: int = 2
    window: int = 160
    learning_rate: float = 1e-3
    photo: float = 6.0
    mouth: float = 2.0
    edges: float = 20.0
    gap: float = 0.5
    fade: float = 0.8
    shortest: float = 1.5
    seed: int = 0


@dataclass(frozen=True)
class Lesson:
    """One frame to learn from, as half-precision tensors of a batch of one.

    Attributes:
        inputs: for the generator.
        truth: (1, 3, h, w) the frame itself.
        alpha: (1, 1, h, w) weight of the generated picture.
        mouth: (1, 1, h, w) lips and mouth interior.
    """

    inputs: GeneratorInput
    truth: Tensor
    alpha: Tensor
    mouth: Tensor


class Adapted:
    """Two adapted generators, and which one makes which frame.

    Args:
        early: makes the first half; trained on the second.
        late: makes the second half; trained on the first.
        middle: frame number between the halves.
        fade: frames around the middle over which `early` becomes `late`.
    """

    def __init__(self, early: nn.Module, late: nn.Module, middle: float, fade: float) -> None:
        self.early, self.late, self.middle, self.fade = early, late, middle, fade
        self._between = copy.deepcopy(early)

    def at(self, frame: int) -> nn.Module:
        """The generator of frame number `frame`; valid until the next call."""
        share = float(np.clip((frame - self.middle) / max(self.fade, 1e-6) + 0.5, 0, 1))
        if share in (0, 1):
            return self.late if share else self.early
        with torch.no_grad():
            parts = (m.parameters() for m in (self._between, self.early, self.late))
            for mixed, early, late in zip(*parts, strict=True):
                mixed.copy_(torch.lerp(early, late, share))
        return self._between

    def to(self, device: str) -> None:
        """Move all weights to a device."""
        for generator in (self.early, self.late, self._between):
            generator.to(device)


def halves(track: FaceTrack, settings: AdaptSettings) -> tuple[FaceTrack, FaceTrack] | None:
    """The track without the part that one half's generator may not see, for both halves.

    Returns:
        what the generator of the first and of the second half may learn from; None when there is
        too little of it.
    """
    clear = (settings.gap + settings.fade / 2) * float(track.fps)
    frames, middle = np.arange(len(track)), len(track) / 2
    parts = [
        replace(track, confidence=np.where(part, track.confidence, 0).astype(np.float32))
        for part in (frames > middle + clear, frames < middle - clear)
    ]
    least = settings.shortest * float(track.fps)
    if any(part.usable.sum() < least for part in parts):
        return None
    return parts[0], parts[1]


def lessons(
    track: FaceTrack,
    model: MorphableModel,
    opened: Opened,
    config: GeneratorConfig,
    compose: ComposeSettings,
    settings: AdaptSettings,
) -> list[Lesson]:
    """Reconstruct usable frames of a track: what the generator is given, and what it should say."""
    apart = replace(compose.references, gap=max(settings.gap, compose.references.gap))
    compose = suited(replace(compose, references=apart), config)
    with opened() as source:
        composer = Composer(track, model, track.expression, source, compose)
    usable = np.flatnonzero(track.usable)
    places = np.linspace(0, len(usable) - 1, min(settings.samples, len(usable))).astype(np.intp)
    made = []
    with opened() as source:
        for frame in usable[places]:
            picture = source(int(frame))
            composition = composer.compose(int(frame), picture)
            if composition.members:
                made.append(_lesson(composition, picture, config, composer.rim, settings.window))
    return made


def adapt(
    generator: nn.Module,
    taught: list[Lesson],
    settings: AdaptSettings,
    on_step: Callable[[int], None] = lambda step: None,
) -> nn.Module:
    """A copy of the generator that was trained on some lessons.

    Args:
        generator: where to start; it stays as it is.
        taught: at least one lesson.
        settings: how to train.
        on_step: told how many steps are done.
    """
    with torch.inference_mode(mode=False):
        pupil = copy.deepcopy(generator).train().requires_grad_()
        # One layout whatever the caller's: rounding, and so the result, depends on it.
        pupil.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        adam = torch.optim.Adam(pupil.parameters(), settings.learning_rate)
        rng = np.random.default_rng(settings.seed)
        for step in range(settings.steps):
            adam.param_groups[0]["lr"] = settings.learning_rate * (1 - step / settings.steps)
            loss = torch.stack(
                [_loss(pupil, taught[int(n)], settings) for n in _drawn(rng, taught, settings)]
            ).mean()
            adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(pupil.parameters(), 1.0)
            adam.step()
            on_step(step + 1)
    return pupil.eval().requires_grad_(requires_grad=False)


def _drawn(
    rng: np.random.Generator, taught: list[Lesson], settings: AdaptSettings
) -> list[np.int64]:
    return list(rng.integers(0, len(taught), settings.batch))


def _loss(pupil: nn.Module, lesson: Lesson, s: AdaptSettings) -> Tensor:
    inputs = GeneratorInput(*(part.float() for part in lesson.inputs))
    truth, alpha = lesson.truth.float(), lesson.alpha.float()
    mixed = pupil(inputs) * alpha + truth * (1 - alpha)
    photo = photometric(mixed, truth, 1 + s.mouth * lesson.mouth.float())
    return s.photo * photo + s.edges * edge_energy(mixed, truth)


def _lesson(
    composition: Composition, picture: Image, config: GeneratorConfig, rim: float, side: int
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
