"""Speech that was heard and seen: what a person's way of speaking is learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from gsmooth_core.face.curves import resample
from gsmooth_core.types import Bool, Float

SPOKEN = 0.02  # movement of some component from which a frame counts as speech
FADING = (0.5, 1.0, 1.0, 1.0, 0.5)
"""How much steps of 40 ms count for the sound of the frame in the middle."""
MOVED = 11.7
"""Weight of what a sound moves, beside it: a quarter of three and a half frames' variance."""
APART = 2.0  # seconds of nothing between the lessons of two clips


def spoken_frames(moved: Float) -> Bool:
    """(T, E) movement -> (T,) frames in which somebody speaks."""
    speaks: Bool = np.abs(moved).max(axis=1) > SPOKEN
    return speaks


def with_neighbours(moved: Float, reach: Sequence[int]) -> Float:
    """(T, E) -> (T, K E): each frame beside those `reach` frames away, ends repeated."""
    at = np.arange(len(moved))
    return np.concatenate([moved[np.clip(at + k, 0, len(moved) - 1)] for k in reach], axis=1)


def reach_of(context: int, fps: float) -> tuple[int, ...]:
    """Frames away that are 0, 1 .. `context` times 40 ms before and after."""
    return tuple(round(k * fps / 25) for k in range(-context, context + 1))


@dataclass(frozen=True)
class Lesson:
    """Speech that was heard and seen.

    Attributes:
        moved: (T, E) what the model moves for the sound, the sound's lateness taken out.
        shown: (T, E) what the tracked face did.
        usable: (T,) frames that may teach.
        apart: (T,) gap of the lips as it was seen, in any unit.
        fps: frames per second.
        sounds: (T, S) what is heard in each frame and those beside it, in directions that lips
            care for, and what it moves (`sounds_of`); None where that is not known.
    """

    moved: Float
    shown: Float
    usable: Bool
    apart: Float
    fps: float
    sounds: Float | None = None

    @property
    def spoken(self) -> Bool:
        """(T,) usable frames in which somebody speaks."""
        both: Bool = self.usable & spoken_frames(self.moved)
        return both

    def part(self, frames: Bool) -> Lesson:
        """The same with only those of `frames` (T,) usable."""
        return replace(self, usable=self.usable & frames)


def sounds_of(heard: Float, moved: Float, fps: float) -> Float:
    """What tells sounds apart: (T, H) what is heard, (T, E) what it moves -> (T, `sounds_size`)."""
    near = with_neighbours(heard, reach_of(len(FADING) // 2, fps))
    fading = np.repeat(np.array(FADING, np.float32), heard.shape[1])
    return np.concatenate([near * fading, MOVED * moved], axis=1, dtype=np.float32)


def sounds_size(heard: int, moved: int) -> int:
    """S of `sounds_of`."""
    return len(FADING) * heard + moved


def joined(lessons: Sequence[Lesson]) -> Lesson:
    """The lessons of several clips as one, at the rate of the first.

    Args:
        lessons: at least one; either all have sounds or none.
    """
    first = lessons[0]
    if len(lessons) == 1:
        return first
    parts = [_padded(_at_rate(lesson, first.fps)) for lesson in lessons]
    names = ("moved", "shown", "usable", "apart")
    whole = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    sounds = [part.sounds for part in parts if part.sounds is not None]
    known = np.concatenate(sounds) if len(sounds) == len(parts) else None
    return Lesson(**whole, fps=first.fps, sounds=known)


def _at_rate(lesson: Lesson, fps: float) -> Lesson:
    """The same at another rate."""
    if lesson.fps == fps:
        return lesson
    count = max(1, round(len(lesson.usable) * fps / lesson.fps))
    rate = Fraction(fps).limit_denominator(1_000_000)

    def read(values: Float) -> Float:
        return resample(values, lesson.fps, count, rate)

    seen = read(lesson.usable[:, None].astype(np.float32))[:, 0] > 1 - 1e-6
    sounds = None if lesson.sounds is None else read(lesson.sounds)
    apart = read(lesson.apart[:, None])[:, 0]
    return Lesson(read(lesson.moved), read(lesson.shown), seen, apart, fps, sounds)


def _padded(lesson: Lesson) -> Lesson:
    """The same with frames behind it that teach nothing."""
    more = round(APART * lesson.fps)

    def longer(values: Float) -> Float:
        return np.concatenate([values, np.zeros((more, *values.shape[1:]), values.dtype)])

    sounds = None if lesson.sounds is None else longer(lesson.sounds)
    usable = np.concatenate([lesson.usable, np.zeros(more, bool)])
    parts = longer(lesson.moved), longer(lesson.shown), usable, longer(lesson.apart)
    return Lesson(*parts, lesson.fps, sounds)
