"""The table of warps and generators: what is perfect, what flickers, and that it adds up."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.evaluation.metrics.fidelity import BEST_PSNR
from training.taft import table as t

BOX = np.s_[8:40, 10:50]


def shown(rng: np.random.Generator, noise: float = 0.0) -> t._Reconstruction:
    truth = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    made = np.clip(truth + noise * rng.standard_normal(truth.shape), 0, 255).astype(np.uint8)
    return t._Reconstruction(truth, made, BOX, np.ones((64, 64), bool))


def test_the_truth_is_perfect() -> None:
    rng = np.random.default_rng(0)
    frames = [shown(rng) for _ in range(3)]
    *fidelity, made, true = t._compared(frames[0])
    scores = dict(zip(t._FIDELITY, fidelity, strict=True))
    assert all(v == BEST_PSNR for n, v in scores.items() if "psnr" in n)
    assert all(v == pytest.approx(1) for n, v in scores.items() if "ssim" in n)
    assert made == true
    assert t._flicker(frames) == pytest.approx(1)


def test_flicker_is_the_change_over_the_truths_change() -> None:
    still = np.zeros((64, 64, 3), np.uint8)
    mask = np.ones((64, 64), bool)
    frames = [
        t._Reconstruction(still + n, still + 3 * n, BOX, mask) for n in np.arange(4, dtype=np.uint8)
    ]
    assert t._flicker(frames) == pytest.approx(3)


def test_noise_is_seen_where_it_is() -> None:
    rng = np.random.default_rng(1)
    clean = shown(rng)
    noisy = clean.made.copy()
    noisy[BOX] = 255 - noisy[BOX]
    found = t._compared(t._Reconstruction(clean.truth, noisy, BOX, clean.mask))
    scores = dict(zip(t._FIDELITY, found, strict=False))
    assert scores["mouth_psnr"] < scores["mask_psnr"] == pytest.approx(scores["crop_psnr"])


def test_each_clip_counts_once() -> None:
    a, b = (t.Scores(*np.full(9, v)) for v in (1.0, 3.0))
    assert t.average([a, b]) == t.Scores(*np.full(9, 2.0))
    assert "| 2.00 / 2.000 | 2.00 / 2.000 | 2.00 / 2.000 | 2.00 | 2.00 | 2.00 |" in t.table(
        {"row": {"a": a, "b": b}}
    )
