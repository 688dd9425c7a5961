"""Ridge: the textbook's solution, and nothing where unseen frames bear nothing out."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.taft.adaptation.ridge import proven_ridge, ridge

FRAMES = np.arange(0, 240, 4)


def linear(rng: np.random.Generator, noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x = rng.standard_normal((60, 5)).astype(np.float32)
    truth = rng.standard_normal((5, 40)).astype(np.float32)
    return x, (x @ truth + noise * rng.standard_normal((60, 40))).astype(np.float32), truth


@pytest.mark.parametrize("penalty", [0.5, 30.0])
def test_ridge_is_least_squares_with_rows_for_the_penalty(penalty: float) -> None:
    x, y, _ = linear(np.random.default_rng(0), 0.3)
    rows = np.vstack([x, np.sqrt(penalty) * np.eye(5)])
    expected = np.linalg.lstsq(rows, np.vstack([y, np.zeros((5, 40))]), rcond=None)[0]
    made = ridge(x, y, penalty)
    np.testing.assert_allclose(made, expected, atol=1e-4)


def test_what_holds_for_unseen_frames_is_found() -> None:
    x, y, truth = linear(np.random.default_rng(1), 0.1)
    made = proven_ridge(x, y, [0.1, 1000.0], FRAMES, 4, 10)
    assert made is not None
    np.testing.assert_allclose(made, truth, atol=0.1)


def test_noise_teaches_nothing() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((60, 5)), rng.standard_normal((60, 40))
    made = proven_ridge(x, y, [1.0, 10.0], FRAMES, 4, 10)
    assert made is None


def test_it_is_judged_by_some_of_what_it_explains() -> None:
    rng = np.random.default_rng(6)
    x, y, truth = linear(rng, 0.1)
    y[:, :20] = rng.standard_normal((60, 20))
    judged = np.arange(40) >= 20
    made = proven_ridge(x, y, [0.1], FRAMES, 4, 10, judged)
    assert made is not None
    np.testing.assert_allclose(made[:, 20:], truth[:, 20:], atol=0.1)
    assert proven_ridge(x, y, [0.1], FRAMES, 4, 10, ~judged) is None


def test_the_more_noise_the_larger_the_penalty() -> None:
    rng = np.random.default_rng(3)
    x, y, _ = linear(rng, 4.0)
    small, large = [0.01, 60.0]
    chosen = proven_ridge(x, y, [small, large], FRAMES, 4, 10)
    assert chosen is not None
    np.testing.assert_array_equal(chosen, ridge(x, y, large))


def test_what_changes_within_the_clip_is_not_believed() -> None:
    x, y, _ = linear(np.random.default_rng(4), 0.1)
    y[:30] *= -1  # the second half takes back what the first one says
    assert proven_ridge(x, y, [1.0, 30.0], FRAMES, 2, 10) is None


def test_a_clip_that_cannot_be_parted_teaches_nothing() -> None:
    x, y, _ = linear(np.random.default_rng(5), 0.1)
    assert proven_ridge(x, y, [1.0], FRAMES, 4, clear=1000) is None
