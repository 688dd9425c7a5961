"""Head movements for a speech: pieces of true ones, chosen to fit it and joined smoothly.

One piece after another is drawn. A candidate is the better the less it jumps from where the head
is and how it moves, the more its own speech is as loud as the new one, and the more its clip
moves in the wanted manner; what was used lately counts less. The draw is random among the good.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d
from scipy.special import log_ndtr

from gsmooth_core.motion.blink import RATE, blinks
from gsmooth_core.motion.curves import FPS, at_rest, count_for, resampled
from gsmooth_core.motion.energy import phrase_ends
from gsmooth_core.motion.head import HeadMotion, scaled
from gsmooth_core.motion.library import MotionLibrary, motion_library
from gsmooth_core.types import Float, Int


@dataclass(frozen=True)
class MotionSettings:
    """How a head moves.

    Attributes:
        seed: another seed moves otherwise.
        style: the manner of which clip of the library, from 0 (calm) on; larger numbers begin
            again at 0. None leaves the choice to the seed.
        amount: 0 rests, 1 moves as people do.
        rate: blinks a minute; 0 for none.
        brows: 0 rests, 1 moves brows as people do.
    """

    seed: int = 0
    style: int | None = None
    amount: float = 1.0
    rate: float = RATE
    brows: float = 1.0


PIECES = (40, 100)
"""Frames of the shortest and the longest piece."""
JOIN = 14  # frames in which one piece gives way to the next
CALM = 0.4  # share of the movement that is left in silence
SPOKEN = 0.5  # energy from which on nothing is taken away
REACH = 20  # frames to both sides of speech in which it is no silence

_GOLDEN = (5**0.5 - 1) / 2  # multiples of it fall evenly between 0 and 1, however many are taken

_STRIDE = 3  # frames between two candidates
_EVEN = 2.0  # frames, sigma, over which loudness is compared
_JUMP = np.deg2rad(4.0)  # radians (and decimetres, tenfold) of a jump that costs 1
_TURN = np.deg2rad(0.8)  # radians a frame of a change of speed that costs 1
_START = 0.5  # share of it that counts at the beginning, where `at_rest` takes a jump away
_LOUD, _BEAT, _MANNER, _AGAIN = 4.0, 2.0, 3.0, 3.0
"""Costs of another loudness, of a speed that has nothing to do with the loudness, of another manner
(by one deviation), and of being used again."""
_LATELY = 500  # frames of the result in which a piece is remembered
_CHANCE = 0.6  # temperature of the draw
_PARTS, _WAYS = 8, 8  # of a piece; in which it is listened to
_OTHERS = 25.0  # radians: luck is another where the loudness of parts is another


def stitched(
    energy: Float, fps: Fraction, settings: MotionSettings, library: MotionLibrary | None = None
) -> HeadMotion:
    """Movements of head and brows, and blinks, for a speech.

    Args:
        energy: (T,) of `speech_energy`.
        fps: its rate, and that of the result.
        settings: seed, style and amount.
        library: to take movements from; None for GSmooth's own.

    Returns:
        T frames that begin and end at rest.

    Raises:
        ModelError: GSmooth's own library is missing or damaged.
    """
    count = len(energy)
    wanted = np.clip(resampled(energy, fps, count_for(count, fps), FPS), 0, 1)
    motion = chained(library or motion_library(), wanted, settings) * _liveliness(wanted)[:, None]
    whole = at_rest(resampled(motion, FPS, count, fps), fps)
    moved, brow = scaled(whole[:, :6], settings.amount), settings.brows * whole[:, 6]
    blink = blinks(count, fps, settings.seed, settings.rate, phrase_ends(energy, fps))
    return HeadMotion(moved[:, :3], moved[:, 3:], blink, fps, brow=brow)


def chained(library: MotionLibrary, wanted: Float, settings: MotionSettings) -> Float:
    """(N, 7) joined pieces for the loudness `wanted` (N,), both at 25 frames a second."""
    random = np.random.default_rng([settings.seed, 0])
    style = _style(settings.seed, library.clips) if settings.style is None else settings.style
    chooser = _Chooser(library, style % library.clips, random)
    even = gaussian_filter1d(wanted, _EVEN)
    moves = library.moves
    made = np.zeros((len(wanted) + PIECES[1] + JOIN, moves.shape[1]), np.float32)
    at, now = 0, None
    while at < len(wanted):
        length = int(random.integers(*PIECES, endpoint=True))
        first = chooser.choose(even[at : at + length], now)
        piece = moves[first : min(first + length, chooser.last[first]) + JOIN]
        share = _rising(len(piece)) if now is not None else np.ones((len(piece), 1))
        made[at : at + len(piece)] *= 1 - share
        made[at : at + len(piece)] += share * piece
        at, now = at + len(piece) - JOIN, first + len(piece) - JOIN
    mirrored = np.array([1, -1, -1, -1, 1, 1, 1]) if random.random() < 0.5 else np.ones(7)
    return np.asarray(made[: len(wanted)] * mirrored, np.float32)


def _style(seed: int, count: int) -> int:
    """One of some styles; seeds in a row have styles far apart, all alike often, 0 a middle one."""
    return int(count * ((0.5 + seed * _GOLDEN) % 1))


def _rising(length: int) -> Float:
    """(L, 1) 0 to 1 over the frames of a join, then 1."""
    x = np.clip((np.arange(length) + 0.5) / JOIN, 0, 1)
    return np.asarray((x * x * (3 - 2 * x))[:, None], np.float32)


def _liveliness(wanted: Float) -> Float:
    """(N,) `CALM` in silence to 1 in speech, without haste."""
    spoken = maximum_filter1d(np.clip(wanted / SPOKEN, 0, 1), 2 * REACH + 1)
    return np.asarray(CALM + (1 - CALM) * gaussian_filter1d(spoken, REACH / 2), np.float32)


class _Chooser:
    """Draws pieces of a library.

    Args:
        library: what there is.
        style: number of the clip whose manner is wanted.
        random: decides.
    """

    def __init__(self, library: MotionLibrary, style: int, random: np.random.Generator) -> None:
        self.library, self.random = library, random
        clip = library.clip_of()
        self.last = library.begin[1:][clip] - JOIN  # of each frame's clip
        self.frames = np.arange(0, len(clip), _STRIDE)
        manners = library.manners()
        away = (manners - manners[style]) / (manners.std(axis=0) + 1e-6)
        self.manner = _MANNER * np.linalg.norm(away, axis=1)[clip]
        self.even = gaussian_filter1d(library.energy, _EVEN)
        speed = np.gradient(library.motion[:, :3], axis=0)
        self.pace = gaussian_filter1d(np.linalg.norm(speed, axis=1), _EVEN)
        self.place = library.motion * (1, 1, 1, 0.1, 0.1, 0.1) / _JUMP
        self.speed = speed / _TURN
        self.used = np.full(len(clip), -np.inf)
        self.drawn = 0

    def choose(self, wanted: Float, now: int | None) -> int:
        """First frame of the next piece.

        Args:
            wanted: (L,) loudness over the piece.
            now: frame of the library that the last piece has come to; None at the beginning,
                where the head should be at rest.
        """
        starts = self._long_enough(len(wanted))
        cost = self.manner[starts] + self._jump(starts, now) + self._loudness(starts, wanted)
        cost = cost + _AGAIN * (self.drawn - self.used[starts] < _LATELY)
        first = int(starts[np.argmax(self._luck(len(starts), wanted) - cost / _CHANCE)])
        self.drawn += len(wanted)
        self.used[max(0, first - len(wanted)) : first + len(wanted)] = self.drawn
        return first

    def _luck(self, count: int, wanted: Float) -> Float:
        """(N,) drawn from Gumbel's distribution: of another speech others, of a like one like ones.

        Else a seed would have the same pieces win for whatever is said. Random features (Rahimi
        and Recht, NIPS 2007) of a Gaussian process over speeches: of one way to listen a tenth of
        all pairs of speeches would sound alike.
        """
        place = np.round(np.linspace(0, _PARTS - 1, len(wanted))).astype(int)
        loud = np.bincount(place, wanted, _PARTS) / len(wanted)
        angle = _OTHERS * self.random.normal(size=(_WAYS, _PARTS)) @ loud
        one, other = self.random.normal(size=(2, _WAYS, count)) / np.sqrt(_WAYS)
        return np.asarray(-np.log(-log_ndtr(np.cos(angle) @ one + np.sin(angle) @ other)))

    def _long_enough(self, length: int) -> Int:
        """Frames from which a piece has room in its clip; the roomiest where it has in none."""
        room = (self.last - np.arange(len(self.last)))[self.frames]
        fit = self.frames[room >= min(length, int(room.max()))]
        return np.asarray(fit, np.int32)

    def _jump(self, starts: Int, now: int | None) -> Float:
        place = self.place[now] if now is not None else np.zeros(6)
        speed = self.speed[now] if now is not None else np.zeros(3)
        apart = np.linalg.norm(self.place[starts] - place, axis=1)
        turned = np.linalg.norm(self.speed[starts] - speed, axis=1)
        return np.asarray((apart + turned) * (_START if now is None else 1), np.float32)

    def _loudness(self, starts: Int, wanted: Float) -> Float:
        places = np.minimum(starts[:, None] + np.arange(len(wanted)), len(self.even) - 1)
        apart = np.abs(self.even[places] - wanted).mean(axis=1)
        together = _unit(self.pace[places]) @ _unit(wanted[None])[0]
        return np.asarray(_LOUD * apart + _BEAT * (1 - together), np.float32)


def _unit(curves: Float) -> Float:
    """(N, L) curves around 0 at length 1."""
    moved = curves - curves.mean(axis=1, keepdims=True)
    return np.asarray(moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-6))
