"""Curves of a dub beside its source, on a clip that is drawn here."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from gsmooth_core.evaluation.metrics import fidelity, identity
from gsmooth_core.evaluation.metrics.compare import (
    BAND_CURVES,
    PAIRED,
    SAMPLED,
    Comparison,
    slow_measures,
)
from gsmooth_core.evaluation.metrics.landmarks import SIZE
from gsmooth_core.evaluation.metrics.masks import Masks
from gsmooth_core.evaluation.metrics.summary import Faces, add_motion, summarise
from gsmooth_core.face.camera import pose, project
from gsmooth_core.types import Expression
from tests.taft import scene

FRAMES = 12


def with_landmarks(clip):
    """The drawn clip's track with the places of its landmarks."""
    model, rows = scene.face_model(), []
    for beta, r, t in zip(clip.expression, clip.rotation, clip.translation, strict=True):
        places = pose(model.landmarks(model.shape(clip.identity, beta)), r, t)
        rows.append(project(places, clip.focal, clip.width, clip.height)[:, :2])
    return replace(clip, landmarks=np.stack(rows).astype(np.float32))


@pytest.fixture(scope="module")
def clip():
    return with_landmarks(scene.track(FRAMES))


@pytest.fixture(scope="module")
def pictures(clip):
    return scene.pictures(clip)


def compared(clip, pictures, made, **more):
    masks = Masks(clip, scene.face_model(), clip.expression)
    return Comparison(clip, scene.face_model(), masks, slow=(), **more).run(pictures, made)


def figures_of(clip, pictures, made, found=None, target=None):
    curves = compared(clip, pictures, made)
    faces = Faces(
        clip,
        clip.landmarks if found is None else found,
        target or clip.curves,
        np.zeros(FRAMES, bool),
    )
    add_motion(curves, faces, scene.face_model())
    return summarise(curves, faces, scene.face_model())


def in_mask(clip, change):
    """Frames whose pixels under the mask go through `change`."""
    masks = Masks(clip, scene.face_model(), clip.expression)

    def apply(frame, picture):
        return np.where(masks.in_frame(frame)[..., None], change(frame, picture), picture)

    return lambda pictures: [apply(n, p).astype(np.uint8) for n, p in enumerate(pictures)]


def test_the_source_itself_is_perfect(clip, pictures):
    found = figures_of(clip, pictures, pictures)
    assert found["psnr"] == found["mouth_psnr"] == found["mask_psnr"] == fidelity.BEST_PSNR
    assert found["ssim"] == pytest.approx(1, abs=1e-9)
    assert found["lmd"] == found["vertex"] == found["lve"] == 0
    for name in (
        "detail",
        *BAND_CURVES,
        "grain",
        "signal",
        "flicker",
        "seam",
        "jerk",
        "aperture_r",
        "width_r",
    ):
        assert found[name] == pytest.approx(1, abs=1e-6)
    assert found["follows"] > 0.98


def test_a_soft_mouth_is_less_sharp_and_calmer(clip, pictures):
    soften = in_mask(clip, lambda _, p: cv2.GaussianBlur(p, (0, 0), 2.5))
    found = figures_of(clip, pictures, soften(pictures))
    assert found["detail"] == pytest.approx(found["mouth_band1"], rel=0.1)
    assert found["detail"] < 0.5
    assert found["mask_band1"] < found["mask_band3"] < 1.02
    assert found["ring_band4"] == pytest.approx(1, abs=0.15)
    assert found["mouth_psnr"] < 45
    assert found["outside_psnr"] == fidelity.BEST_PSNR


def test_noise_flickers(clip, pictures):
    rng = np.random.default_rng(0)
    noisy = in_mask(clip, lambda _, p: np.clip(p + rng.normal(0, 16, p.shape), 0, 255))
    found = figures_of(clip, pictures, noisy(pictures))
    assert found["flicker"] > 1.5
    assert found["detail"] > 1.3


def test_noise_is_told_from_detail(clip, pictures):
    # Noise of known strength on both; half as strong on the dub, whose detail is the same.
    rng = np.random.default_rng(1)

    def noisy(strength):
        return [np.rint(p + rng.normal(0, strength, p.shape)).clip(0, 255) for p in pictures]

    source, made = ([p.astype(np.uint8) for p in noisy(s)] for s in (8.0, 4.0))
    found = figures_of(clip, source, made)
    assert found["grain"] == pytest.approx(0.5, abs=0.05)
    assert found["signal"] == pytest.approx(1, abs=0.35)
    assert found["mask_band1"] < 0.9


def test_another_brightness_under_the_mask_is_a_seam(clip, pictures):
    brighter = in_mask(clip, lambda _, p: np.clip(p.astype(int) + 25, 0, 255))
    found = figures_of(clip, pictures, brighter(pictures))
    assert found["seam"] > 1.2
    assert found["mask_psnr"] < 25


def test_a_change_outside_is_seen_where_it_is(clip, pictures):
    made = [p.copy() for p in pictures]
    brow = clip.landmarks[3, 168].astype(int)
    made[3][brow[1], brow[0]] = 255 - made[3][brow[1], brow[0]]
    curves = compared(clip, pictures, made)
    assert np.nonzero(curves["outside_max"])[0].tolist() == [3]
    assert curves["mask_psnr"][3] == fidelity.BEST_PSNR


def test_frames_without_a_face_are_left_out(clip, pictures):
    curves = compared(scene.without_face(clip, 5), pictures, pictures)
    for name in PAIRED:
        assert np.flatnonzero(np.isnan(curves[name])).tolist() == [5]
    assert np.isnan(curves["change"][[0, 5, 6]]).all()  # no frame before them
    assert np.isfinite(curves["change"][[1, 4, 7]]).all()


def test_mouths_are_compared_as_they_were_found(clip, pictures):
    shut = np.repeat(clip.landmarks[:1], FRAMES, 0)
    still = Expression(clip.expression_names, np.repeat(clip.expression[:1], FRAMES, 0), clip.fps)
    found = figures_of(clip, pictures, pictures, shut, still)
    assert found["lmd"] > 1
    assert found["aperture_r"] == 0
    assert found["lve"] > found["vertex"] > 0


def test_slow_measures_are_taken_where_asked(clip, pictures, monkeypatch):
    calls = []
    monkeypatch.setattr(
        identity, "embedding", lambda p, points: calls.append(p) or np.float32([p.mean(), 1])
    )
    masks = Masks(clip, scene.face_model(), clip.expression)
    known = {}
    for made in (pictures, [np.flip(p, 1) for p in pictures]):
        slow = ("identity", "true_identity", "cpbd", "true_cpbd")
        more = Comparison(clip, scene.face_model(), masks, [2, 7], slow, known)
        curves = more.run(pictures, made)
    assert sorted(known) == [2, 7]
    assert len(calls) == 2 + 4  # each source face once
    assert np.flatnonzero(np.isfinite(curves["identity"])).tolist() == [2, 7]
    assert np.flatnonzero(np.isfinite(curves["true_identity"])).tolist() == [7]
    assert np.isnan(curves["stlpips"]).all()
    assert set(slow_measures()) <= set(SAMPLED)


def test_the_crop_is_the_one_that_the_words_say(clip, pictures):
    masks = Masks(clip, scene.face_model(), clip.expression)
    pair = Comparison(clip, scene.face_model(), masks).pair(4, pictures[4], pictures[4])
    assert pair.truth.shape == (SIZE, SIZE, 3)
    rows, columns = pair.box
    assert pair.mask[rows, columns].mean() > 0.7
