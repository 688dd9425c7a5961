"""Offset and confidence against naive twins, and what a shift must do to them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsmooth_core.sync.offset import (
    FEWEST_SHARE,
    SHIFTS,
    judge,
    mean_curve,
    parabola_vertex,
    per_second,
    shifted_distances,
)


def embeddings(seed, frames, size=8):
    dice = np.random.default_rng(seed)
    values = dice.normal(size=(frames, size))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def naive_curve(lips, sound, valid):
    """D(k) written down as it is said: a loop over shifts and one over frames."""
    curve = []
    for k in range(-15, 16):
        found = [
            float(np.sqrt(sum((a - b) ** 2 for a, b in zip(lips[t], sound[t + k], strict=True))))
            for t in range(len(lips))
            if valid[t] and 0 <= t + k < len(sound)
        ]
        curve.append(np.mean(found) if found else np.nan)
    return np.array(curve)


@pytest.mark.parametrize(("frames", "heard"), [(80, 80), (80, 60), (60, 90)])
def test_curve_is_the_naive_one(frames, heard):
    lips, sound = embeddings(1, frames), embeddings(2, heard)
    valid = np.random.default_rng(3).random(frames) > 0.2
    curve = mean_curve(shifted_distances(lips, sound, valid))
    np.testing.assert_allclose(curve, naive_curve(lips, sound, valid), rtol=1e-5)


def test_confidence_is_median_less_minimum():
    lips, sound, valid = embeddings(1, 90), embeddings(2, 90), np.ones(90, bool)
    curve = naive_curve(lips, sound, valid)
    found = judge(shifted_distances(lips, sound, valid))
    assert found.confidence == pytest.approx(sorted(curve)[15] - min(curve), abs=1e-5)
    assert found.offset_frames == int(np.argmin(curve)) - 15


@settings(max_examples=25, deadline=None)
@given(shift=st.integers(-15, 15), seed=st.integers(0, 10_000))
def test_late_sound_has_a_positive_offset(shift, seed):
    """What the lips do at t is heard at t + shift."""
    whole = embeddings(seed, 140)
    lips, sound = whole[20:120], whole[20 - shift : 120 - shift]
    found = judge(shifted_distances(lips, sound, np.ones(100, bool)))
    assert found.offset_frames == shift
    assert found.confidence > 1.0


def test_exchanging_picture_and_sound_turns_the_sign():
    whole = embeddings(5, 140)
    a, b, valid = whole[20:120], whole[27:127], np.ones(100, bool)
    there, back = judge(shifted_distances(a, b, valid)), judge(shifted_distances(b, a, valid))
    assert there.offset_frames == -back.offset_frames == -7
    np.testing.assert_allclose(there.distances, back.distances[::-1], rtol=1e-5)


def test_frames_without_a_face_do_not_count():
    lips, sound, valid = embeddings(1, 90), embeddings(2, 90), np.ones(90, bool)
    valid[30:50] = False
    spoilt = lips.copy()
    spoilt[~valid] = np.nan
    clean = judge(shifted_distances(lips, sound, valid))
    np.testing.assert_array_equal(
        clean.distances, judge(shifted_distances(spoilt, sound, valid)).distances
    )


def test_shifts_that_few_frames_measure_do_not_win():
    """One second of picture: at 15 frames only 10 of 25 are left; with 20 even fewer."""
    lips, sound = embeddings(1, 20), embeddings(2, 20)
    sound[15:] = lips[:5]  # a perfect fit of five frames
    found = judge(shifted_distances(lips, sound, np.ones(20, bool)))
    far = np.abs(SHIFTS) > 20 - FEWEST_SHARE * 20
    assert np.isnan(found.distances[far]).all()
    assert found.offset_frames != 15


def test_nothing_to_compare_is_refused():
    with pytest.raises(ValueError, match="no lips"):
        judge(np.full((30, 31), np.nan, np.float32))


@given(vertex=st.floats(-0.49, 0.49), bend=st.floats(0.1, 5))
def test_vertex_of_a_parabola_is_exact(vertex, bend):
    curve = (bend * (np.arange(5) - 2 - vertex) ** 2).astype(np.float64)
    assert parabola_vertex(curve, 2) == pytest.approx(vertex, abs=1e-6)


def test_no_vertex_at_the_edge_or_on_a_line():
    assert parabola_vertex(np.array([0.0, 1, 2]), 0) == 0
    assert parabola_vertex(np.array([1.0, 1, 1]), 1) == 0
    assert parabola_vertex(np.array([np.nan, 1, 2]), 1) == 0


def test_seconds_say_where_lips_and_sound_part():
    whole = embeddings(7, 300)
    sound = np.concatenate([whole[:150], embeddings(8, 150)])  # from 6 s on: something else
    apart = shifted_distances(whole, sound, np.ones(300, bool))
    curve = per_second(apart, 15)
    assert len(curve) == 12
    assert curve[:4].min() > 1.0
    assert abs(curve[8:]).max() < 0.5


def test_a_second_is_the_naive_mean_of_three():
    apart = shifted_distances(embeddings(1, 120), embeddings(2, 120), np.ones(120, bool))
    part = apart[25:100]  # the third second with one before and one after
    expected = np.median(part.mean(axis=0)) - part[:, 12].mean()
    assert per_second(apart, 12)[2] == pytest.approx(expected, abs=1e-6)


def test_seconds_without_a_face_are_no_numbers():
    valid = np.ones(300, bool)
    valid[:150] = False
    curve = per_second(shifted_distances(embeddings(1, 300), embeddings(2, 300), valid), 15)
    assert np.isnan(curve[:4]).all()
    assert np.isfinite(curve[6:]).all()
