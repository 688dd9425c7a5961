"""The joined systems against a dense solution, and what the penalty does to motion."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.tracking.fitting import temporal

RNG = np.random.default_rng(2)


def _system(frames: int, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    root = RNG.normal(size=(frames, size, size))
    hessian = root @ root.transpose(0, 2, 1) + 0.5 * np.eye(size)
    return hessian, RNG.normal(size=(frames, size)), RNG.normal(size=(frames, size))


def _dense(
    hessian: np.ndarray,
    gradient: np.ndarray,
    x: np.ndarray,
    stiffness: np.ndarray,
    mask: np.ndarray,
) -> np.ndarray:
    frames, size = x.shape
    difference = np.zeros((frames - 2, frames))
    for t in range(frames - 2):
        difference[t, t : t + 3] = (1, -2, 1)
    penalty = np.kron(difference.T @ np.diag(mask) @ difference, np.diag(stiffness))
    whole = penalty.copy()
    for t in range(frames):
        rows = slice(t * size, (t + 1) * size)
        whole[rows, rows] += hessian[t]
    right = -gradient.ravel() - penalty @ x.ravel()
    return np.linalg.solve(whole, right).reshape(frames, size)


@pytest.mark.parametrize("strength", [0.0, 0.3, 30.0])
def test_step_is_that_of_the_dense_system(strength: float) -> None:
    hessian, gradient, x = _system(12, 4)
    stiffness = strength * np.array([1, 0.5, 2, 0.1])
    shot = np.array([0] * 7 + [1] * 5)
    mask = temporal.join_mask(shot, np.ones(12, bool))
    step = temporal.solve(hessian, gradient, x, stiffness, mask)
    expected = _dense(hessian, gradient, x, stiffness, mask)
    np.testing.assert_allclose(step, expected, atol=5e-3 * np.abs(expected).max())


def test_mask_breaks_at_cuts_and_missing_faces() -> None:
    shot = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    present = np.array([1, 1, 1, 1, 1, 0, 1, 1], bool)
    assert temporal.join_mask(shot, present).tolist() == [1, 1, 0, 0, 0, 0]
    assert temporal.join_mask(shot[:2], present[:2]).shape == (0,)


def test_steady_motion_is_neither_slowed_nor_late() -> None:
    t = np.arange(30.0)
    line = np.stack([2 * t, 5 - t], 1)
    hessian = np.tile(np.eye(2), (30, 1, 1))
    step = temporal.solve(hessian, np.zeros((30, 2)), line, np.full(2, 1e3), np.ones(28))
    np.testing.assert_allclose(step, 0, atol=1e-9)


def test_measurements_beside_a_gap_are_calmed_apart() -> None:
    rng = np.random.default_rng(5)
    x, stiffness = rng.normal(size=(12, 2)), np.array([2.0, 8.0])
    firm = np.array([np.diag(d) for d in rng.uniform(1, 4, (12, 2))])
    numbers = np.array([3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16])
    step = temporal.calming(x, firm, numbers, stiffness)
    for part in (slice(0, 5), slice(5, 12)):
        alone = temporal.calming(x[part], firm[part], numbers[part], stiffness)
        np.testing.assert_allclose(step[part], alone, atol=5e-3 * np.abs(alone).max())
    before, after = (np.abs(temporal.acceleration(v[5:])).mean(0) for v in (x, x + step))
    assert (after < 0.6 * before).all()
    joined = temporal.calming(x, firm, np.arange(12), stiffness)
    assert np.abs(joined - step).max() > 0.1
