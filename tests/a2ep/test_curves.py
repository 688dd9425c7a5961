from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.a2ep.curves import smooth_curves


def test_smoothing_calms_and_keeps_the_mean():
    values = np.random.default_rng(0).random((500, 2)).astype(np.float32)
    assert smooth_curves(values, 0.0, Fraction(25)) is values
    calm = [smooth_curves(values, a, Fraction(25)) for a in (0.3, 1.0)]
    speed = [np.abs(np.diff(c, axis=0)).mean() for c in (values, *calm)]
    assert speed[0] > speed[1] > speed[2]
    np.testing.assert_allclose(calm[1].mean(axis=0), values.mean(axis=0), atol=0.02)


def test_smoothing_is_in_seconds_not_in_frames():
    def duration(fps):
        pulse = np.zeros((8 * fps, 1), np.float32)
        pulse[4 * fps] = 1
        made = smooth_curves(pulse, 0.5, Fraction(fps))[:, 0]
        time = np.arange(len(made)) / fps
        centre = (time * made).sum() / made.sum()
        return np.sqrt(((time - centre) ** 2 * made).sum() / made.sum())

    assert duration(25) == pytest.approx(duration(60), rel=0.05)
