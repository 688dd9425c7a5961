"""Other rates, less noise, rest at both ends."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.motion import curves


def wave(count, fps):
    """(count, 1) 1 Hz, by the time of the frames' middles."""
    return np.sin(2 * np.pi * (np.arange(count)[:, None] + 0.5) / float(fps))


@pytest.mark.parametrize("fps", [Fraction(30), Fraction(60), Fraction(24000, 1001), Fraction(12)])
def test_another_rate_shows_the_same_at_the_same_time(fps):
    count = int(4 * fps)
    found = curves.resampled(wave(101, 25), Fraction(25), count, fps)
    np.testing.assert_allclose(found[1:-1], wave(count, fps)[1:-1], atol=0.005)


def test_the_own_rate_changes_nothing():
    values = wave(50, 25).astype(np.float32)
    np.testing.assert_array_equal(
        curves.resampled(values, Fraction(25), 40, Fraction(25)), values[:40]
    )


def test_beyond_the_ends_the_ends_are_held():
    found = curves.resampled(wave(10, 25), Fraction(25), 30, Fraction(25))
    np.testing.assert_allclose(found[10:], wave(10, 25)[-1:].repeat(20, 0), atol=1e-6)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_frames_are_enough(count):
    assert np.isfinite(curves.resampled(wave(count, 25), Fraction(25), 7, Fraction(60))).all()


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30000, 1001)])
def test_frames_of_another_rate_last_as_long(fps):
    for count in (1, 7, 300):
        other = curves.count_for(count, fps, Fraction(24))
        assert (other - 1) / 24 < count / fps <= Fraction(other, 24)


def test_smoothing_takes_noise_and_leaves_movement_in_its_place():
    noise = np.random.default_rng(0).normal(size=(500, 1))
    assert curves.smoothed(noise, Fraction(25)).std() < 0.65 * noise.std()
    found = curves.smoothed(wave(100, 25), Fraction(25))
    np.testing.assert_allclose(found[5:-5], wave(100, 25)[5:-5], atol=0.025)


def test_ends_are_at_rest_and_the_middle_as_it_was():
    values = (wave(200, 25) + 3).astype(np.float32)
    found = curves.at_rest(values, Fraction(25))
    assert found[0] == found[-1] == 0
    np.testing.assert_array_equal(found[20:-20], values[20:-20])
    assert np.abs(np.diff(found, axis=0)).max() < 0.5  # it rises by 3 in 20 frames


@pytest.mark.parametrize("count", [1, 2, 3, 11, 39])
def test_short_curves_are_at_rest_at_both_ends(count):
    found = curves.at_rest(wave(count, 25).astype(np.float32) + 1, Fraction(25))
    assert found[0] == found[-1] == 0
    assert np.abs(found).max() < 1.3


def test_the_time_to_settle_does_not_depend_on_the_rate():
    ones = np.ones((400, 1), np.float32)
    slow, fast = (curves.at_rest(ones, Fraction(fps))[:, 0] for fps in (25, 50))
    half = [np.argmax(found > 0.5) / fps for found, fps in ((slow, 25), (fast, 50))]
    assert half == pytest.approx([curves.SETTLE / 2] * 2, abs=0.04)
