"""Noise that is found against noise that was added, on a picture that moves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from gsmooth_core.evaluation.metrics.bands import band_energies
from gsmooth_core.evaluation.metrics.grain import GRAIN_BANDS, grain_blocks

SIDE = 256


def scene(moved: float) -> np.ndarray:
    """Smooth texture of 20 levels, moved to the side by a part of a pixel."""
    wide = np.random.default_rng(0).standard_normal((SIDE + 16, SIDE + 16))
    texture = gaussian_filter(wide, 3) * 200 + 120
    return shift(texture, (0, moved), order=5)[8:-8, 8:-8]


def grain(seed: int, sigma: float) -> np.ndarray:
    return 4 * gaussian_filter(np.random.default_rng(seed).standard_normal((SIDE, SIDE)), sigma)


@pytest.mark.parametrize("moved", [0.0, 0.4])
@pytest.mark.parametrize("sigma", [0.0, 0.7])
def test_noise_is_found_as_it_was_added(moved: float, sigma: float) -> None:
    first, second = grain(1, sigma), grain(2, sigma)
    found = grain_blocks(scene(moved) + first, scene(0) + second, np.ones((SIDE, SIDE), bool))
    added = (band_energies(first) + band_energies(second)) / 2
    assert len(found) == GRAIN_BANDS
    for blocks, energy in zip(found, added, strict=False):
        assert np.mean(blocks) == pytest.approx(energy, rel=0.1)


def test_what_moves_or_gets_brighter_is_no_noise() -> None:
    whole = np.ones((SIDE, SIDE), bool)
    moved = scene(0.3) * 1.05 + 3
    for blocks in grain_blocks(moved, scene(0), whole):
        assert np.median(blocks) < 0.02
    assert np.abs(moved - scene(0)).mean() > 3  # a plain difference would see much


def test_only_skin_is_looked_at() -> None:
    skin = np.zeros((SIDE, SIDE), bool)
    skin[64:192, 64:192] = True
    wild = np.where(skin, 0, 50) * np.random.default_rng(3).standard_normal((SIDE, SIDE))
    wild[60:196, 60:196] = 0  # bands reach a little beyond their pixel
    first, second = grain(1, 0), grain(2, 0)
    plain = grain_blocks(scene(0) + first, scene(0) + second, skin)
    spoiled = grain_blocks(scene(0) + first + wild, scene(0) + second, skin)
    assert 56 <= len(plain[0]) <= 64
    assert np.median(spoiled[0]) == pytest.approx(np.median(plain[0]), rel=0.05)
    assert all(not len(b) for b in grain_blocks(wild, wild, np.zeros_like(skin)))
