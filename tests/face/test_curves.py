from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsmooth_core.errors import InputError
from gsmooth_core.face import curves as module
from gsmooth_core.face.curves import fit_curves, resample
from gsmooth_core.types import Expression, FaceTrack

NAMES = ("jawOpen", "mouthClose", "eyeBlinkLeft")
NTSC = Fraction(30000, 1001)


def track(frames=10, fps=Fraction(25)):
    zeros = np.zeros((frames, 3), np.float32)
    return FaceTrack(
        64, 48, fps, "face", 100.0, np.zeros(4, np.float32), NAMES,
        np.full((frames, 3), 0.5, np.float32), zeros, zeros,
        np.zeros((frames, 9, 3), np.float32), np.ones(frames, np.float32),
        np.zeros((frames, 478, 2), np.float32),
    )  # fmt: skip


def jaw(values, fps):
    return Expression(("jawOpen",), np.asarray(values, np.float32)[:, None], fps)


def wave(seconds):
    return np.sin(2 * np.pi * 2.0 * seconds)


def test_known_components_are_taken_and_the_others_keep_the_tracks_values():
    curves = Expression(("tongueOut", "jawOpen"), np.ones((10, 2), np.float32), Fraction(25))
    fitted = fit_curves(curves, track())
    assert fitted.names == NAMES
    np.testing.assert_array_equal(fitted.values[:, 0], 1)
    np.testing.assert_array_equal(fitted.values[:, 1:], 0.5)


def test_at_the_tracks_own_rate_every_frame_keeps_its_value_and_the_last_one_holds():
    values = np.random.default_rng(0).normal(size=6).astype(np.float32)
    found = fit_curves(jaw(values, NTSC), track(10, NTSC)).values[:, 0]
    np.testing.assert_array_equal(found, np.append(values, [values[-1]] * 4))


@pytest.mark.parametrize("fps", [Fraction(24), NTSC, Fraction(60)])
def test_given_curves_keep_their_time_at_frame_centres(fps):
    """A 2 Hz movement given at any rate is met at the centres of the track's frames."""
    count = int(4 * fps)
    given_curves = jaw(0.5 + 0.5 * wave((np.arange(count) + 0.5) / float(fps)), fps)
    found = fit_curves(given_curves, track(95)).values[3:-3, 0]
    truth = 0.5 + 0.5 * wave((np.arange(95) + 0.5) / 25)
    np.testing.assert_allclose(found, truth[3:-3], atol=0.01)


def test_given_curves_do_not_overshoot_the_shapes_range():
    steps = jaw([0, 0, 0, 1, 1, 1, 0, 0], Fraction(8))
    assert resample(steps.values, steps.fps, 25, Fraction(25)).min() < 0  # a cubic would
    found = fit_curves(steps, track(25)).values[:, 0]
    assert found.min() == 0
    assert found.max() == 1
    beyond = jaw([-0.5, -0.5, 1.5, 1.5, 1.5, 1.5, -0.5, -0.5], Fraction(8))  # where it was given
    found = fit_curves(beyond, track(25)).values[:, 0]
    assert (found.min(), found.max()) == (-0.5, 1.5)


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(25), NTSC, Fraction(60)])
def test_curves_keep_their_time_at_any_rate(fps):
    """A 2 Hz movement sampled at 25 fps is met at the frame centres of every other rate."""
    source = wave((np.arange(250) + 0.5) / 25)[:, None]
    count = int(10 * fps)
    made = resample(source.astype(np.float32), 25.0, count, fps)[:, 0]
    inner = slice(3, count - 3)
    truth = wave((np.arange(count) + 0.5) / float(fps))
    np.testing.assert_allclose(made[inner], truth[inner], atol=0.02)


def test_the_same_rate_changes_nothing():
    values = np.random.default_rng(0).random((40, 3)).astype(np.float32)
    np.testing.assert_allclose(resample(values, 25.0, 40, Fraction(25)), values, atol=1e-6)


def test_a_long_curve_is_read_in_parts_as_in_one(monkeypatch):
    values = np.random.default_rng(1).random((300, 2)).astype(np.float32)
    whole = resample(values, 25.0, 360, NTSC)
    monkeypatch.setattr(module, "CHUNK", 7)
    np.testing.assert_allclose(resample(values, 25.0, 360, NTSC), whole, atol=1e-6)


@given(st.integers(1, 30), st.integers(1, 60), st.sampled_from([Fraction(15), NTSC, Fraction(120)]))
def test_any_length_gives_as_many_frames_as_asked(frames, count, fps):
    made = resample(np.ones((frames, 2), np.float32), 25.0, count, fps)
    assert made.shape == (count, 2)
    np.testing.assert_allclose(made, 1.0, atol=1e-6)


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


def test_late_curves_are_read_that_much_later():
    values = np.sin(np.arange(60) / 4)[:, None].astype(np.float32)
    late = resample(values, 25.0, 40, Fraction(25), late=0.08)
    np.testing.assert_allclose(late, values[2:42], atol=1e-6)
    early = resample(values, 25.0, 40, Fraction(25), late=-0.04)
    np.testing.assert_allclose(early[1:], values[:39], atol=1e-6)
    assert early[0] == values[0]
