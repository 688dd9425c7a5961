"""Detail held against frames of the source that are open as far."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsmooth_core.evaluation.metrics.alike import NEAREST, expected, ratio_where_alike


def naive(values, filmed, made):
    """Frame by frame: the mean of the nearest known ones."""
    known = [i for i in range(len(values)) if np.isfinite(values[i]) and np.isfinite(filmed[i])]
    found = []
    for opening in made:
        nearest = sorted(known, key=lambda i: abs(filmed[i] - opening))[:NEAREST]
        found.append(np.mean([values[i] for i in nearest]) if nearest else np.nan)
    return np.array(found)


@given(st.integers(0, 10_000), st.integers(3, 60))
def test_it_is_the_mean_of_the_nearest(seed, count):
    rng = np.random.default_rng(seed)
    filmed, values = rng.uniform(0, 0.02, count), rng.uniform(1, 2, count)
    made = rng.uniform(0, 0.02, 20)
    values[rng.random(count) < 0.2] = np.nan
    np.testing.assert_allclose(expected(values, filmed, made), naive(values, filmed, made))


def test_mouths_that_the_source_never_shows_are_left_out():
    filmed, values = np.zeros(30), np.ones(30)
    found = expected(values, filmed, np.array([0.0, 0.02, 0.2, np.nan]))
    assert np.isfinite(found).tolist() == [True, True, False, False]
    assert ratio_where_alike(np.ones(30), values, (filmed, np.full(30, 0.3))) is None


def test_a_mouth_that_is_shut_more_often_is_not_softer():
    """Detail goes with the opening; the dub is shut in three quarters, the source in one."""
    rng = np.random.default_rng(0)
    filmed = np.where(rng.random(200) < 0.25, 0.005, rng.uniform(0.05, 0.3, 200))
    made = np.where(rng.random(200) < 0.75, 0.005, rng.uniform(0.05, 0.3, 200))
    true, dub = 1 + 20 * filmed, 1 + 20 * made
    assert dub.mean() / true.mean() < 0.6
    assert ratio_where_alike(dub, true, (filmed, made)) == pytest.approx(1, abs=0.02)
    assert ratio_where_alike(0.5 * dub, true, (filmed, made)) == pytest.approx(0.5, abs=0.02)
    assert ratio_where_alike(1.4 * dub, true, (filmed, made)) == pytest.approx(1.4, abs=0.05)


def test_the_same_frames_are_alike_whatever_is_not_known_of_some():
    rng = np.random.default_rng(1)
    filmed, true = rng.uniform(0, 0.3, 80), rng.uniform(1, 2, 80)
    filmed[:5], true[70:] = np.nan, np.nan
    ratio = ratio_where_alike(true, true, (filmed, filmed))
    assert ratio == pytest.approx(1, abs=0.05)
