"""Whether a person's manner is learned, judged on stretches that it was not learned from.

Each stretch of the clip is held back in turn. Where these do not show the manner better than the
plain style, nothing is learned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from gsmooth_core.a2ep.interface import SpeechModel
from gsmooth_core.a2ep.lesson import Lesson
from gsmooth_core.a2ep.manner import Manner, Plan, learn_manner
from gsmooth_core.a2ep.style import Style
from gsmooth_core.types import Bool, Float

PLAN = Plan(5.0, noise=2.0)
"""What suits the training speakers; with less to learn from, it moves less by itself."""
FULLNESS = (0.95, 0.9, 0.85, 0.8)
"""Shares of the person's own opening that are tried, the fullest first."""
STRETCHES = 4
GAP = 0.5  # seconds beside a held-back stretch that do not teach
FEWEST = 60  # frames of speech at 25 a second below which nothing is learned
FEWEST_JUDGED = 10  # frames of a stretch that can judge
TRUSTED = 100  # frames of speech at 25 a second whose mean is this person's usual mouth
SLACK = 1.05  # share of the plain style's error that full movement may have


@dataclass(frozen=True)
class Mouths:
    """What is known of mouths, for E components.

    Attributes:
        gram: (E, E) squared movement of the mouth's vertices.
        opening: (E,) how far each component opens the lips.
        usual: amplitude of the average speaker.
        rest: (E,) resting mouth of the average speaker.
    """

    gram: Float
    opening: Float
    usual: float
    rest: Float

    @classmethod
    def of(cls, model: SpeechModel) -> Mouths:
        """What `model` knows of them."""
        gram, opening = model.array("gram"), model.array("opening")
        return cls(gram, opening, float(model.array("usual")), model.array("rest"))

    def style(self, lesson: Lesson) -> Style:
        """The plain style that the usable frames show."""
        return Style.from_curves(
            lesson.shown[lesson.usable], lesson.apart[lesson.usable], self.gram, self.opening,
            self.usual, self.rest,
        )  # fmt: skip

    def manner(self, lesson: Lesson, plan: Plan) -> Manner:
        """The manner that the usable frames teach."""
        style = self.style(lesson)
        contact = float(style.rest @ self.opening)
        manner = learn_manner(lesson, plan, style.amplitude, self.opening, contact)
        speech = int(lesson.spoken.sum())
        trust = min(1.0, speech * 25 / (TRUSTED * lesson.fps))  # one sentence has its own mean
        plain = style.speak(lesson.moved[lesson.spoken], self.opening).mean(axis=0)
        return replace(manner, mean=trust * manner.mean + (1 - trust) * plain)

    def settled(self, lesson: Lesson, style: Style) -> Lesson:
        """A lesson from another clip, its mouth moved to where it lies in the clip of `style`.

        Where a mouth lies on average is not comparable between two tracks of one person: what one
        takes for the shape of the face is an expression to the other.
        """
        if not lesson.spoken.any():
            return lesson
        spoken = lesson.moved[lesson.spoken]
        there = style.speak(spoken, self.opening).mean(axis=0)
        apart = there - lesson.shown[lesson.spoken].mean(axis=0)
        return replace(lesson, shown=lesson.shown + apart)

    def error(self, made: Float, true: Float) -> float:
        """Squared movement of vertices between (T, E) twice."""
        apart = made - true
        return float(np.sum((apart @ self.gram) * apart))


@dataclass(frozen=True)
class Learned:
    """What the clip teaches.

    Attributes:
        manner: None where the held-back stretches do not bear it out.
        seconds: of speech that it was learned from.
        gain: share of the held-back error that it takes away; below 0 where it would add some.
    """

    manner: Manner | None
    seconds: float
    gain: float = 0.0


@dataclass(frozen=True)
class _Held:
    """Errors over all held-back stretches.

    Attributes:
        shape: error of the manner around each stretch's own mean.
        whole: the same with the mean.
        plain_shape: of the plain style.
        plain_whole: the same with the mean.
        still: shape error of a mouth that does not move.
    """

    shape: float
    whole: float
    plain_shape: float
    plain_whole: float
    still: float

    @property
    def gain(self) -> float:
        """Share of the plain style's error that the manner takes away."""
        return 1.0 - self.whole / max(self.plain_whole, 1e-12)

    @property
    def follows(self) -> bool:
        """Whether lips follow the sound at all, and no worse than the plain style's."""
        return self.shape <= min(SLACK * self.plain_shape, self.still)


