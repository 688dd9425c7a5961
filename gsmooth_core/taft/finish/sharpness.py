"""Detail: a new mouth as sharp as this clip, band by band.

A picture that is fused from other frames is softer than a frame, by more in one clip and less in
another, and no one generator can know by how much. So some frames of the clip are made with the
expression that they have (`rehearsal`), and the energy of fine detail in them is held against the
truth. What is missing is a gain for each band, the same for the whole clip: a frame that is
sharper than others for a moment stays an exception, and nothing flickers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.taft.finish.blotches import colour_of, lacking
from gsmooth_core.taft.finish.grain import Film
from gsmooth_core.types import Bool, Float

SIGMAS = (1.0, 2.0, 4.0)
"""Deviations in pixels of the Gaussians between which the bands lie, finest first."""

_FEWEST = 3  # frames that tell something; without them a clip is left alone
_USUAL = np.array([0.09, 0.06, 0.035])
_PRIOR = 2.0
"""Logarithm of the gains that clips need in the mean, and how many tried frames they outweigh
whose energies would grow as the squares of gains; they grow by less. Measured on clips."""

_STEPS = 8  # of Gauss and Newton; three are enough
_LARGEST = 1.6  # gain: more would show what is wrong
_SMALLEST = 0.8
_FAINT = 0.3  # squared levels: rounding, a codec's last bits
_MEAN = np.full((1, 3), 1 / 3, np.float32)  # of the channels
_INWARDS = 0.5  # of the rim's width
_SIGNAL = 0.25  # of the true energy that is no grain, at least


@dataclass(frozen=True)
class Somewhere:
    """Other gains in a place of a picture.

    Attributes:
        factors: (B,) what gains are multiplied by.
        weight: (h, w) 0..1 how much of that each pixel gets.
    """

    factors: NDArray[np.floating[Any]]
    weight: Float


@dataclass(frozen=True)
class Trial:
    """A frame that was made with its own expression, beside the truth.

    Attributes:
        pictures: numbers of the pictures that it was made from, its own among them.
        truth: (P, B) squared levels: energy of each band of the frame, in each of P places.
        made: (P, B, 1 + B, 1 + B) the same of what was made, before grain, for any gains
            (`responses`).
        colour: (2, 2, C) energies of bands of Cb and Cr, of the frame and of what was made
            (`blotches.colour_energies`).
        brightness: mean level of the frame under the mask.
        lost: (B,) logarithms of what is left of the amplitudes of its chin in what was made; NaN
            where that is not known.
    """

    pictures: tuple[int, ...]
    truth: NDArray[np.float64]
    made: NDArray[np.float64]
    colour: NDArray[np.float64]
    brightness: float
    lost: NDArray[np.float64] = field(default_factory=lambda: np.full(len(SIGMAS), np.nan))

    def at(self, place: int) -> Trial:
        """What was found in one of the places alone."""
        return replace(self, truth=self.truth[[place]], made=self.made[[place]])


class Sharpness:
    """How much detail new mouths of a clip lack.

    Args:
        trials: frames that were tried.
        levels: how sharp frames that lend are, by their numbers (`even.level`).
    """

    def __init__(
        self, trials: Sequence[Trial], levels: Mapping[int, NDArray[np.float64]] | None = None
    ) -> None:
        self.trials, self.levels = list(trials), dict(levels or {})
        self._grain: dict[int, tuple[Film, Float]] = {}
        self._known: dict[tuple[tuple[int, ...], int], Float] = {}
        self._tints: dict[int, tuple[Film, NDArray[np.float64]]] = {}
        self._colours: dict[tuple[tuple[int, ...], int], NDArray[np.float64]] = {}

    def gains(self, picture: int, nearby: int = 0, film: Film | None = None) -> Float | None:
        """The gain of each band for what is laid on a picture; None where the clip is too short.

        Nothing that the picture itself shows, or one nearby, has a part in it.

        Args:
            picture: its number.
            nearby: pictures before and after it that may not have been looked at either.
            film: the grain that it will get, which is detail, too.

        Returns:
            (P, B) factors in each place that was looked at.
        """
        if len(self.trials) < _FEWEST:
            return None
        taken = self._taken(picture, nearby)
        key = taken, id(film)  # films are kept, so that no other one gets the number
        if key not in self._known:
            grains = [self._grain_on(self.trials[n], film) for n in taken]
            each = (
                gains_of([self.trials[n].at(place) for n in taken], grains)
                for place in range(len(self.trials[0].truth))
            )
            self._known[key] = np.stack(list(each))
        return self._known[key]

    def blotches(
        self, picture: int, nearby: int = 0, film: Film | None = None
    ) -> NDArray[np.float64] | None:
        """(2, C) energies of colour that what is laid on a picture lacks; as `gains` else."""
        taken = self._taken(picture, nearby)
        if len(taken) < _FEWEST:
            return None
        key = taken, id(film)
        if key not in self._colours:
            trials = [self.trials[n] for n in taken]
            truth, made = (np.stack([t.colour[n] for t in trials]) for n in range(2))
            self._colours[key] = lacking(truth, made, self._colour_on(trials, film))
        return self._colours[key]

    def lost(self, picture: int, nearby: int = 0) -> NDArray[np.float64] | None:
        """(B,) logarithms of what is left of a chin's amplitudes when it is made; as `gains` else.

        Before gains, and without grain.
        """
        lost = np.array([self.trials[n].lost for n in self._taken(picture, nearby)])
        known = lost[np.isfinite(lost[:, 0])] if len(lost) else lost
        return np.asarray(np.median(known, 0)) if len(known) >= _FEWEST else None

    def _taken(self, picture: int, nearby: int) -> tuple[int, ...]:
        """The trials that a picture, and those nearby, had no part in."""
        return tuple(
            n
            for n, trial in enumerate(self.trials)
            if min(abs(picture - used) for used in trial.pictures) > nearby
        )

    def _colour_on(self, trials: Sequence[Trial], film: Film | None) -> NDArray[np.float64]:
        """(N, 2, C) energies of colour that grain adds to what was tried."""
        if film is None:
            return np.zeros((len(trials), *trials[0].colour.shape[1:]))
        if id(film) not in self._tints:
            self._tints[id(film)] = film, colour_of(film)
        levels = np.array([film.level(trial.brightness) for trial in trials])
        return self._tints[id(film)][1] * levels[:, None, None] ** 2

    def _grain_on(self, trial: Trial, film: Film | None) -> Float:
        """(B,) energy that grain adds to what was tried."""
        if film is None:
            return np.zeros(len(SIGMAS), np.float32)
        if id(film) not in self._grain:
            self._grain[id(film)] = film, energies_of(film)
        level = film.level(trial.brightness)
        return self._grain[id(film)][1] * np.float32(level**2)


def gains_of(trials: Sequence[Trial], grains: Sequence[Float]) -> Float:
    """The gains that some trials ask for, drawn towards the usual ones the fewer they are.

    Args:
        trials: N of them.
        grains: for each (B,) energy that its grain will add.
    """
    if len(trials) < _FEWEST:
        return _gains(_USUAL)
    made = np.stack([trial.made for trial in trials])
    wanted = np.stack([_wanted(*pair) for pair in zip(trials, grains, strict=True)])
    found = _USUAL
    for _ in range(_STEPS):
        energy, slope = _with_gains(made, found)
        # A frame that is smeared by movement, or shows teeth that no other one does, tells little.
        missing = np.sort((wanted - np.log(energy + _FAINT)).mean(1) / 2, 0)[1:-1].mean(0)
        gained = (slope / (energy + _FAINT)[..., None]).mean((0, 1)) / 2
        pull = len(trials) * gained.T @ missing + _PRIOR * (_USUAL - found)
        stiff = len(trials) * gained.T @ gained + _PRIOR * np.eye(len(SIGMAS))
        found = found + np.linalg.solve(stiff, pull)
        found = found.clip(np.log(_SMALLEST), np.log(_LARGEST))
    return _gains(found)


def _gains(logarithms: NDArray[np.float64]) -> Float:
    gains: Float = np.exp(logarithms).astype(np.float32)
    return gains


def _wanted(trial: Trial, grain: Float) -> NDArray[np.float64]:
    """(P, B) logarithm of the energies that would be right without grain."""
    left = np.maximum(trial.truth - grain, _SIGNAL * trial.truth)
    wanted: NDArray[np.float64] = np.log(left + _FAINT)
    return wanted


def _with_gains(
    made: NDArray[np.float64], logarithms: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Energies (..., B) of `responses` with gains (B,), and (..., B, B) how they grow with each."""
    gains = np.exp(logarithms)
    parts = np.concatenate([[1.0], gains - 1])
    half = made @ parts
    return np.maximum(half @ parts, 0), 2 * half[..., 1:] * gains


