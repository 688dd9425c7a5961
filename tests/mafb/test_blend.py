"""MAFB against OpenCV-free oracles: scikit-image's morphology and a naive eq. 9."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import morphology

from gsmooth_core.mafb import blend as mafb
from gsmooth_core.mafb.crop import CROP_CENTRE, CROP_SIDE


def blobs(seed: int, size: int = 96) -> np.ndarray:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:size, 0:size]
    mask = np.zeros((size, size), bool)
    for _ in range(4):
        cx, cy, r = rng.uniform(0.2, 0.8, 3) * [size, size, size / 5]
        mask |= (x - cx) ** 2 + (y - cy) ** 2 < r * r
    return mask


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("width", "height"), [(5, 31), (21, 21), (1, 7), (3, 3)])
def test_dilation_and_erosion_agree_with_skimage(seed: int, width: int, height: int) -> None:
    mask, kernel = blobs(seed), mafb.ellipse(width, height)
    assert np.array_equal(mafb.dilate(mask, width, height), morphology.dilation(mask, kernel))
    assert np.array_equal(mafb.erode(mask, width, height), morphology.erosion(mask, kernel))


@pytest.mark.parametrize("seed", range(4))
def test_closing_agrees_with_skimage(seed: int) -> None:
    mask = blobs(seed)
    padded = np.pad(mask, 30)
    for radius in (1, 4, 10):
        oracle = morphology.closing(padded, morphology.disk(radius))[30:-30, 30:-30]
        assert np.array_equal(mafb.close(mask, 2 * radius + 1), oracle)


def test_closing_fills_the_hole_of_the_mouth() -> None:
    ring = blobs(0) | True
    ring[40:50, 30:60] = False
    assert mafb.close(ring, 21).all()


@pytest.mark.parametrize("size", [224, 256, 512])
def test_room_for_the_jaw_is_below_the_middle_alone(size: int) -> None:
    region = np.zeros((size, size), bool)
    middle = mafb.row_in_crop(128, size)
    region[middle - size // 8 : middle + size // 8, size // 3 : size // 2] = True
    mask = mafb.face_mask(region)
    assert mask[region].all()
    assert np.array_equal(mask[:middle], mafb.close(region, mafb.scaled(21, size))[:middle])
    below = np.flatnonzero(mask.any(1)).max() - np.flatnonzero(region.any(1)).max()
    assert below == mafb.scaled(mafb.MaskSettings().jaw_height, size) // 2
    papers = mafb.face_mask(region, mafb.MaskSettings(jaw_height=31))
    assert not (mask & ~papers).any()
    assert papers.sum() > mask.sum()


def test_lengths_are_those_of_the_papers_camera() -> None:
    # In a crop of the paper's own extent nothing is scaled.
    size = round(224 * CROP_SIDE / mafb.PAPER_SIDE)
    assert (mafb.scaled(21, size), mafb.scaled(5, size), mafb.scaled(31, size)) == (21, 5, 31)
    assert mafb.scaled(21, 2 * size) in (41, 43)
    y = -(128 - 112) * mafb.PAPER_SIDE / 224  # the height that row 128 of the paper shows
    assert mafb.row_in_crop(128, 256) == round((0.5 + (CROP_CENTRE - y) / CROP_SIDE) * 256)


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_random_morphology_stays_between_the_extremes(seed: int) -> None:
    mask = blobs(seed % 7, 128)
    largest = mafb.scaled(mafb.MaskSettings().random_max, 128) | 1
    changed = mafb.random_morphology(mask, np.random.default_rng(seed))
    assert not (changed & ~mafb.dilate(mask, largest, largest)).any()
    assert not (mafb.erode(mask, largest, largest) & ~changed).any()


def test_random_morphology_grows_and_shrinks() -> None:
    mask = blobs(1, 128)
    rng = np.random.default_rng(0)
    areas = [int(mafb.random_morphology(mask, rng).sum()) for _ in range(40)]
    assert min(areas) < mask.sum() < max(areas)


@pytest.mark.parametrize("rim", [1.0, 5.0, 9.5])
def test_rim_is_soft_monotone_and_outside_the_mask(rim: float) -> None:
    mask = np.zeros((64, 64), bool)
    mask[20:40, 20:40] = True
    weight = mafb.rim_weight(mask, rim)
    assert (weight[mask] == 1).all()
    row = weight[30, 39:]
    assert (np.diff(row) <= 0).all()
    assert np.abs(np.diff(row)).max() <= 1.6 / (rim + 1)
    assert (weight[30, 40 + int(np.ceil(rim)) + 1 :] == 0).all()


def test_rim_of_no_mask_is_nothing() -> None:
    assert not mafb.rim_weight(np.zeros((8, 8), bool), 3).any()


@pytest.fixture
def skin() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A frame, another take of the same skin (its own grain, 20 levels brighter), a mask."""
    rng = np.random.default_rng(5)
    light = np.linspace(90, 140, 96)[:, None, None] + np.zeros((96, 96, 3))
    frame, other = (light + rng.normal(0, 8, light.shape) for _ in range(2))
    mask = np.zeros((96, 96), bool)
    mask[30:66, 30:66] = True
    return frame.round().clip(0, 255).astype(np.uint8), (other + 20).astype(np.float32), mask


def test_laying_over_shows_the_picture_under_the_mask_and_the_frame_beyond_the_rim(skin) -> None:
    frame, other, mask = skin
    laid, changed = mafb.lay_over(frame, other, mask, 8.0)
    beyond = mafb.rim_weight(mask, 8.0) == 0
    assert np.array_equal(laid[beyond], frame[beyond])
    assert np.array_equal(changed, ~beyond)
    assert np.array_equal(laid[mask], np.rint(other[mask]).clip(0, 255).astype(np.uint8))


