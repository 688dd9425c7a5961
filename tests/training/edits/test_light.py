"""Made light: gains in linear light, against the formula; nothing is changed for good."""

from __future__ import annotations

import numpy as np
import pytest

from training.edits.light import LIGHTS, camera, in_light


def test_a_gain_is_one_in_linear_light() -> None:
    frame = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    made = in_light(frame, np.array([0.5, 1.0, 2.0]))
    for channel, gain in enumerate((0.5, 1.0, 2.0)):
        linear = gain * (frame[..., channel] / 255) ** 2.2
        expected = np.minimum(linear, 1) ** (1 / 2.2) * 255
        np.testing.assert_allclose(made[..., channel], expected, atol=0.51)


@pytest.mark.parametrize("kind", LIGHTS)
def test_slow_light_begins_and_ends_as_it_was_and_moves_smoothly(kind: str) -> None:
    for seed in range(10):
        gains = LIGHTS[kind](24, np.random.default_rng(seed))
        assert gains.shape == (24, 3)
        np.testing.assert_allclose(gains[[0, -1]], 1, atol=1e-6)
        assert np.abs(np.log(gains)).max() > 0.1
        assert np.abs(np.diff(np.log(gains), axis=0)).max() < 0.35


def test_another_camera_differs_and_is_the_same_each_time() -> None:
    frame = np.random.default_rng(0).integers(30, 200, (8, 8, 3)).astype(np.uint8)
    one, same, other = (camera(np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one(frame), same(frame))
    assert np.abs(one(frame).astype(int) - other(frame)).mean() > 3
