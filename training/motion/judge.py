"""How well a classifier tells movements from true ones of people it has not met."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.stats import rankdata

from gsmooth_core.types import Bool, Float

RIDGE = 0.1
ROUNDS = 16  # ways to part stretches into folds
FOLDS = 4
MOST = 350  # windows


def area(scores: Float, true: Bool) -> float:
    """Area under the ROC curve: how often a true one has the higher score; .5 is by chance."""
    ranks, count = rankdata(scores), int(true.sum())
    others = len(true) - count
    return float((ranks[true].sum() - count * (count + 1) / 2) / (count * others))


def logistic(x: Float, true: Bool) -> Float:
    """(F + 1,) weights of a ridge logistic regression in which both classes count alike."""
    design = np.append(x, np.ones((len(x), 1)), axis=1).astype(np.float64)
    sign = np.where(true, 1.0, -1.0)
    share = np.where(true, 0.5 / true.sum(), 0.5 / (~true).sum())
    penalty = np.append(np.full(x.shape[1], RIDGE), 0.0)

    def cost(weights: Float) -> tuple[float, Float]:
        margin = sign * (design @ weights)
        loss = share @ np.logaddexp(0, -margin) + penalty @ weights**2 / 2
        slope = -(design.T @ (share * sign / (1 + np.exp(margin)))) + penalty * weights
        return float(loss), np.asarray(slope)

    return np.asarray(minimize(cost, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x)


def told_apart(true: Sequence[Float], other: Sequence[Float]) -> float:
    """Area under the ROC curve of a classifier on true people that it has not met.

    Args:
        true: (W, F) features of the windows of each person.
        other: the same of each stretch of what is to be told from them; `MOST` windows of it at a
            time, since a classifier that has seen more knows more.

    Returns:
        the mean over the people left out, by their windows, and over ways to part; .5 means alike.
    """
    random, found = np.random.default_rng(0), []
    people = np.arange(len(true))
    weights = [len(person) for person in true]
    for _ in range(ROUNDS):
        drawn = _drawn(other, random)
        fold = np.arange(len(drawn)) % FOLDS
        areas = [_fold(true, people == n, drawn, fold == n % FOLDS) for n in people]
        found.append(float(np.average(areas, weights=weights)))
    return float(np.mean(found))


def _drawn(groups: Sequence[Float], random: np.random.Generator) -> list[Float]:
    """Groups in a random order, as many as have `MOST` windows."""
    order = random.permutation(len(groups))
    before = np.cumsum([0, *(len(groups[n]) for n in order)])
    return [groups[n] for n, count in zip(order, before, strict=False) if count < MOST]


def _fold(true: Sequence[Float], out_true: Bool, other: Sequence[Float], out_other: Bool) -> float:
    """Area on the groups that are left out."""
    (a, b), (c, d) = _parted(true, out_true), _parted(other, out_other)
    known = np.concatenate([a, c])
    mean, spread = known.mean(axis=0), known.std(axis=0) + 1e-6

    def seen(x: Float) -> Float:
        unit = (x - mean) / spread
        return np.asarray(np.clip(np.concatenate([unit, unit**2 - 1], axis=1), -6, 6))

    weights = logistic(seen(known), np.arange(len(known)) < len(a))
    tested = seen(np.concatenate([b, d]))
    return area(tested @ weights[:-1], np.arange(len(tested)) < len(b))


def _parted(groups: Sequence[Float], out: Bool) -> tuple[Float, Float]:
    kept = [group for group, left in zip(groups, out, strict=True) if not left]
    away = [group for group, left in zip(groups, out, strict=True) if left]
    return np.concatenate(kept), np.concatenate(away)


def frechet(a: Float, b: Float) -> float:
    """Frechet distance of two sets (W, F) of features, as normal distributions."""
    mean = float(np.square(a.mean(axis=0) - b.mean(axis=0)).sum())
    first, second = np.cov(a.T), np.cov(b.T)
    values = np.linalg.eigvals(first @ second).real
    mixed = float(np.sqrt(np.maximum(values, 0)).sum())
    return mean + float(np.trace(first) + np.trace(second)) - 2 * mixed