def grey_of(picture: Float) -> Float:
    """(h, w) mean of a picture's (h, w, 3) colours."""
    return np.asarray(cv2.transform(picture, _MEAN), np.float32)


def sharpened(
    picture: Float,
    parts: Sequence[Float],
    gains: Float,
    weight: Float | None = None,
    others: Sequence[Somewhere] = (),
) -> Float:
    """A picture (h, w, 3) in levels with a gain for each band; its colours stay.

    Args:
        picture: what is given detail.
        parts: the `bands` of its `grey_of`.
        gains: (B,) factors.
        weight: (h, w) 0..1 how much of it each pixel gets; all by default.
        others: where gains are others.
    """
    more = _mixed(parts, gains - 1)
    for there in others:
        cv2.accumulateProduct(_mixed(parts, gains * (there.factors - 1)), there.weight, more)
    if weight is not None:
        more *= weight
    return np.asarray(cv2.add(picture, cv2.merge([more] * 3)), np.float32)


def _mixed(parts: Sequence[Float], amounts: NDArray[Any]) -> Float:
    mixed = np.zeros_like(parts[0])
    for part, amount in zip(parts, amounts.tolist(), strict=True):
        if amount:
            cv2.scaleAdd(part, amount, mixed, dst=mixed)
    return mixed


