"""Least squares over time: one small system a frame, joined by a penalty on acceleration.

Minimises 1/2 d'Hd + g'd + 1/2 sum_t |W (x + d)''_t|^2, where H is block diagonal (one block per
frame) and '' is the second difference within a shot. A second difference neither lags nor
slows steady motion. Solved by conjugate gradients, preconditioned with the blocks.

scipy.linalg.solveh_banded solves the same system. It was measured to take about as long (.43 s of
processor time against .55 s for a window of 560 frames), and since it does not stop early as the
conjugate gradients do, every track would change: it can replace them when tracks may.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.types import Bool, Int

Real = NDArray[np.float64]

_ITERATIONS, _TOLERANCE = 40, 1e-4  # stop when the error has fallen to this share


def join_mask(shot: Int, present: Bool) -> Real:
    """(T-2,) 1 where three frames in a row belong together, else 0."""
    if len(shot) < 3:
        return np.zeros(0)
    together = (shot[:-2] == shot[2:]) & present[:-2] & present[1:-1] & present[2:]
    return np.asarray(together, np.float64)


def acceleration(x: Real) -> Real:
    """(T-2, P) second difference of x (T, P)."""
    second: Real = x[:-2] - 2 * x[1:-1] + x[2:]
    return second


def solve(hessian: Real, gradient: Real, x: Real, stiffness: Real, mask: Real) -> Real:
    """The step d that minimises the function above.

    Args:
        hessian: (T, P, P) blocks of H, positive definite.
        gradient: (T, P) g.
        x: (T, P) parameters before the step.
        stiffness: (P,) squared weights W of the acceleration.
        mask: (T-2,) from `join_mask`.

    Returns:
        (T, P) d.
    """
    inverse = np.linalg.inv(hessian + _diagonal(mask, len(x), stiffness))
    right = -gradient - _stiff(x, stiffness, mask)
    step = np.zeros_like(right)
    residual = right
    ahead = _apply(inverse, residual)
    direction = ahead
    energy = start = float((residual * ahead).sum())
    for _ in range(_ITERATIONS):
        if energy <= _TOLERANCE**2 * start or energy == 0:
            break
        image = _apply(hessian, direction) + _stiff(direction, stiffness, mask)
        length = energy / float((direction * image).sum())
        step = step + length * direction
        residual = residual - length * image
        ahead = _apply(inverse, residual)
        previous, energy = energy, float((residual * ahead).sum())
        direction = ahead + (energy / previous) * direction
    return step


def calming(x: Real, firmness: Real, numbers: Int, stiffness: Real) -> Real:
    """The step by which single measurements become a steady movement.

    Args:
        x: (K, P) what was measured.
        firmness: (K, P, P) how sure each is: its inverse covariance.
        numbers: (K,) ascending numbers of their frames; a gap parts them.
        stiffness: (P,) as in `solve`.

    Returns:
        (K, P) step.
    """
    runs = np.cumsum(np.diff(numbers, prepend=numbers[0]) > 1, dtype=np.int32)
    mask = join_mask(runs, np.ones(len(x), bool))
    return solve(firmness, np.zeros_like(x), x, stiffness, mask)


def _apply(blocks: Real, x: Real) -> Real:
    return np.asarray((blocks @ x[..., None])[..., 0], np.float64)


def _stiff(x: Real, stiffness: Real, mask: Real) -> Real:
    """Gradient of the acceleration penalty at x (T, P)."""
    out = np.zeros_like(x)
    if len(mask):
        pull = acceleration(x) * mask[:, None] * stiffness
        out[:-2] += pull
        out[1:-1] -= 2 * pull
        out[2:] += pull
    return out


def _diagonal(mask: Real, frames: int, stiffness: Real) -> Real:
    """(T, P, P) the penalty's own blocks, for the preconditioner."""
    count = np.zeros(frames)
    if len(mask):
        count[:-2] += mask
        count[1:-1] += 4 * mask
        count[2:] += mask
    return count[:, None, None] * np.diag(stiffness)
