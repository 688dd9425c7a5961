"""Target adaptation: the generator learns this clip's own mouth, and not the frame it will make.

The clip is cut in the middle. The generator of the first half is trained on the second half, the
one of the second half on the first, each reconstructing frames from references at least `gap`
seconds away. Around the middle lies a part that neither is trained on; there the weights go over
from one to the other. So no pixel of a frame ever has a part in the weights that make it.

A half's last lessons are held back from its training. They decide how far the generator goes from
where it started towards what it has learned: a short clip teaches a sentence more than a person.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn

from gsmooth_core.data import FaceTrack
from gsmooth_core.taft.generator import GeneratorInput
from gsmooth_core.taft.lessons import Lesson, LessonSettings
from gsmooth_core.taft.losses import edge_energy, photometric


@dataclass(frozen=True)
class AdaptSettings:
    """How a generator is adapted.

    Attributes:
        lessons: the frames of each half to learn from or to judge by.
        judged: share of them that judges, the last ones.
        shares: ways towards what was learned that are tried; not to go at all is tried as well.
        steps: of Adam, for each half.
        batch: samples a step.
        learning_rate: after `warm_up` steps; it falls to zero linearly.
        warm_up: steps.
        photo: weight of eq. 10.
        square: weight of the mean squared difference: large errors first.
        mouth: extra weight of lips and mouth interior in both.
        edges: weight of `losses.edge_energy`.
        fade: seconds around the middle in which one half's weights become the other's.
        shortest: seconds with a usable face that each half needs.
        seed: of the order of samples.
    """

    lessons: LessonSettings = field(default_factory=LessonSettings)
    judged: float = 0.25
    shares: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    steps: int = 800
    batch: int = 2
    learning_rate: float = 7e-4
    warm_up: int = 20
    photo: float = 6.0
    square: float = 30.0
    mouth: float = 2.0
    edges: float = 40.0
    fade: float = 0.8
    shortest: float = 1.5
    seed: int = 0


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
        return _mix(self._between, self.early, self.late, share)

    def to(self, device: str) -> None:
        """Move all weights to a device."""
        for generator in (self.early, self.late, self._between):
            generator.to(device)


def halves(track: FaceTrack, settings: AdaptSettings) -> tuple[FaceTrack, FaceTrack] | None:
    """The track without the part that one half's generator may not see, for both halves.

    `gap` seconds lie between a half and the part where the weights go over.

    Returns:
        what the generator of the first and of the second half may learn from; None when there is
        too little of it.
    """
    clear = (settings.lessons.gap + settings.fade / 2) * float(track.fps)
    frames, middle = np.arange(len(track)), len(track) / 2
    parts = [
        replace(track, confidence=np.where(part, track.confidence, 0).astype(np.float32))
        for part in (frames > middle + clear, frames < middle - clear)
    ]
    least = settings.shortest * float(track.fps)
    if any(part.usable.sum() < least for part in parts):
        return None
    return parts[0], parts[1]


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
        pupil = _one_layout(copy.deepcopy(generator)).train().requires_grad_()
        adam = torch.optim.Adam(pupil.parameters(), settings.learning_rate)
        rng = np.random.default_rng(settings.seed)
        for step in range(settings.steps):
            adam.param_groups[0]["lr"] = _rate(step, settings)
            loss = torch.stack(
                [_loss(pupil, taught[int(n)], settings) for n in _drawn(rng, taught, settings)]
            ).mean()
            adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(pupil.parameters(), 1.0)
            adam.step()
            on_step(step + 1)
    return pupil.eval().requires_grad_(requires_grad=False)


def proven(
    generator: nn.Module,
    given: list[Lesson],
    fps: float,
    settings: AdaptSettings,
    on_step: Callable[[int], None] = lambda step: None,
) -> nn.Module:
    """As much of what `adapt` learns as frames bear out that it has not seen.

    Args:
        generator: where to start; it stays as it is.
        given: lessons of one half of a clip, in the order of their frames.
        fps: frames a second.
        settings: how to train and to judge.
        on_step: told how many steps are done.

    Returns:
        a new generator; the weights are those of the start where learning made nothing better.
    """
    taught, judges = held_back(given, fps, settings)
    if not taught or not judges:
        return _one_layout(copy.deepcopy(generator))
    pupil = adapt(generator, taught, settings, on_step)
    tried = [between(generator, pupil, share) for share in (0.0, *settings.shares)]
    errors = [mouth_error(each, judges) for each in tried]
    return tried[int(np.argmin(np.nan_to_num(errors, nan=np.inf)))]


def held_back(
    given: list[Lesson], fps: float, settings: AdaptSettings
) -> tuple[list[Lesson], list[Lesson]]:
    """Lessons that teach, and the last ones, which judge; `gap` seconds lie between them."""
    judges = given[len(given) - round(settings.judged * len(given)) :]
    if not judges:
        return given, judges
    clear = judges[0].frame - settings.lessons.gap * fps
    return [lesson for lesson in given if lesson.frame < clear], judges


def between(start: nn.Module, end: nn.Module, share: float) -> nn.Module:
    """A generator whose weights lie on the way from one to another."""
    made = _one_layout(copy.deepcopy(start))
    return _mix(made, start, end, share).eval().requires_grad_(requires_grad=False)


def _one_layout(generator: nn.Module) -> nn.Module:
    """One layout in memory whatever the caller's: rounding, and so the result, depends on it."""
    return generator.to(memory_format=torch.channels_last)  # type: ignore[no-any-return,call-overload]


def _mix(made: nn.Module, start: nn.Module, end: nn.Module, share: float) -> nn.Module:
    """`made`, with weights on the way from `start` to `end`."""
    with torch.no_grad():
        parts = (module.parameters() for module in (made, start, end))
        for mixed, a, b in zip(*parts, strict=True):
            mixed.copy_(torch.lerp(a, b, share))
    return made


def mouth_error(generator: nn.Module, judges: list[Lesson]) -> float:
    """Mean over lessons of the logarithm of the mouth's mean squared error: a mean PSNR."""
    with torch.inference_mode():
        return float(np.mean([np.log(_mouth_square(generator, lesson)) for lesson in judges]))


def _mouth_square(generator: nn.Module, lesson: Lesson) -> float:
    made = generator(GeneratorInput(*(part.float() for part in lesson.inputs)))
    square = ((made - lesson.truth.float()) * lesson.alpha.float()) ** 2
    mouth = lesson.mouth.float().expand_as(square)
    return float((square * mouth).sum() / mouth.sum().clamp_min(1)) + 1e-9


def _rate(step: int, s: AdaptSettings) -> float:
    return s.learning_rate * (1 - step / s.steps) * min(1.0, (step + 1) / s.warm_up)


def _drawn(
    rng: np.random.Generator, taught: list[Lesson], settings: AdaptSettings
) -> list[np.int64]:
    return list(rng.integers(0, len(taught), settings.batch))


def _loss(pupil: nn.Module, lesson: Lesson, s: AdaptSettings) -> Tensor:
    inputs = GeneratorInput(*(part.float() for part in lesson.inputs))
    truth, alpha = lesson.truth.float(), lesson.alpha.float()
    mixed: Tensor = pupil(inputs) * alpha + truth * (1 - alpha)
    weight = 1 + s.mouth * lesson.mouth.float()
    terms = [
        s.photo * photometric(mixed, truth, weight),
        s.square * ((mixed - truth) ** 2 * weight).mean(),
        s.edges * edge_energy(mixed, truth),
    ]
    return torch.stack(terms).sum()
