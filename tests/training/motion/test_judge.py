"""A judge that finds what differs, and nothing where nothing does."""

from __future__ import annotations

import numpy as np
import pytest

from training.motion import judge


def groups(count, shift=0.0, spread=1.0, seed=0):
    random = np.random.default_rng(seed)
    return [(spread * random.normal(size=(30, 4)) + shift).astype(np.float32) for _ in range(count)]


def test_the_area_counts_pairs():
    scores, true = np.array([3.0, 1.0, 2.0, 2.0, 0.0]), np.array([1, 0, 1, 0, 0], bool)
    pairs = [(a > b) + 0.5 * (a == b) for a in scores[true] for b in scores[~true]]
    assert judge.area(scores, true) == pytest.approx(np.mean(pairs))


def test_the_slope_of_the_cost_is_found_at_the_minimum():
    x, true = np.concatenate(groups(2)), np.arange(60) < 20
    x[true] += 1
    weights = judge.logistic(x, true)
    design = np.append(x, np.ones((60, 1)), axis=1)
    share = 1 / (1 + np.exp(-design @ weights)) - true  # of the log-likelihood, both classes alike
    weight = np.where(true, 0.5 / 20, 0.5 / 40)
    slope = design.T @ (share * weight) + judge.RIDGE * np.append(weights[:-1], 0)
    np.testing.assert_allclose(slope, 0, atol=1e-4)


def test_alike_is_by_chance_and_unlike_is_seen():
    assert judge.told_apart(groups(8), groups(20, seed=1)) == pytest.approx(0.5, abs=0.08)
    assert judge.told_apart(groups(8), groups(20, shift=2.0, seed=1)) > 0.97
    assert judge.told_apart(groups(8), groups(20, spread=0.4, seed=1)) > 0.9  # by the squares


def test_frechet_is_that_of_normal_distributions():
    random = np.random.default_rng(0)
    a = random.normal(size=(200_000, 2)) * (1, 2)
    b = random.normal(size=(200_000, 2)) * (3, 2) + (0, 1)
    assert judge.frechet(a, b) == pytest.approx((3 - 1) ** 2 + 1, abs=0.05)
    assert judge.frechet(a, a) == pytest.approx(0, abs=1e-6)
