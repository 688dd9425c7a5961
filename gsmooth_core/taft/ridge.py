"""Ridge regression that keeps no more than stretches of frames bear out that it has not seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.types import Bool, Float

Rows = NDArray[np.int64]


def ridge(x: Float, y: Float, penalty: float) -> Float:
    """(F, D) coefficients of y (N, D) on x (N, F) with a penalty on their squares."""
    gram = x.T.astype(np.float64) @ x + penalty * np.eye(x.shape[1])
    solved: Float = np.linalg.solve(gram, x.T @ y).astype(np.float32)
    return solved


def proven_ridge(
    x: Float,
    y: Float,
    penalties: Sequence[float],
    frames: Rows,
    folds: int,
    clear: float,
    judged: Bool | None = None,
) -> Float | None:
    """Coefficients under the penalty that serves unseen frames best; None where none does.

    Stretches of frames take turns at being held back. A penalty serves by the mean over them of
    the error's change in decibels, less the standard error of that mean.

    Args:
        x: (N, F) of N frames.
        y: (N, D) what is to be explained.
        penalties: that are tried.
        frames: (N,) frame numbers, ascending.
        folds: number of stretches.
        clear: frames between a stretch and what is learned from.
        judged: (D,) what the penalties are judged by; by default all.
    """
    by = y if judged is None else y[:, judged]
    gains = [_gain(x, by, penalty, frames, folds, clear) for penalty in penalties]
    best = int(np.argmax(gains))
    return ridge(x, y, penalties[best]) if gains[best] > 0 else None


def _gain(x: Float, y: Float, penalty: float, frames: Rows, folds: int, clear: float) -> float:
    gains = []
    for held, taught in _stretches(frames, folds, clear):
        missing = y[held] - x[held] @ ridge(x[taught], y[taught], penalty)
        gains.append(-np.mean(_decibels(missing) - _decibels(y[held])))
    if len(gains) < folds:
        return 0.0
    return float(np.mean(gains) - np.std(gains, ddof=1) / np.sqrt(folds))


def _stretches(frames: Rows, folds: int, clear: float) -> Iterator[tuple[Rows, Bool]]:
    """What is held back and what may be learned from, where there is enough of both."""
    for held in np.array_split(np.arange(len(frames)), folds):
        if len(held):
            first, last = frames[held[0]] - clear, frames[held[-1]] + clear
            taught = (frames < first) | (frames > last)
            if taught.any():
                yield held, taught


def _decibels(error: Float) -> NDArray[Any]:
    """(N,) of the rows' mean squares."""
    decibels: NDArray[Any] = 10 * np.log10((error.astype(np.float64) ** 2).mean(1) + 1e-12)
    return decibels
