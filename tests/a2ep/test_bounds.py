"""Bounds that take nothing from how far the lips open."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.a2ep import load_a2ep
from gsmooth_core.a2ep.bounds import bounded
from gsmooth_core.a2ep.style import Style

OPENING = np.array([0.4, -0.4, 0.1, 0.0], np.float32)  # jaw, lips over the jaw, funnel, a smile


def test_what_lies_within_the_bounds_stays() -> None:
    said = np.random.default_rng(0).uniform(0, 1, (50, 4)).astype(np.float32)
    np.testing.assert_array_equal(bounded(said, OPENING), said)


def test_the_jaw_opens_what_closed_lips_have_not_to_give() -> None:
    said = np.array([[0.1, -0.3, 0.2, 0.5]], np.float32)
    np.testing.assert_allclose(bounded(said, OPENING), [[0.4, 0, 0.2, 0.5]], atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_the_lips_open_as_far_wherever_the_jaw_has_room(seed: int) -> None:
    said = np.random.default_rng(seed).normal(0.4, 0.5, (200, 4)).astype(np.float32)
    made = bounded(said, OPENING)
    assert made.min() >= 0 and made.max() <= 1
    room = (made[:, 0] > 0) & (made[:, 0] < 1)
    assert room.mean() > 0.3
    np.testing.assert_allclose((made @ OPENING)[room], (said @ OPENING)[room], atol=1e-5)
    np.testing.assert_array_equal(made[:, 1:], np.clip(said[:, 1:], 0, 1))


def test_a_mouth_without_lips_over_the_jaw_opens_as_wide_as_the_average_one() -> None:
    """A photo's lips are shut by the jaw alone; the average speaker's close over a lowered jaw."""
    model = load_a2ep()
    opening, rest = model.array("opening"), model.array("rest")
    jaw, lips = model.names.index("jawOpen"), model.names.index("mouthClose")
    moved = np.zeros((1, len(rest)), np.float32)
    moved[0, jaw], moved[0, lips] = 0.1, -rest[lips]
    shut = Style(np.zeros_like(rest)).speak(moved, opening)
    assert (shut @ opening)[0] == pytest.approx(float((moved @ opening)[0]), abs=1e-4)