def test_nothing_hidden_shows_in_the_rim(skin) -> None:
    frame, other, mask = skin
    poisoned = frame.copy()
    poisoned[mask] = 255 - poisoned[mask]
    clean, _ = mafb.lay_over(frame, other, mask, 8.0)
    assert np.array_equal(mafb.lay_over(poisoned, other, mask, 8.0)[0], clean)


def test_the_rim_keeps_the_grain_of_skin(skin) -> None:
    """The plain mix of two grains is softer than either; detail that goes over at once is not."""
    frame, other, mask = skin
    weight = mafb.rim_weight(mask, 8.0)[..., None]
    rim = (weight[..., 0] > 0.2) & (weight[..., 0] < 0.8)

    def grain(picture: np.ndarray) -> float:
        smooth = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 2.0)
        return float((picture - smooth)[rim].std())

    plain = other * weight + frame.astype(np.float32) * (1 - weight)
    laid, _ = mafb.lay_over(frame, other, mask, 8.0)
    assert grain(plain) < 0.85 * grain(frame)
    assert grain(laid) == pytest.approx(grain(frame), rel=0.07)


def test_a_difference_in_light_leaves_no_step(skin) -> None:
    frame, other, mask = skin
    shift = mafb.lay_over(frame, other, mask, 8.0)[0].astype(float) - frame
    inner, middle, outer = (
        shift[64, 40:56].mean(),
        shift[69, 40:56].mean(),
        shift[73, 40:56].mean(),
    )
    assert inner > middle > outer
    assert 4 < middle < 16


def test_no_mask_lays_nothing_over(skin) -> None:
    frame, other, mask = skin
    assert np.array_equal(mafb.lay_over(frame, other, np.zeros_like(mask), 8.0)[0], frame)


@pytest.fixture
def before() -> np.ndarray:
    """A stick that crosses the mask's right side."""
    stick = np.zeros((96, 96), bool)
    stick[44:52, 50:] = True
    return stick


def test_what_stands_before_the_face_ends_the_new_picture_within_two_pixels(skin, before) -> None:
    frame, other, mask = skin
    frame = np.where(before[..., None], np.uint8(20), frame)
    laid, _ = mafb.lay_over(frame, other, mask & ~before, 8.0, before)
    core = cv2.erode(before.astype(np.uint8), np.ones((5, 5))) > 0
    assert np.array_equal(laid[core], frame[core])
    rim = ~before & ~mask & (mafb.rim_weight(mask, 8.0) > 0)
    bare, _ = mafb.lay_over(skin[0], other, mask, 8.0)
    assert np.abs(laid.astype(int) - bare)[rim].mean() < 3  # its darkness is no light of the skin


def test_nothing_hidden_shows_beside_what_stands_before(skin, before) -> None:
    frame, other, mask = skin
    hidden = mask & ~before
    poisoned = frame.copy()
    poisoned[hidden] = 255 - poisoned[hidden]
    clean, changed = mafb.lay_over(frame, other, hidden, 8.0, before)
    again, same = mafb.lay_over(poisoned, other, hidden, 8.0, before)
    assert np.array_equal(again, clean)
    assert np.array_equal(changed, same)
    assert np.array_equal(clean[~changed], frame[~changed])


def test_nothing_before_the_face_changes_nothing(skin) -> None:
    frame, other, mask = skin
    plain = mafb.lay_over(frame, other, mask, 8.0)
    nothing = mafb.lay_over(frame, other, mask, 8.0, np.zeros_like(mask))
    assert all(np.array_equal(a, b) for a, b in zip(plain, nothing, strict=True))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("diameter", [1, 9, 31])
def test_growing_by_a_disc_agrees_with_skimage(seed: int, diameter: int) -> None:
    mask = blobs(seed)
    oracle = morphology.dilation(mask, morphology.disk(diameter // 2))
    assert np.array_equal(mafb.within(mask, diameter), oracle)
    assert not mafb.within(mask & False, diameter).any()


def two_bands(frame: np.ndarray, picture: np.ndarray, mask: np.ndarray, rim: float) -> np.ndarray:
    """`lay_over` in a few lines of numpy, its light averaged pixel by pixel."""
    distance = mafb._distance(mask)
    wide, narrow = (mafb._falloff(distance, reach) for reach in (rim, 0.15 * rim))
    around = ((wide > 0) & ~mask).astype(np.float32)
    apart = (picture - frame.astype(np.float32)) * around[..., None]
    light, looked = (cv2.GaussianBlur(x, (0, 0), 0.3 * rim) for x in (apart, around))
    light /= np.maximum(looked, 1e-6)[..., None]
    mixed = frame + narrow[..., None] * apart + (wide - narrow)[..., None] * light
    return np.where(mask[..., None], picture, mixed)


@pytest.mark.parametrize("rim", [2.0, 9.0, 30.0])
@pytest.mark.parametrize("at", [0, 30])
def test_laying_over_is_that_of_plain_numpy(skin, rim: float, at: int) -> None:
    """Also of a mask at the picture's edge; light is averaged over cells where the rim is wide."""
    frame, other, mask = skin
    mask = np.roll(mask, at - 30, (0, 1))
    other += np.linspace(0, 40, 96, dtype=np.float32)[:, None]
    exact, changed = mafb.lay_over(frame.astype(np.float32), other, mask, rim)
    wanted = two_bands(frame, other, mask, rim)
    assert np.abs(exact - wanted).max() < 1.5
    assert np.abs(exact - wanted)[changed].mean() < 0.1
    rounded, _ = mafb.lay_over(frame, other, mask, rim)
    assert np.array_equal(rounded, np.rint(exact).clip(0, 255).astype(np.uint8))