def inwards(hidden: Bool, rim: float) -> Float:
    """(h, w) weight that rises from the outline of a mask (h, w) inwards, so that no edge grows.

    Args:
        hidden: the mask.
        rim: width in pixels of its soft rim, outside; half as far inside all is reached.
    """
    distance = cv2.distanceTransform(hidden.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    weight: Float = np.clip(distance / np.float32(max(rim * _INWARDS, 1e-3)), 0, 1)
    return weight


def energies(grey: Float, places: Sequence[Bool]) -> NDArray[np.float64]:
    """(P, B) mean squares of the bands of a grey picture (h, w) in places of it."""
    squares = [part.astype(np.float64) ** 2 for part in bands(grey)]
    return np.array([[float(square[place].mean()) for square in squares] for place in places])


def responses(
    grey: Float, places: Sequence[Bool], weight: Float | None = None
) -> NDArray[np.float64]:
    """What becomes of the energies of a grey picture (h, w) whose bands are given gains.

    Bands overlap, and most of what a fine one holds lies where its filter lets little through: a
    gain of 1.1 makes its energy 1.1 times as large, not 1.2, and that of the next one, too.

    Args:
        grey: the picture.
        places: P of it.
        weight: (h, w) 0..1 how much of a gain each pixel gets.

    Returns:
        (P, B, 1 + B, 1 + B) mean products, in each band, of the picture and of each of its bands:
        with gains g the energy is v R v, where v is (1, g - 1).
    """
    parts = bands(grey)
    given = parts if weight is None else [part * weight for part in parts]
    found = zip(parts, *(bands(part) for part in given), strict=True)
    rows = [np.stack(each).astype(np.float64) for each in found]
    return np.stack([[_products(row[:, place]) for row in rows] for place in places])


def _products(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    products: NDArray[np.float64] = rows @ rows.T / rows.shape[1]
    return products


def energies_of(film: Film) -> Float:
    """(B,) mean squares of the bands of a film's grain, where its level is 1."""
    grey = film.tile.mean(-1, dtype=np.float32)
    found: Float = energies(grey, [np.ones(grey.shape, bool)])[0].astype(np.float32)
    return found


def bands(grey: Float) -> list[Float]:
    """Differences of Gaussians of a picture (h, w), finest first.

    They are not thinned out as a pyramid's, so that they do not depend on where it begins.
    """
    before, parts = grey, list[Float]()
    for finer, sigma in pairwise((0.0, *SIGMAS)):
        step = float(np.sqrt(sigma**2 - finer**2))
        after = np.asarray(cv2.GaussianBlur(before, (0, 0), step), np.float32)
        parts.append(before - after)
        before = after
    return parts
