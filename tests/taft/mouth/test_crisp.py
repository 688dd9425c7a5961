"""Sharp references count more between the lips: by how much, where, and on both ways alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from gsmooth_core.taft.device import light as device_light
from gsmooth_core.taft.mouth.crisp import FAINT, SIGMA
from gsmooth_core.taft.mouth.crisp import crisp as in_place

RNG = np.random.default_rng(4)
INSIDE = np.zeros((64, 64), bool)
INSIDE[30:40, 20:45] = True


def teeth(softness: float, level: float = 0.5) -> np.ndarray:
    """A mouth with teeth of some contrast, blurred by so many pixels."""
    grey = level + 0.3 * np.sign(np.sin(np.arange(64) * 1.6)) * np.ones((64, 1))
    return np.repeat(gaussian_filter(grey, softness)[..., None], 3, 2).astype(np.float32)


def crisp(pictures: np.ndarray, validity: np.ndarray, inside: np.ndarray) -> np.ndarray:
    weighed = validity.copy()
    in_place(pictures, weighed, inside)
    return weighed


def validity(*weights: float) -> np.ndarray:
    return np.float32(weights)[:, None, None] * np.ones((1, 64, 64), np.float32)


def test_shares_are_those_of_the_energies_of_what_is_fine() -> None:
    pictures, believed = np.stack([teeth(0.3), teeth(1.2), teeth(2.5)]), validity(0.2, 0.3, 0.25)
    fine = [(p - gaussian_filter(p, (SIGMA, SIGMA, 0)))[..., 0] for p in pictures]
    energy = np.array([np.mean(f[INSIDE] ** 2) for f in fine]) + FAINT
    wanted = believed[:, 35, 30] * energy
    found = crisp(pictures, believed, INSIDE)[:, 35, 30]
    np.testing.assert_allclose(found / found.sum(), wanted / wanted.sum(), atol=0.01)
    assert found[0] > found[1] > found[2]


def test_all_together_count_as_much_as_before_and_nothing_beside_the_mouth_changes() -> None:
    pictures, believed = np.stack([teeth(0.4), teeth(1.5)]), validity(0.3, 0.4)
    found = crisp(pictures, believed, INSIDE)
    np.testing.assert_allclose(found[:, INSIDE].sum(0), 0.7, rtol=1e-5)
    np.testing.assert_array_equal(found[:, ~INSIDE], believed[:, ~INSIDE])
    assert crisp(pictures, validity(1, 1), INSIDE).max() <= 1


def test_a_sharp_reference_that_is_not_believed_takes_nothing_from_the_others() -> None:
    pictures, believed = np.stack([teeth(0.3), teeth(1.5), teeth(1.5)]), validity(0, 0.3, 0.6)
    np.testing.assert_allclose(crisp(pictures, believed, INSIDE), believed, rtol=1e-4)


@pytest.mark.parametrize("pictures", [np.stack([teeth(1)] * 2), np.full((2, 64, 64, 3), 0.1)])
def test_mouths_that_are_alike_or_dark_keep_their_weights(pictures) -> None:
    noise = RNG.normal(0, 1e-4, pictures.shape)
    found = crisp((pictures + noise).astype(np.float32), validity(0.5, 0.2), INSIDE)
    np.testing.assert_allclose(found, validity(0.5, 0.2), rtol=0.02)


def test_what_is_sharp_beside_a_mouth_says_nothing_of_it() -> None:
    pictures = np.stack([teeth(2), teeth(2)])
    pictures[0, :26], pictures[0, 45:] = teeth(0.2)[:26], teeth(0.2)[45:]
    found = crisp(pictures, validity(0.4, 0.4), INSIDE)
    np.testing.assert_allclose(found, validity(0.4, 0.4), rtol=0.05)


def test_a_shut_mouth_and_no_reference_are_left_alone() -> None:
    believed = validity(0.5, 0.2)
    shut = crisp(np.stack([teeth(0.3), teeth(2)]), believed, np.zeros_like(INSIDE))
    np.testing.assert_array_equal(shut, believed)
    assert crisp(np.zeros((0, 64, 64, 3), np.float32), believed[:0], INSIDE).shape == (0, 64, 64)


def test_a_card_weighs_as_the_processor_does() -> None:
    shut = np.zeros_like(INSIDE)
    frames = [(teeth(0.3), teeth(1), teeth(2)), (teeth(2, 0.4), teeth(0.6), teeth(0.2, 0.6))]
    pictures, insides = np.stack(frames), np.stack([INSIDE, shut])
    believed = RNG.random((2, 3, 64, 64)).astype(np.float32)
    believed[0, 1] = 0
    given = torch.from_numpy(pictures).movedim(-1, -3), torch.from_numpy(believed)
    found = device_light.crisp(*given, torch.from_numpy(insides)).numpy()
    for n in range(2):
        wanted = crisp(pictures[n], believed[n], insides[n])
        np.testing.assert_allclose(found[n], wanted, rtol=1e-3, atol=1e-5)
