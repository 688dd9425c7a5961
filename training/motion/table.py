"""One table of true and made head movements, all filtered alike.

The true ones of the validation people are the measure; those of the training people are how near
other true people come. Made ones are made for the speech of the validation clips.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gsmooth_core.face.mouth import correlation
from gsmooth_core.motion.curves import FPS
from gsmooth_core.motion.library import MotionLibrary
from gsmooth_core.motion.stitch import MotionSettings, stitched
from gsmooth_core.types import Float
from training.motion.collect import collect
from training.motion.data import Moving
from training.motion.judge import frechet, told_apart
from training.motion.windows import features, filtered, windows

SEEDS = 10
DRAWS = 5
"""Of so many seeds for each speech: the AUC of one is .02 off, often."""
SHIFTS = (0.2, 0.35, 0.5, 0.65, 0.8)
"""Shares of its length by which a sound is turned round that shall no longer belong."""
STRETCH = 500  # frames; of what a classifier has met other parts

Maker = Callable[[Float, int], Float]
"""(T,) energy and a seed -> (T, 6) movement at 25 frames a second."""


@dataclass(frozen=True)
class Take:
    """A movement that is judged.

    Attributes:
        person: who moves, or whose speech it was made for.
        speech: number of that speech; movements for one are compared with each other, and true
            ones (0) with all.
        turn: (T, 3) filtered, degrees.
        energy: (T,) of the speech.
    """

    person: str
    speech: int
    turn: Float
    energy: Float


@dataclass(frozen=True)
class Row:
    """Figures of one kind of movement.

    Attributes:
        deviation: (3,) of pitch, yaw, roll within windows, degrees.
        speed: mean, degrees a second.
        distance: Frechet distance to the test movements.
        diversity: mean distance of two movements (for one speech, where made), degrees.
        heard: correlation of speed with energy, less that with a shifted sound.
        areas: of the classifier against the test movements, one for each draw; .5 is alike. Of
            the test movements themselves it says nothing.
    """

    deviation: tuple[float, ...]
    speed: float
    distance: float
    diversity: float
    heard: float
    areas: tuple[float, ...]

    @property
    def area(self) -> float:
        """Mean over the draws."""
        return float(np.mean(self.areas))


def measured(
    taught: Sequence[Moving],
    judged: Sequence[Moving],
    others: Mapping[str, Maker] | None = None,
    draws: int = 1,
) -> dict[str, Row]:
    """Rows by name.

    Args:
        taught: the training people; the stitched movements are theirs.
        judged: the validation people.
        others: further ways to make movements.
        draws: how often made ones are made, with other seeds; their figures are means.
    """
    library = collect(taught)
    test = [_true(piece) for piece in judged]
    rows = {"real test": row(test, test), "real training": row([_true(p) for p in taught], test)}
    makers = {"stitch": stitch_maker(library), **(others or {})}
    for name, maker in makers.items():
        rows[name] = mean_row([row(made(maker, judged, draw), test) for draw in range(draws)])
    return rows


def stitch_maker(library: MotionLibrary) -> Maker:
    """Stitches, the style left to the seed."""

    def make(energy: Float, seed: int) -> Float:
        motion = stitched(energy, FPS, MotionSettings(seed=seed), library)
        return np.concatenate([motion.turn, motion.shift], axis=1)

    return make


def made(maker: Maker, judged: Sequence[Moving], draw: int = 0) -> list[Take]:
    """`SEEDS` movements for each speech, each of another seed; of another draw all others."""
    takes = []
    for number, piece in enumerate(judged):
        first = 1000 * draw + SEEDS * number
        for seed in range(first, first + SEEDS):
            turn = filtered(maker(piece.energy, seed))
            takes.append(Take(piece.sample.speaker, number, turn, piece.energy))
    return takes


def _true(piece: Moving) -> Take:
    return Take(piece.sample.speaker, 0, filtered(piece.motion), piece.energy)


def row(takes: Sequence[Take], test: Sequence[Take]) -> Row:
    """Figures of some movements beside the test ones.

    The classifier never meets the test people it is asked about. What is held against them is
    parted in stretches, so that it may have met its people (or pieces): no less if they are true.
    """
    people: dict[str, list[Float]] = defaultdict(list)
    for take in test:
        people[take.person].append(windows(take.turn))
    true = [features(np.concatenate(cuts)) for cuts in people.values()]
    other = [cut for take in takes for cut in _stretches(take.turn) if len(cut)]
    spread, all_cuts = np.concatenate(true).std(axis=0) + 1e-6, np.concatenate(other)
    seen = [features(cut) / spread for cut in other]
    return Row(
        tuple(float(s) for s in all_cuts.std(axis=1).mean(axis=0)),
        float(np.linalg.norm(np.diff(all_cuts, axis=1), axis=2).mean() * float(FPS)),
        frechet(np.concatenate(seen), np.concatenate(true) / spread),
        diversity(takes),
        float(np.average([heard(t) for t in takes], weights=[len(t.turn) for t in takes])),
        (told_apart([x / spread for x in true], seen),),
    )


def mean_row(rows: Sequence[Row]) -> Row:
    """One row of several draws: means, and the AUC of each."""
    figures = np.mean([(r.speed, r.distance, r.diversity, r.heard) for r in rows], axis=0)
    speed, distance, apart, heard_of = map(float, figures)
    deviation = tuple(float(s) for s in np.mean([r.deviation for r in rows], axis=0))
    areas = tuple(area for r in rows for area in r.areas)
    return Row(deviation, speed, distance, apart, heard_of, areas)


def _stretches(turn: Float) -> list[Float]:
    """Windows of the parts of (T, 3)."""
    return [windows(turn[at : at + STRETCH]) for at in range(0, len(turn), STRETCH)]


def diversity(takes: Sequence[Take]) -> float:
    """Mean distance (degrees, a frame) of two movements of one length; see `Row`."""
    groups: dict[int, list[Float]] = defaultdict(list)
    for take in takes:
        groups[take.speech].append(take.turn)
    found = [
        float(np.linalg.norm(a[: len(b)] - b[: len(a)], axis=1).mean())
        for turns in groups.values()
        for n, a in enumerate(turns)
        for b in turns[:n]
    ]
    return float(np.mean(found)) if found else 0.0


def heard(take: Take) -> float:
    """Correlation of the head's speed with the energy, less the mean of that with shifted sound."""
    speed = np.linalg.norm(np.diff(take.turn, axis=0), axis=1)
    energy = take.energy[1 : len(speed) + 1]
    shifted = [np.roll(energy, round(share * len(energy))) for share in SHIFTS]
    return correlation(speed, energy) - float(np.mean([correlation(speed, e) for e in shifted]))


def text(rows: Mapping[str, Row]) -> str:
    """The rows as a Markdown table."""
    head = "| | std pitch/yaw/roll | speed, degrees/s | Frechet | diversity | heard | AUC |"
    lines = [head, "|" + "---|" * 7]
    for name, r in rows.items():
        deviation = "/".join(f"{s:.1f}" for s in r.deviation)
        figures = f"{r.speed:.1f} | {r.distance:.1f} | {r.diversity:.1f} | {r.heard:+.3f}"
        told = f"{r.area:.3f}"
        if len(r.areas) > 1:
            told += f" ({min(r.areas):.3f}-{max(r.areas):.3f})"
        lines.append(f"| {name} | {deviation} | {figures} | {told} |")
    return "\n".join(lines)
