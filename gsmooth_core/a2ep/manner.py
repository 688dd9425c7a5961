"""A person's own way of speaking: a linear map from what speech moves to what their mouth does.

The average speaker's movement M becomes this person's: y = mean + (M - mean of M) W. W is a ridge
regression drawn to their amplitude times the identity, so that little speech changes little. A
least-squares map is damped where it is unsure, and a viewer takes that for mumbling: the opening
of the lips is given this person's width of movement again, and nothing else is. What the map
misses may be remembered by its sound (`a2ep.memory`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gsmooth_core.a2ep.lesson import Lesson, reach_of, spoken_frames, with_neighbours
from gsmooth_core.a2ep.memory import Memory, remember, sureness, thinned
from gsmooth_core.types import Bool, Float

MOST_GAIN = 1.5  # of the opening; beyond it noise would speak
NEARLY = 0.2  # share of the usual gap at which the average speaker's lips nearly meet
FEW = 40  # frames of speech after which its own width counts as much as that of the lesson


@dataclass(frozen=True)
class Manner:
    """How one person speaks, for E speech-driven components.

    Attributes:
        weights: (K E, E) W, for K neighbours.
        reach: K frames away that are looked at.
        heard: (K E,) mean of the movement that was learned from.
        mean: (E,) mean expression of the person while speaking.
        way: (E,) this person's opening direction: the movement that opens the lips by one.
        spread: standard deviation of the opening of the lips while this person speaks.
        damped: the same of what the map alone makes of the lesson's speech.
        fullness: share of `spread` that speech shall have; 0 leaves the map's movement.
        contact: opening at which the lips meet.
        gap: how far the average speaker's lips are apart in that speech.
        memory: what the map misses, by its sound; None where that was not borne out.
    """

    weights: Float
    reach: tuple[int, ...]
    heard: Float
    mean: Float
    way: Float
    spread: float
    damped: float
    fullness: float = 0.0
    contact: float = -np.inf
    gap: float = 1.0
    memory: Memory | None = None

    @property
    def context(self) -> int:
        """Steps of 40 ms before and after that are looked at."""
        return len(self.reach) // 2

    def at(self, fps: float) -> Manner:
        """The same for speech at another rate."""
        return replace(self, reach=reach_of(self.context, fps))

    def settled(self, mean: Float, contact: float) -> Manner:
        """The same on a mouth that lies elsewhere.

        Args:
            mean: (E,) where it lies when it moves as in the lesson on average.
            contact: opening at which its lips meet.
        """
        return replace(self, mean=np.asarray(mean, np.float32), contact=contact)

    @property
    def usual(self) -> Float:
        """(E,) mean movement of the average speaker in the lesson."""
        size, middle = len(self.mean), self.context * len(self.mean)
        return self.heard[middle : middle + size]

    def move(self, moved: Float, sounds: Float | None = None) -> Float:
        """(T, E) movement of the average speaker -> (T, E) expression, its opening damped.

        Args:
            moved: (T, E)
            sounds: (T, S) see `Lesson.sounds`; None leaves the memory out.
        """
        said: Float = self.mean + (with_neighbours(moved, self.reach) - self.heard) @ self.weights
        if self.memory is None or sounds is None:
            return said
        return said + sureness(moved)[:, None] * self.memory.recall(sounds)

    def widen(self, said: Float, opening: Float, speaks: Bool) -> Float:
        """Give the lips' opening this person's width; lips that meet stay as they are.

        Args:
            said: (T, E) of `move`.
            opening: (E,) how far each component opens the lips.
            speaks: (T,) frames in which somebody speaks.
        """
        open_by = said @ opening
        gain = self._gain(open_by[speaks])
        if gain <= 1:
            return said
        wider = open_by + (gain - 1) * (open_by - float(np.mean(open_by[speaks])))
        wider = np.maximum(wider, np.minimum(open_by, self.contact))
        return said + (wider - open_by)[:, None] * self.way  # type: ignore[no-any-return]

    def meet(self, said: Float, moved: Float, opening: Float) -> Float:
        """Lips that meet for the average speaker meet for this person, whatever W makes of it.

        Args:
            said: (T, E) expressions.
            moved: (T, E) the movement they were made of.
            opening: (E,) how far each component opens the lips.
        """
        apart = np.maximum(moved @ opening, 0.0) / max(NEARLY * self.gap, 1e-6)
        beyond = np.maximum(said @ opening - self.contact, 0.0)
        return said - (np.exp(-(apart**2)) * beyond)[:, None] * self.way  # type: ignore[no-any-return]

    def _gain(self, open_by: Float) -> float:
        """How much wider the openings of some speech (N,) have to be."""
        if self.fullness <= 0 or not len(open_by):
            return 1.0
        trust = len(open_by) / (len(open_by) + FEW)
        usual = trust * float(np.std(open_by)) + (1 - trust) * self.damped
        return float(np.clip(self.fullness * self.spread / max(usual, 1e-6), 1.0, MOST_GAIN))

    def speak(
        self, moved: Float, opening: Float, strength: float = 1.0, sounds: Float | None = None
    ) -> Float:
        """(T, E) this person's mouth, 0..1, speaking with the movement `moved`.

        Args:
            moved: (T, E) the speech's movement from the average speaker's rest.
            opening: (E,) how far each component opens the lips.
            strength: how far the mouth moves from where it lies without speech.
            sounds: (T, S) see `Lesson.sounds`; None leaves the memory out.
        """
        wide = self.widen(self.move(moved, sounds), opening, spoken_frames(moved))
        said = self.meet(wide, moved, opening)
        still = np.zeros_like(moved[:1])
        start = self.meet(self.move(still), still, opening)
        return np.clip(start + strength * (said - start), 0, 1).astype(np.float32)


@dataclass(frozen=True)
class Plan:
    """How a manner is learned.

    Attributes:
        penalty: weight of the amplitude alone, in mean squared movements of a component; None
            learns no more than where the mouth lies.
        context: steps of 40 ms before and after that are looked at.
        noise: of the memory (`remember`); None for none.
    """

    penalty: float | None = None
    context: int = 0
    noise: float | None = None


def learn_manner(
    lesson: Lesson, plan: Plan, amplitude: float, opening: Float, contact: float
) -> Manner:
    """Regression in closed form; `fullness` is not set.

    Args:
        lesson: at least one frame of it is spoken.
        plan: penalty, context and memory.
        amplitude: how widely this person moves; 1 is usual.
        opening: (E,) how far each component opens the lips.
        contact: opening at which this person's lips meet.
    """
    speaks, reach = lesson.spoken, reach_of(plan.context, lesson.fps)
    x, y = with_neighbours(lesson.moved, reach)[speaks], lesson.shown[speaks]
    heard, mean = x.mean(axis=0), y.mean(axis=0)
    size = y.shape[1]
    drawn = np.zeros((x.shape[1], size), np.float32)
    drawn[plan.context * size : (plan.context + 1) * size] = amplitude * np.eye(size)
    weights, memory, made = _fitted(lesson, plan, x - heard, y - mean, drawn)
    open_by = (y - mean) @ opening
    way = (y - mean).T @ open_by / max(float(open_by @ open_by), 1e-12)
    damped = float(np.std(made @ opening))
    return Manner(
        weights, reach, heard, mean, way, float(open_by.std()), damped, contact=contact,
        gap=float(np.mean(lesson.moved[speaks] @ opening)), memory=memory,
    )  # fmt: skip


def _fitted(
    lesson: Lesson, plan: Plan, x: Float, y: Float, drawn: Float
) -> tuple[Float, Memory | None, Float]:
    """The map, the memory, and what they make of (N, D) movement, as `plan` says."""
    if plan.penalty is None:
        return drawn, None, x @ drawn
    centred = lesson.moved[lesson.spoken] - lesson.moved[lesson.spoken].mean(axis=0)
    if plan.noise is None or lesson.sounds is None:
        penalty = plan.penalty * float(np.sum(centred**2)) / y.shape[1]
        weights = drawn_ridge(x, y, drawn, max(penalty, 1e-9))
        return weights, None, x @ weights
    some = thinned(len(x))
    penalty = plan.penalty * float(np.sum(centred[some] ** 2)) / y.shape[1]
    sounds = lesson.sounds[lesson.spoken][some]
    sure = sureness(lesson.moved[lesson.spoken][some])
    return remember(x[some], y[some], sounds, sure, drawn, max(penalty, 1e-9), plan.noise)


def drawn_ridge(x: Float, y: Float, drawn: Float, penalty: float) -> Float:
    """W of least |x W - y|^2 + penalty |W - drawn|^2.

    Args:
        x: (N, D)
        y: (N, E)
        drawn: (D, E) where little data leaves W.
        penalty: above 0.
    """
    regular = x.T.astype(float) @ x + penalty * np.eye(x.shape[1])
    return np.asarray(drawn + np.linalg.solve(regular, x.T @ (y - x @ drawn)), np.float32)
