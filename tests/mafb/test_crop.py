"""Crops: the transform follows the head, and cutting and pasting undo each other."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.morphology import erosion
from skimage.transform import SimilarityTransform

from gsmooth_core.face.camera import pose, project
from gsmooth_core.mafb import crop
from gsmooth_core.mafb.blend import within
from tests.taft import scene


def smooth_frame(height: int = 200, width: int = 260) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width]
    planes = [np.sin(x / 17) * np.cos(y / 13), np.sin((x + y) / 23), np.cos(x / 29 - y / 11)]
    return np.rint(127 + 100 * np.stack(planes, -1)).astype(np.uint8)


def turned(scale: float, angle: float, x: float, y: float) -> np.ndarray:
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[c, -s, x], [s, c, y]])


similarities = st.tuples(
    st.floats(0.4, 3.0), st.floats(-0.6, 0.6), st.floats(-90, 40), st.floats(-90, 40)
)


@given(similarities)
@settings(max_examples=30, deadline=None)
def test_similarity_agrees_with_skimage(values: tuple[float, float, float, float]) -> None:
    rng = np.random.default_rng(0)
    source = rng.uniform(0, 200, (1, 30, 2))
    matrix = turned(*values)
    target = source[0] @ matrix[:, :2].T + matrix[:, 2] + rng.normal(0, 2, (30, 2))
    oracle = SimilarityTransform.from_estimate(source[0], target).params[:2]
    assert np.allclose(crop.similarity(source, target)[0], oracle, atol=1e-8)


@pytest.mark.parametrize("scale", [0.45, 0.8, 1.0, 1.3, 2.2, 3.1])
@pytest.mark.parametrize("angle", [0.0, 0.3])
def test_cut_and_spread_is_the_identity(scale: float, angle: float) -> None:
    frame = smooth_frame()
    matrix = turned(scale, angle, 128 - scale * 120, 128 - scale * 100)
    under = crop.window(matrix, 256, crop.whole(frame))
    back = under.uncrop(under.cut(under.part(frame)))
    covered = under.uncrop(np.ones((256, 256), np.float32), 1) > 0.999
    part = np.s_[9 : back.shape[0] - 4, 5 : back.shape[1] - 7]
    off = under.uncrop(under.cut(under.part(frame)), part=part).astype(int) - back[part]
    # As in the whole, but for the 32nds of a pixel at which OpenCV looks.
    assert np.abs(off[covered[part]]).max() <= 3
    assert np.abs(off).mean() < 0.01
    inner = erosion(np.pad(covered, 8), np.ones((17, 17)))[8:-8, 8:-8]
    assert inner.sum() > 2000
    error = np.abs(back.astype(int) - under.part(frame))[inner]
    # A shift by a tenth of a pixel would show as 0.6 on these waves.
    assert error.mean() < (1.2 if scale < 0.5 else 0.6)
    assert error.max() <= (14 if scale < 0.5 else 6)


def test_a_crop_of_scale_one_without_turn_is_a_slice() -> None:
    frame = smooth_frame()
    under = crop.window(np.array([[1.0, 0, -30], [0, 1.0, -40]]), 128, crop.whole(frame))
    assert np.array_equal(under.cut(under.part(frame)), frame[40:168, 30:158])


def test_points_of_a_crop_lie_in_its_box_where_skimage_has_them() -> None:
    points = np.random.default_rng(0).uniform(0, 128, (50, 2))
    for values in ((0.6, 0.3, -20, -11), (1.7, -0.4, -60, 20)):
        under = crop.window(turned(*values), 128, (0, 0, 300, 240))
        there = SimilarityTransform(np.vstack([turned(*values), [0, 0, 1]])).inverse(points)
        np.testing.assert_allclose(under.in_box(points), there - under.box[:2], atol=1e-6)
        assert under.box[:2] != (0, 0)


def test_a_crop_beyond_the_frame_repeats_its_edge() -> None:
    frame = smooth_frame()
    under = crop.window(np.array([[1.0, 0, 20], [0, 1.0, 10]]), 128, crop.whole(frame))
    cut = under.cut(under.part(frame))
    assert np.array_equal(cut[10:, 20:], frame[:118, :108])
    assert np.array_equal(cut[10:, 0], frame[:118, 0])


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.7])
def test_hidden_holds_every_pixel_under_the_mask(scale: float) -> None:
    matrix = turned(scale, 0.2, 0, 0)
    matrix[:, 2] = [140, 120] - matrix[:, :2] @ [130, 100]
    under = crop.window(matrix, 256, (0, 0, 260, 200))
    mask = np.zeros((256, 256), bool)
    mask[90:150, 100:180] = True
    covered = crop.hidden(under, mask)
    x0, y0, _, _ = under.box
    y, x = np.nonzero(np.ones(under.shape, bool))
    at = np.stack([x + x0 + 0.5, y + y0 + 0.5], 1) @ matrix[:, :2].T + matrix[:, 2]
    below = (at >= [100, 90]).all(1) & (at <= [180, 150]).all(1)
    assert below.any()
    assert covered[y[below], x[below]].all()


def test_the_head_stands_upright_and_centred_in_every_crop() -> None:
    clip, model = scene.track(), scene.face_model()
    transforms = crop.crop_transforms(clip, model, 256)
    points = crop._anchors(model, model.template(clip.identity))
    front = crop.front_view(points, 256)
    for frame in range(len(clip)):
        seen = project(
            pose(points, clip.rotation[frame], clip.translation[frame]),
            clip.focal,
            clip.width,
            clip.height,
        )
        at = seen[:, :2] @ transforms[frame, :, :2].T + transforms[frame, :, 2]
        assert np.allclose(at.mean(0), front.mean(0), atol=0.01)
        assert np.abs(at - front).max() < 30  # turned by up to 10 degrees
        a, b = transforms[frame, 0, :2]
        assert np.allclose(transforms[frame, 1, :2], [-b, a])


def test_the_crop_does_not_follow_the_mouth() -> None:
    clip, model = scene.track(), scene.face_model()
    shut = replace(clip, expression=np.zeros_like(clip.expression))
    assert np.array_equal(
        crop.crop_transforms(clip, model, 256), crop.crop_transforms(shut, model, 256)
    )


def test_a_frame_without_a_face_borrows_its_neighbours_crop() -> None:
    clip, model = scene.track(), scene.face_model()
    transforms = crop.crop_transforms(scene.without_face(clip, 5), model, 256)
    assert any(np.array_equal(transforms[5], transforms[n]) for n in (4, 6))
    nobody = replace(clip, confidence=np.zeros(len(clip), np.float32))
    assert np.isfinite(crop.crop_transforms(nobody, model, 256)).all()


@given(st.sets(st.integers(0, 40), min_size=1), st.integers(1, 60))
def test_the_nearest_frame_agrees_with_the_naive_search(frames: set[int], count: int) -> None:
    usable = np.array(sorted(frames))
    naive = np.abs(np.arange(count)[:, None] - usable[None]).argmin(1)
    assert np.array_equal(crop.nearest(usable, count), naive)


@pytest.mark.parametrize(("shift", "share"), [((-60, -90), 1), ((-40, 10), None), ((300, 0), 0)])
def test_inside_are_the_crop_pixels_whose_places_lie_in_the_frame(shift, share) -> None:
    matrix = turned(0.95, 0.3, *shift)
    under = crop.window(matrix, 64, (0, 0, 220, 200))
    centres = np.stack(np.meshgrid(np.arange(64), np.arange(64)), -1).reshape(-1, 2) + 0.5
    back = SimilarityTransform(matrix=np.vstack([matrix, [0, 0, 1]])).inverse
    low, high = np.array(under.box).reshape(2, 2)
    places = back(centres)
    wanted = ((places >= low) & (places <= high)).all(1).reshape(64, 64)
    assert wanted.mean() == share if share is not None else 0.1 < wanted.mean() < 0.9
    assert np.array_equal(under.inside(), wanted)


@pytest.mark.parametrize("scale", [0.3, 0.45, 1.1, 2.7])
@pytest.mark.parametrize("turn", [0.0, 0.5])
def test_hidden_pixels_are_looked_for_where_the_mask_is_alone(scale: float, turn: float) -> None:
    """The whole box gives the same; so does a mask at the crop's edge, or beyond the picture's."""
    size = 96
    under = crop.window(turned(scale, turn, 20, 11), size, (0, 0, 260, 200))
    for part in (np.s_[30:50, 40:70], np.s_[:9, :20], np.s_[80:, 60:]):
        mask = np.zeros((size, size), bool)
        mask[part] = True
        reach = 2 * int(np.ceil(under.scale)) + 1
        grown = cv2.dilate(mask.astype(np.uint8), np.ones((reach, reach), np.uint8))
        whole = under.uncrop(grown.astype(np.float32), cv2.INTER_LINEAR) > 0
        found = crop.hidden(under, mask)
        assert found.shape == whole.shape
        assert np.mean(found ^ whole) < 1e-3  # OpenCV looks at 32nds of a pixel
        assert not (found & ~within(whole, 3)).any()
        assert not (whole & ~within(found, 3)).any()
    assert not crop.hidden(under, np.zeros((size, size), bool)).any()
