"""PSNR and SSIM against scikit-image."""

import math

import numpy as np
import pytest
from skimage import metrics as oracle
from skimage.data import astronaut

from gsmooth_core.evaluation.metrics import fidelity

OPTIONS = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def pictures(shape=(90, 70, 3), seed=0):
    rng = np.random.default_rng(seed)
    truth = astronaut()[20 : 20 + shape[0], 180 : 180 + shape[1]]
    truth = truth if len(shape) == 3 else truth[..., 0]
    made = np.clip(truth * 0.9 + rng.normal(0, 12, truth.shape) + 5, 0, 255).astype(np.uint8)
    return truth, made


@pytest.mark.parametrize("shape", [(90, 70, 3), (64, 64), (11, 31, 3), (12, 12)])
def test_ssim_is_scikit_images(shape):
    truth, made = pictures(shape)
    axis = 2 if len(shape) == 3 else None
    expected = oracle.structural_similarity(
        truth, made, data_range=255, channel_axis=axis, **OPTIONS
    )
    assert abs(fidelity.ssim(truth, made) - expected) < 1e-9


def test_ssim_map_is_scikit_images_up_to_the_border():
    truth, made = pictures()
    _, expected = oracle.structural_similarity(
        truth, made, data_range=255, channel_axis=2, full=True, **OPTIONS
    )
    np.testing.assert_allclose(fidelity.ssim_map(truth, made), expected, atol=1e-9)


@pytest.mark.parametrize("shape", [(90, 70, 3), (64, 64)])
def test_psnr_is_scikit_images(shape):
    truth, made = pictures(shape)
    expected = oracle.peak_signal_noise_ratio(truth, made, data_range=255)
    assert abs(fidelity.psnr(truth, made) - expected) < 1e-9


def test_equal_pictures_have_the_best_figures_there_are():
    truth, _ = pictures()
    assert fidelity.psnr(truth, truth) == fidelity.BEST_PSNR
    assert fidelity.ssim(truth, truth) == pytest.approx(1, abs=1e-12)


def test_a_part_is_measured_alone():
    truth, made = pictures()
    where = np.zeros(truth.shape[:2], bool)
    where[30:60, 20:50] = True
    elsewhere = np.where(where[..., None], made, 255 - truth)
    expected = oracle.peak_signal_noise_ratio(
        truth[30:60, 20:50], made[30:60, 20:50], data_range=255
    )
    assert fidelity.psnr(truth, elsewhere, where) == pytest.approx(expected, abs=1e-9)
    _, whole = oracle.structural_similarity(
        truth, made, data_range=255, channel_axis=2, full=True, **OPTIONS
    )
    assert fidelity.ssim(truth, made, where) == pytest.approx(whole[where].mean(), abs=1e-9)
    nowhere = np.zeros_like(where)
    assert math.isnan(fidelity.psnr(truth, made, nowhere))
    assert math.isnan(fidelity.ssim(truth, made, nowhere))
