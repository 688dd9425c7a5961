"""Ends of dissolves that were missed by a few frames, and changes that are no dissolve."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.tracking.shots.ends import is_even, widened
from gsmooth_core.tracking.shots.pictures import SIDE, Pictures
from gsmooth_core.types import Image

START, LENGTH, COUNT = 20, 12, 60
LAST, BEHIND = START - 1, START + LENGTH
"""The last frame before the dissolve, and the first one behind it."""


def _still(seed: int) -> Image:
    return np.random.default_rng(seed).integers(20, 230, (SIDE, SIDE, 3)).astype(np.uint8)


def _moving(seed: int, width: int) -> list[Image]:
    """A still picture, before whose left part something goes by in every frame."""
    picture, rng = _still(seed), np.random.default_rng(seed + 100)
    frames = []
    for _ in range(COUNT):
        frame = picture.copy()
        frame[:, :width] = rng.integers(20, 230, (SIDE, width, 3))
        frames.append(frame)
    return frames


def _pictures(shares: list[float], width: int = 10) -> Pictures:
    pairs = zip(_moving(1, width), _moving(2, width), shares, strict=True)
    return Pictures([(one * (1.0 - s) + other * s).astype(np.uint8) for one, other, s in pairs])


def _ramp() -> list[float]:
    return [float(np.clip((t - LAST) / (LENGTH + 1), 0, 1)) for t in range(COUNT)]


@pytest.mark.parametrize("width", [10, 26])
@pytest.mark.parametrize("missed", [0, 1, 3, 4])
def test_missed_ends_are_found_to_the_frame(missed: int, width: int) -> None:
    """Whether a third moves or most of the picture."""
    pictures = _pictures(_ramp(), width)
    found = LAST + missed // 2, BEHIND - missed
    assert widened(pictures, *found, 0, COUNT - 1) == (LAST, BEHIND)
    found = LAST + missed, BEHIND - missed // 2
    assert widened(pictures, *found, 0, COUNT - 1) == (LAST, BEHIND)


def test_an_end_without_frames_behind_it_is_left() -> None:
    pictures = _pictures(_ramp())
    assert widened(pictures, LAST, BEHIND - 2, LAST, BEHIND + 2) == (LAST, BEHIND - 2)
    assert widened(pictures, LAST + 2, BEHIND, LAST - 2, BEHIND) == (LAST + 2, BEHIND)


def test_what_fades_behind_a_dissolve_is_none_of_it() -> None:
    light = np.clip(1 - (np.arange(COUNT) - BEHIND) / 12, 0, 1)
    ramp = zip(_moving(1, 0), _moving(2, 0), _ramp(), light, strict=True)
    faded = [((a * (1.0 - s) + b * s) * lit).astype(np.uint8) for a, b, s, lit in ramp]
    assert widened(Pictures(faded), LAST, BEHIND, 0, COUNT - 1)[1] == BEHIND


def test_where_everything_moves_the_ends_are_left() -> None:
    pictures = _pictures(_ramp(), SIDE)
    assert widened(pictures, LAST + 2, BEHIND - 2, 0, COUNT - 1) == (LAST + 2, BEHIND - 2)


@pytest.mark.parametrize("width", [0, 10])
def test_a_dissolve_is_even_in_its_pixels(width: int) -> None:
    assert is_even(_pictures(_ramp(), width), LAST, BEHIND, 0.05)


def test_a_swing_is_not() -> None:
    """Slow, fast, slow: as a head goes from side to side."""
    swing = np.clip(np.interp(np.arange(COUNT), [20, 24, 28, 32], [0, 0.1, 0.9, 1]), 0, 1)
    assert not is_even(_pictures(swing.tolist()), 20, 32, 0.12)
    assert is_even(_pictures(swing.tolist()), 20, 32, 0.3)


def test_two_pictures_that_do_not_differ_are_even() -> None:
    pictures = Pictures([_still(1)] * COUNT)
    assert is_even(pictures, LAST, BEHIND, 0.05)
    assert widened(pictures, LAST, BEHIND, 0, COUNT - 1) == (LAST, BEHIND)
