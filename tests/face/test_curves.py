from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.errors import InputError
from gsmooth_core.face.curves import fit_curves, resample
from gsmooth_core.types import Expression, FaceTrack

NAMES = ("jawOpen", "mouthClose", "eyeBlinkLeft")


def track(frames=10, fps=Fraction(25)):
    zeros = np.zeros((frames, 3), np.float32)
    return FaceTrack(
        64, 48, fps, "face", 100.0, np.zeros(4, np.float32), NAMES,
        np.full((frames, 3), 0.5, np.float32), zeros, zeros,
        np.zeros((frames, 9, 3), np.float32), np.ones(frames, np.float32),
        np.zeros((frames, 478, 2), np.float32),
    )  # fmt: skip


def test_known_components_are_taken_and_the_others_keep_the_tracks_values():
    curves = Expression(("tongueOut", "jawOpen"), np.ones((10, 2), np.float32), Fraction(25))
    fitted = fit_curves(curves, track())
    assert fitted.names == NAMES
    np.testing.assert_array_equal(fitted.values[:, 0], 1)
    np.testing.assert_array_equal(fitted.values[:, 1:], 0.5)


@pytest.mark.parametrize("fps", [Fraction(30000, 1001), Fraction(24), Fraction(60)])
def test_rates_are_met_in_time_as_numpy_interpolates_and_the_last_value_holds(fps):
    values = np.random.default_rng(0).normal(size=(50, 1)).astype(np.float32)
    curves = Expression(("jawOpen",), values, fps)
    found = resample(curves, 100, 25.0)[:, 0]
    expected = np.interp(np.arange(100) / 25.0, np.arange(50) / float(fps), values[:, 0])
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    "curves",
    [
        Expression(("nose",), np.ones((3, 1), np.float32), Fraction(25)),
        Expression(("jawOpen",), np.ones((0, 1), np.float32), Fraction(25)),
        Expression(("jawOpen",), np.full((3, 1), np.nan, np.float32), Fraction(25)),
    ],
)
def test_curves_that_fit_nothing_are_refused_in_words(curves):
    with pytest.raises(InputError):
        fit_curves(curves, track())
