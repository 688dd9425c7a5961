"""Flow: known movements are found, and where nothing tells there is none."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gsmooth_core.taft.adaptation.registration import flow

SIZE = 128
EVERYWHERE = np.ones((SIZE, SIZE), bool)


def textured(seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).random((SIZE, SIZE, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return (smooth - smooth.min()) / np.ptp(smooth)


def sampled(picture: np.ndarray, field: np.ndarray) -> np.ndarray:
    """The truth t whose flow to `picture` is `field`: t(x) = picture(x + field)."""
    x, y = np.meshgrid(*[np.arange(SIZE, dtype=np.float32)] * 2)
    moved = cv2.remap(picture, x + field[..., 0], y + field[..., 1], cv2.INTER_CUBIC)
    return (moved * 255).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("shift", [(1.5, 0.0), (-0.7, 2.0)])
def test_a_shift_is_found(shift: tuple[float, float]) -> None:
    picture, field = textured(), np.tile(np.float32(shift), (SIZE, SIZE, 1))
    found = flow(sampled(picture, field), picture, EVERYWHERE, 4.0)
    inner = np.s_[16:-16, 16:-16]
    assert np.abs(found - field)[inner].mean() < 0.2


def test_each_place_has_its_own() -> None:
    picture = textured(1)
    bend = 1.5 * np.sin(np.arange(SIZE) / SIZE * 2 * np.pi).astype(np.float32)
    field = np.stack([np.tile(bend[:, None], (1, SIZE)), np.zeros((SIZE, SIZE))], -1)
    found = flow(sampled(picture, field.astype(np.float32)), picture, EVERYWHERE, 4.0)
    inner = np.s_[16:-16, 16:-16]
    assert np.corrcoef(found[inner][..., 0].ravel(), field[inner][..., 0].ravel())[0, 1] > 0.95


def test_nothing_moves_where_nothing_tells() -> None:
    picture, field = textured(2), np.full((SIZE, SIZE, 2), 1.0, np.float32)
    truth = sampled(picture, field)
    assert not flow(truth, picture, ~EVERYWHERE, 4.0).any()
    flat = np.full_like(picture, 0.5)
    assert np.abs(flow((flat * 255).astype(np.uint8), flat, EVERYWHERE, 4.0)).max() < 1e-3


def test_a_picture_lies_on_itself() -> None:
    picture = textured(3)
    assert np.abs(flow((picture * 255).astype(np.uint8), picture, EVERYWHERE, 4.0)).max() < 0.1
