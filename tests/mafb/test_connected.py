"""Against scipy, which grows step by step."""

import numpy as np
import pytest
from scipy import ndimage

from gsmooth_core.mafb.connected import reached, without_holes


def noise(share: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((40, 57)) < share


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.6, 0.8, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_both_are_what_scipy_makes(share: float, seed: int) -> None:
    mask, seeds = noise(share, seed), noise(0.02, seed + 100)
    expected = ndimage.binary_propagation(seeds & mask, mask=mask)
    np.testing.assert_array_equal(reached(seeds, mask), expected)
    np.testing.assert_array_equal(without_holes(mask), ndimage.binary_fill_holes(mask))
