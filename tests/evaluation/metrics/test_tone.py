"""Tone error: offsets and gradients with known means; what is finer than tone does not count."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.evaluation.metrics.tone import tone_error


@pytest.fixture
def face() -> np.ndarray:
    return np.random.default_rng(0).integers(60, 180, (256, 256, 3)).astype(np.uint8)


@pytest.fixture
def mask() -> np.ndarray:
    mask = np.zeros((256, 256), bool)
    mask[120:220, 52:204] = True
    return mask


def test_the_same_picture_has_no_error(face: np.ndarray, mask: np.ndarray) -> None:
    assert tone_error(face, face, mask) == 0


@pytest.mark.parametrize("offset", [-9, 3, 20])
def test_a_shift_of_all_levels_is_the_error(
    face: np.ndarray, mask: np.ndarray, offset: int
) -> None:
    made = (face.astype(int) + offset).astype(np.uint8)
    assert tone_error(face, made, mask) == pytest.approx(abs(offset), abs=1e-3)


def test_one_channel_counts_a_third(face: np.ndarray, mask: np.ndarray) -> None:
    made = face.copy()
    made[..., 2] += 12
    assert tone_error(face, made, mask) == pytest.approx(4, abs=1e-3)


def test_only_what_is_under_the_mask_counts(face: np.ndarray, mask: np.ndarray) -> None:
    made = face.copy()
    made[:30] += 40  # 90 rows above the mask, seven times the blur
    assert tone_error(face, made, mask) < 1e-3


def test_structure_finer_than_a_twelfth_of_the_face_is_no_tone(
    face: np.ndarray, mask: np.ndarray
) -> None:
    stripes = (np.arange(256) // 4 % 2 * 2 - 1) * 30
    made = (face.astype(int) + stripes[None, :, None]).clip(0, 255).astype(np.uint8)
    assert tone_error(face, made, mask) < 0.5


def test_a_patch_as_wide_as_half_the_face_shows(face: np.ndarray, mask: np.ndarray) -> None:
    """20 levels on one half: by the blur's symmetry half of it on average."""
    made = face.copy()
    made[:, :128] += 20
    assert tone_error(face, made, mask) == pytest.approx(10, abs=0.3)


def test_no_mask_no_error(face: np.ndarray, mask: np.ndarray) -> None:
    assert np.isnan(tone_error(face, face, np.zeros_like(mask)))


def test_a_mouth_that_says_something_else_has_no_part(face: np.ndarray, mask: np.ndarray) -> None:
    mouth = np.zeros_like(mask)
    mouth[150:180, 100:156] = True
    made = (face.astype(int) + 5).astype(np.uint8)
    made[mouth] = 0
    assert tone_error(face, made, mask) > 10
    assert tone_error(face, made, mask, mouth) == pytest.approx(5, abs=0.3)
