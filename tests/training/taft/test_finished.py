"""Finished frames against the truth, and which frames of a clip are judged."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from gsmooth_core.evaluation.metrics.fidelity import BEST_PSNR
from tests.evaluation.metrics.test_compare import with_landmarks
from tests.taft import scene
from training.taft import finished as f

LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@pytest.fixture(scope="module")
def clip() -> f.FilmedClip:
    track = with_landmarks(scene.track(8))
    rng = np.random.default_rng(0)
    rough = (p + rng.normal(0, 4, p.shape) for p in scene.pictures(track))
    return f.FilmedClip("drawn", [p.clip(0, 255).astype(np.uint8) for p in rough], track)


def test_frames_that_were_not_touched_are_perfect(clip) -> None:
    found = f.judged(clip, scene.face_model(), dict(enumerate(clip.pictures)))
    assert found.mouth_psnr == found.mask_psnr == BEST_PSNR
    assert found.good
    ratios = (found.flicker, found.laplacian, found.grain, found.seam, *found.mouth, *found.mask)
    ratios = (*ratios, *found.cb, *found.cr)
    assert ratios == pytest.approx((1,) * len(ratios))
    assert found.lips == pytest.approx(0)


def test_blur_is_seen_in_the_frames_that_are_blurred(clip) -> None:
    soft = {n: cv2.GaussianBlur(clip.pictures[n], (0, 0), 1.5) for n in (2, 3)}
    found = f.judged(clip, scene.face_model(), soft)
    assert found.mouth[0] < 0.3
    assert found.mouth[0] < found.mouth[3]
    assert found.laplacian < 0.3
    assert not found.good


def test_colours_that_are_stronger_are_seen_in_their_own_bands(clip) -> None:
    # Twice the red difference is four times the energy of Cr, and nothing of Cb or grey.
    pale = [(p // 4 + 96).astype(np.uint8) for p in clip.pictures]  # with room for it
    grey = [p.astype(np.float32) @ LUMA for p in pale]
    more = {n: red_twice(pale[n], grey[n]) for n in (2, 3)}
    found = f.judged(replace(clip, pictures=pale), scene.face_model(), more)
    assert found.cr == pytest.approx((4,) * f.COLOURS, rel=0.05)
    assert found.cb == pytest.approx((1,) * f.COLOURS, rel=0.05)


def red_twice(picture: np.ndarray, luma: np.ndarray) -> np.ndarray:
    red, blue = (picture[..., c] - luma for c in (0, 2))
    made = np.stack([luma + 2 * red, luma, luma + blue], -1)
    made[..., 1] = (luma - LUMA[0] * made[..., 0] - LUMA[2] * made[..., 2]) / LUMA[1]
    return np.rint(made.clip(0, 255)).astype(np.uint8)


def test_frames_lie_in_a_row_or_all_over_the_clip() -> None:
    track = scene.track(100)
    clip = f.FilmedClip("long", [], scene.without_face(track, 35))
    assert clip.chosen(20, spread=False) == [n for n in range(29, 50) if n != 35]
    spread = clip.chosen(20, spread=True)
    assert len(spread) == 20
    assert spread[0] < 10
    assert spread[-1] > 89
    assert 35 not in spread
    assert sum(b - a == 1 for a, b in pairwise(spread)) >= 9


def test_each_clip_counts_once() -> None:
    one = f.Finished(*np.ones(8).tolist())
    other = replace(one, mouth_psnr=3.0, grain=float("nan"), mask=(0.5, 1.0, 1.0, 1.0))
    mean = f.average([one, other])
    assert (mean.mouth_psnr, mean.grain, mean.mask) == (2, 1, (0.75, 1, 1, 1))
    assert one.good
    assert not other.good
    assert "2.00 / 1.000" in mean.row()
