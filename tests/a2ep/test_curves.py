from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsmooth_core.a2ep import curves
from gsmooth_core.a2ep.curves import resample_curves, smooth_curves

NTSC = Fraction(30000, 1001)


def wave(seconds):
    return np.sin(2 * np.pi * 2.0 * seconds)


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(25), NTSC, Fraction(60)])
def test_curves_keep_their_time_at_any_rate(fps):
    """A 2 Hz movement sampled at 25 fps is met at the frame centres of every other rate."""
    source = wave((np.arange(250) + 0.5) / 25)[:, None]
    count = int(10 * fps)
    made = resample_curves(source.astype(np.float32), count, fps)[:, 0]
    inner = slice(3, count - 3)
    truth = wave((np.arange(count) + 0.5) / float(fps))
    np.testing.assert_allclose(made[inner], truth[inner], atol=0.02)


def test_the_same_rate_changes_nothing():
    values = np.random.default_rng(0).random((40, 3)).astype(np.float32)
    np.testing.assert_allclose(resample_curves(values, 40, Fraction(25)), values, atol=1e-6)


def test_a_long_curve_is_read_in_parts_as_in_one(monkeypatch):
    values = np.random.default_rng(1).random((300, 2)).astype(np.float32)
    whole = resample_curves(values, 360, NTSC)
    monkeypatch.setattr(curves, "CHUNK", 7)
    np.testing.assert_allclose(resample_curves(values, 360, NTSC), whole, atol=1e-6)


@given(st.integers(1, 30), st.integers(1, 60), st.sampled_from([Fraction(15), NTSC, Fraction(120)]))
def test_any_length_gives_as_many_frames_as_asked(frames, count, fps):
    made = resample_curves(np.ones((frames, 2), np.float32), count, fps)
    assert made.shape == (count, 2)
    np.testing.assert_allclose(made, 1.0, atol=1e-6)


def test_smoothing_calms_and_keeps_the_mean():
    values = np.random.default_rng(0).random((500, 2)).astype(np.float32)
    assert smooth_curves(values, 0.0, Fraction(25)) is values
    calm = [smooth_curves(values, a, Fraction(25)) for a in (0.3, 1.0)]
    speed = [np.abs(np.diff(c, axis=0)).mean() for c in (values, *calm)]
    assert speed[0] > speed[1] > speed[2]
    np.testing.assert_allclose(calm[1].mean(axis=0), values.mean(axis=0), atol=0.02)


def test_smoothing_is_in_seconds_not_in_frames():
    def spread(fps):
        pulse = np.zeros((8 * fps, 1), np.float32)
        pulse[4 * fps] = 1
        made = smooth_curves(pulse, 0.5, Fraction(fps))[:, 0]
        time = np.arange(len(made)) / fps
        centre = (time * made).sum() / made.sum()
        return np.sqrt(((time - centre) ** 2 * made).sum() / made.sum())

    assert spread(25) == pytest.approx(spread(60), rel=0.05)
