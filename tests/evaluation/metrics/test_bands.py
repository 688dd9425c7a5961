"""Band energies against a pyramid made of plain convolutions, and what they tell apart."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import convolve, gaussian_filter

from gsmooth_core.evaluation.metrics.bands import BANDS, band_energies, laplacian_variance

KERNEL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256


def noise(height: int = 96, width: int = 128) -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 255, (height, width))


def pyramid(picture: np.ndarray) -> list[np.ndarray]:
    """Bands by full-size convolutions: every second pixel kept, zeros put between, blurred."""
    bands = []
    for _ in range(BANDS):
        smaller = convolve(picture, KERNEL, mode="mirror")[::2, ::2]
        spread = np.zeros(picture.shape)
        spread[::2, ::2] = smaller
        bands.append(picture - 4 * convolve(spread, KERNEL, mode="mirror"))
        picture = smaller
    return bands


def test_energies_are_those_of_a_plain_pyramid() -> None:
    picture = noise()
    inner = np.zeros(picture.shape, bool)
    inner[32:64, 32:96] = True  # borders are up to the implementation
    made = band_energies(picture, inner)
    weight = inner.astype(float)
    for energy, band in zip(made, pyramid(picture), strict=True):
        assert energy == pytest.approx((band**2 * weight).sum() / weight.sum(), rel=0.02)
        weight = convolve(weight, KERNEL, mode="mirror")[::2, ::2]


@pytest.mark.parametrize(("sigma", "band"), [(0.7, 0), (1.6, 1), (3.2, 2), (6.5, 3)])
def test_each_band_sees_detail_of_its_size(sigma: float, band: int) -> None:
    wide = noise(256, 256)
    details = gaussian_filter(wide, sigma) - gaussian_filter(wide, 1.6 * sigma)
    assert int(np.argmax(band_energies(details))) == band


def test_blur_takes_the_finest_band_first() -> None:
    picture = noise()
    ratio = band_energies(gaussian_filter(picture, 0.8)) / band_energies(picture)
    assert ratio[0] < ratio[1] < ratio[2] < 1.02
    assert ratio[0] < 0.2


def test_contrast_counts_squared_and_colour_by_its_mean() -> None:
    picture = noise()
    np.testing.assert_allclose(band_energies(picture / 2), band_energies(picture) / 4)
    colour = np.stack([picture, picture, picture], -1)
    np.testing.assert_allclose(band_energies(colour), band_energies(picture))
    assert laplacian_variance(picture / 2) == pytest.approx(laplacian_variance(picture) / 4)


def test_only_the_pixels_asked_for_count() -> None:
    picture = np.full((64, 64), 100.0)
    picture[:, 40:] = noise(64, 24)
    left, right = np.zeros((2, 64, 64), bool)
    left[:, :24], right[:, 42:] = True, True
    assert band_energies(picture, left)[0] == pytest.approx(0, abs=1e-9)
    assert band_energies(picture, right)[0] > 100
    assert laplacian_variance(picture, left) == pytest.approx(0, abs=1e-9)
    assert np.isnan(band_energies(picture, np.zeros((64, 64), bool))).all()
    assert np.isnan(laplacian_variance(picture, np.zeros((64, 64), bool)))


def test_laplacian_variance_is_that_of_the_kernel() -> None:
    picture = noise()
    kernel = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    inner = np.zeros(picture.shape, bool)
    inner[2:-2, 2:-2] = True
    expected = convolve(picture, kernel)[inner].var()
    assert laplacian_variance(picture, inner) == pytest.approx(expected)
