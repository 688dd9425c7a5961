"""When eyes blink, how often, and how."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.motion.blink import blink_times, blinks, still

MINUTES = 40 * 60.0


def shut(closed):
    """Frames at which the lids are shut."""
    return np.flatnonzero(closed == 1)


def test_a_blink_at_25_frames_a_second_is_the_measured_one():
    closed = blinks(2000, Fraction(25), rate=6)
    first = shut(closed)[0]
    measured = [0, 0.09, 0.77, 1, 0.82, 0.39, 0.23, 0.15, 0]
    np.testing.assert_allclose(closed[first - 3 : first + 6], measured, atol=1e-6)


@pytest.mark.parametrize("fps", [Fraction(8), Fraction(24), Fraction(30000, 1001), Fraction(60)])
def test_at_any_rate_each_blink_is_shut_in_one_frame_at_its_time(fps):
    at = np.array(blink_times(60.0, 3))
    closed = blinks(int(60 * fps), fps, 3)
    assert len(shut(closed)) == len(at)
    np.testing.assert_allclose((shut(closed) + 0.5) / float(fps), at, atol=0.5 / float(fps) + 1e-6)
    assert closed.min() == 0 <= closed.max() == 1


def test_it_opens_more_slowly_than_it_shuts_at_60_frames_a_second():
    closed = blinks(1200, Fraction(60), rate=6)
    first = shut(closed)[0]
    half = np.flatnonzero(closed[first - 12 : first + 20] > 0.5) - 12
    assert -half[0] < half[-1]
    assert closed[first + 9] > closed[first - 9]


@pytest.mark.parametrize("rate", [12.0, 24.0, 45.0])
@pytest.mark.parametrize("ends", [(), tuple(np.arange(3.0, MINUTES, 3.7))])
def test_as_many_as_asked_for(rate, ends):
    at = blink_times(MINUTES, 1, rate, ends)
    assert len(at) / 40 == pytest.approx(rate, rel=0.15)


def test_intervals_are_log_normal_around_a_shortest_one():
    between = np.diff(blink_times(MINUTES, 2, 20.0))
    assert between.min() >= 0.4
    logs = np.log(between - 0.4)
    assert logs.std() == pytest.approx(0.6, abs=0.05)
    skew = np.mean(((logs - logs.mean()) / logs.std()) ** 3)
    assert abs(skew) < 0.25


def test_more_at_the_ends_of_phrases():
    ends = np.arange(4.0, MINUTES, 5.0)

    def near(phrases):
        at = np.array(blink_times(MINUTES, 5, 24.0, phrases))
        return np.mean(np.abs(at[:, None] - ends - 0.1).min(axis=1) < 0.15)

    assert near(()) == pytest.approx(0.06, abs=0.03)
    assert near(tuple(ends)) > 3 * near(())


def test_seeds_differ_and_one_seed_is_one_result():
    ten = {blink_times(30.0, seed) for seed in range(10)}
    assert len(ten) == 10
    np.testing.assert_array_equal(blinks(300, Fraction(25), 4), blinks(300, Fraction(25), 4))


def test_the_first_and_the_last_frame_are_open():
    for seed in range(30):
        closed = blinks(200, Fraction(25), seed, 60.0)
        assert closed[0] == 0
        assert closed[-1] < 0.3


def test_none_where_none_are_wanted_or_there_is_no_time():
    assert not blinks(500, Fraction(25), rate=0).any()
    assert not blinks(5, Fraction(25), rate=60).any()


def test_a_still_head_blinks():
    motion = still(1500, Fraction(50))
    assert not motion.turn.any()
    assert not motion.shift.any()
    assert (len(motion), motion.fps) == (1500, Fraction(50))
    assert 3 < len(shut(motion.blink)) < 30
