"""Ridge regression that keeps only what held-out stretches of frames bear out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.types import Bool, Float

Indices = NDArray[np.int64]


def ridge(x: Float, y: Float, penalty: float) -> Float:
    """(F, D) coefficients of y (N, D) on x (N, F) with a penalty on their squares."""
    gram = x.T.astype(np.float64) @ x + penalty * np.eye(x.shape[1])
    solved: Float = np.linalg.solve(gram, x.T @ y).astype(np.float32)
    return solved


def proven_ridge(
    x: Float,
    y: Float,
    penalties: Sequence[float],
    frames: Indices,
    folds: int,
    clear: float,
    judged: Bool | None = None,
) -> Float | None:
    """Ridge regression under the penalty that cross-validation proves best.

    Stretches of frames are held out in turn. A penalty's score is the mean improvement over them
    in decibels, less the standard error of that mean.

    Args:
        x: (N, F) regressors of N frames.
        y: (N, D) responses.
        penalties: the candidates.
        frames: (N,) frame numbers, ascending.
        folds: number of stretches.
        clear: number of frames left out on either side of a held-out stretch.
        judged: (D,) responses that the score is taken over; all by default.

    Returns:
        (F, D) coefficients; None where no penalty improves on predicting nothing.
    """
    by = y if judged is None else y[:, judged]
    gains = [_gain(x, by, penalty, frames, folds, clear) for penalty in penalties]
    best = int(np.argmax(gains))
    return ridge(x, y, penalties[best]) if gains[best] > 0 else None


def _gain(x: Float, y: Float, penalty: float, frames: Indices, folds: int, clear: float) -> float:
    gains = []
    for held, taught in _stretches(frames, folds, clear):
        missing = y[held] - x[held] @ ridge(x[taught], y[taught], penalty)
        gains.append(-np.mean(_decibels(missing) - _decibels(y[held])))
    if len(gains) < folds:
        return 0.0
    return float(np.mean(gains) - np.std(gains, ddof=1) / np.sqrt(folds))


def _stretches(frames: Indices, folds: int, clear: float) -> Iterator[tuple[Indices, Bool]]:
    """Held-out places and the frames to train on, for each stretch that leaves any."""
    for held in np.array_split(np.arange(len(frames)), folds):
        if len(held):
            first, last = frames[held[0]] - clear, frames[held[-1]] + clear
            taught = (frames < first) | (frames > last)
            if taught.any():
                yield held, taught


def _decibels(error: Float) -> NDArray[Any]:
    """(N,) mean square of each frame's errors (N, D), in decibels."""
    decibels: NDArray[Any] = 10 * np.log10((error.astype(np.float64) ** 2).mean(1) + 1e-12)
    return decibels
