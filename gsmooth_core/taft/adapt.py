"""Target adaptation: the generator learns this clip's own mouth, and not the frame it will make.

The clip is cut into an even number of parts. One generator makes the first, third, ... part and is
trained on the others, the other one the other way round, each reconstructing frames from references
at least `gap` seconds away. Around each cut lies a stretch that neither is trained on; there the
weights go over from one to the other. So no pixel of a frame ever has a part in the weights that
make it.

Some lessons are held back from training. They decide how far a generator goes from where it started
towards what it has learned: a short clip teaches a sentence more than a person.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from scipy.ndimage import maximum_filter1d
from torch import Tensor, nn

from gsmooth_core.data import FaceTrack, Float
from gsmooth_core.taft.generator import GeneratorInput
from gsmooth_core.taft.lessons import Lesson, LessonSettings
from gsmooth_core.taft.losses import edge_energy, photometric


@dataclass(frozen=True)
class AdaptSettings:
    """How a generator is adapted.

    Attributes:
        lessons: the frames that each generator learns from or is judged by.
        part: seconds that a part of the clip has at least, where there are more than two.
        judged: share of the lessons that judges.
        stretches: number of places where a clip is judged that has `long` seconds to learn from.
        long: see `stretches`.
        shares: ways towards what was learned that are tried; not to go at all is tried as well.
        steps: of Adam, for each generator.
        batch: samples a step.
        learning_rate: after `warm_up` steps; it falls to zero linearly.
        warm_up: steps.
        photo: weight of eq. 10.
        square: weight of the mean squared difference: large errors first.
        mouth: extra weight of lips and mouth interior in both.
        edges: weight of `losses.edge_energy`.
        fade: seconds around a cut in which one generator's weights become the other's.
        shortest: seconds with a usable face that each generator needs.
        seed: of the order of samples.
    """

    lessons: LessonSettings = field(default_factory=LessonSettings)
    part: float = 6.0
    judged: float = 0.25
    stretches: int = 3
    long: float = 10.0
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
        odd: makes the first, third, ... part of the clip; trained on the others.
        even: makes the second, fourth, ... part.
        share: (T,) of `even` in each frame, see `shares_of`.
    """

    def __init__(self, odd: nn.Module, even: nn.Module, share: Float) -> None:
        self.odd, self.even, self.share = odd, even, share
        self._between = copy.deepcopy(odd)

    def at(self, frame: int) -> nn.Module:
        """The generator of frame number `frame`; valid until the next call."""
        share = float(self.share[frame])
        if share in (0, 1):
            return self.even if share else self.odd
        return _mix(self._between, self.odd, self.even, share)

    def to(self, device: str) -> None:
        """Move all weights to a device."""
        for generator in (self.odd, self.even, self._between):
            generator.to(device)


def cuts(frames: int, fps: float, settings: AdaptSettings) -> Float:
    """(N,) frame numbers at which an odd part becomes an even one or the other way round."""
    pairs = max(1, int(frames / fps / (2 * settings.part)))
    return np.linspace(0, frames, 2 * pairs + 1)[1:-1].astype(np.float32)


def shares_of(frames: int, fps: float, settings: AdaptSettings) -> Float:
    """(T,) 0 in odd parts, 1 in even ones, in between within `fade` seconds around each cut."""
    half = max(settings.fade * fps, 1e-6) / 2
    ends = np.add.outer(cuts(frames, fps, settings), [-half, half]).ravel()
    shares = (np.arange(len(ends)) + 1) // 2 % 2  # 0, 1, 1, 0, 0, 1, 1, ...
    return np.interp(np.arange(frames), ends, shares).astype(np.float32)


def taught_parts(track: FaceTrack, settings: AdaptSettings) -> tuple[FaceTrack, FaceTrack] | None:
    """The track without the frames that a generator may not see, for both generators.

    `gap` seconds lie between them and the frames that it makes.

    Returns:
        what the generator of the odd and of the even parts may learn from; None when there is too
        little of it.
    """
    fps = float(track.fps)
    share, clear = shares_of(len(track), fps, settings), int(np.ceil(settings.lessons.gap * fps))
    parts = []
    for makes in (share < 1, share > 0):
        near = maximum_filter1d(makes, 2 * clear + 1, mode="constant")
        confidence = np.where(near, 0, track.confidence).astype(np.float32)
        parts.append(replace(track, confidence=confidence))
    if any(part.usable.sum() < settings.shortest * fps for part in parts):
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
        given: lessons of one generator, in the order of their frames.
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
    """Lessons that teach, and stretches of them that judge; `gap` seconds lie between them.

    A long clip is judged in several places, a short one only at its end, where least is lost.
    """
    seconds = (given[-1].frame - given[0].frame) / fps if given else 0.0
    stretches = settings.stretches if seconds >= settings.long else 1
    length = round(settings.judged * len(given) / stretches)
    ends = [(n + 1) * len(given) // stretches for n in range(stretches)]
    judges = [lesson for end in ends for lesson in given[end - length : end]]
    frames = np.array([lesson.frame for lesson in judges])
    clear = settings.lessons.gap * fps
    taught = [x for x in given if not len(frames) or np.abs(frames - x.frame).min() > clear]
    return taught, judges


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