@dataclass(frozen=True)
class _Stretch:
    """A stretch of a lesson that judges what the frames `teach` (T,) beside it have taught."""

    lesson: Lesson
    teach: Bool
    where: slice

    def taught(self, mouths: Mouths) -> Manner:
        """The manner that the frames beside it teach."""
        return mouths.manner(self.lesson.part(self.teach), PLAN)

    def said(self, manner: Manner, mouths: Mouths) -> Float:
        """(S, E) what a manner makes of the stretch."""
        sounds = None if self.lesson.sounds is None else self.lesson.sounds[self.where]
        return manner.speak(self.lesson.moved[self.where], mouths.opening, sounds=sounds)

    def plain(self, mouths: Mouths) -> Float:
        """(S, E) what the plain style makes of it."""
        style = mouths.style(self.lesson.part(self.teach))
        return style.speak(self.lesson.moved[self.where], mouths.opening)

    def errors(self, said: Float, mouths: Mouths) -> tuple[float, float]:
        """Error of (S, E) around the mean, and with it."""
        usable = self.lesson.usable[self.where]
        made, true = said[usable], self._true
        shape = mouths.error(made - made.mean(axis=0), true - true.mean(axis=0))
        return shape, mouths.error(made, true)

    def stillness(self, mouths: Mouths) -> float:
        """Shape error of a mouth that does not move."""
        return mouths.error(self._true, self._true.mean(axis=0))

    @property
    def _true(self) -> Float:
        true: Float = self.lesson.shown[self.where][self.lesson.usable[self.where]]
        return true


def choose_manner(lesson: Lesson, mouths: Mouths) -> Learned:
    """Learn a manner where it is borne out.

    Args:
        lesson: the clip's own speech.
        mouths: see there.
    """
    speech = int(lesson.spoken.sum())
    seconds = speech / lesson.fps
    if seconds * 25 < FEWEST:
        return Learned(None, seconds)
    stretches = [_Stretch(lesson, *held) for held in held_back(lesson)]
    if len(stretches) < STRETCHES:
        return Learned(None, seconds)
    taught = [stretch.taught(mouths) for stretch in stretches]
    held = _judged(stretches, taught, mouths)
    if held.gain <= 0 or not held.follows:
        return Learned(None, seconds, held.gain)
    fullness = _fullest(stretches, taught, mouths, held)
    manner = replace(mouths.manner(lesson, PLAN), fullness=fullness)
    return Learned(manner, seconds, held.gain)


def held_back(lesson: Lesson) -> Iterator[tuple[Bool, slice]]:
    """Frames (T,) that teach and the stretch that judges, for each stretch that can.

    All stretches hold as many frames of speech, wherever in the clip the person speaks.
    """
    count, gap = len(lesson.usable), round(GAP * lesson.fps)
    speech = np.flatnonzero(lesson.spoken)
    inner = speech[np.arange(1, STRETCHES) * len(speech) // STRETCHES]
    edges = [0, *(int(edge) for edge in inner), count]
    for first, last in pairwise(edges):
        teach = np.ones(count, bool)
        teach[max(0, first - gap) : last + gap] = False
        enough = (lesson.spoken & teach).sum() * 25 >= FEWEST / 2 * lesson.fps
        if enough and lesson.usable[first:last].sum() >= FEWEST_JUDGED:
            yield teach, slice(first, last)


def _judged(stretches: list[_Stretch], taught: list[Manner], mouths: Mouths) -> _Held:
    """Errors of the manners that were taught, and of the plain style."""
    shape, whole = _summed(stretches, taught, mouths)
    plain = np.sum([s.errors(s.plain(mouths), mouths) for s in stretches], axis=0)
    still = sum(stretch.stillness(mouths) for stretch in stretches)
    return _Held(shape, whole, float(plain[0]), float(plain[1]), still)


def _summed(stretches: list[_Stretch], taught: list[Manner], mouths: Mouths) -> tuple[float, float]:
    """Errors around the mean and with it, over all stretches."""
    pairs = zip(stretches, taught, strict=True)
    shape, whole = np.sum([s.errors(s.said(m, mouths), mouths) for s, m in pairs], axis=0)
    return float(shape), float(whole)


def _fullest(stretches: list[_Stretch], taught: list[Manner], mouths: Mouths, held: _Held) -> float:
    """The widest movement whose held-back error stays within what the plain style's allows."""
    for fullness in FULLNESS:
        wide = [replace(manner, fullness=fullness) for manner in taught]
        shape, whole = _summed(stretches, wide, mouths)
        if shape <= SLACK * held.plain_shape and whole <= held.plain_whole:
            return fullness
    return 0.0
