"""The compiled loops against the few lines of numpy and OpenCV that they stand for."""

from __future__ import annotations

import cv2
import numpy as np

from gsmooth_core.taft.warping import kernels

SIZE, CELL = 32, 8
RNG = np.random.default_rng(0)


def random(*shape: int) -> np.ndarray:
    return RNG.uniform(0, 1, shape).astype(np.float32)


def test_a_reference_is_looked_up_where_an_affine_map_of_the_moved_pixels_lies() -> None:
    moved, seen, least = 9 * random(SIZE, SIZE, 2) - 4, random(SIZE, SIZE), 0.5 * random(SIZE, SIZE)
    matrix = np.array([[1.1, 0.2, -3], [-0.2, 0.9, 1.5]])
    centres = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE)), -1) + 0.5
    wanted = (centres + moved) @ matrix[:, :2].T + matrix[:, 2]
    high = np.float32(20.5), np.float32(14.5)
    at, validity = kernels.looked_up(moved, seen, matrix, np.float32(0.7), least, *high)
    inner = wanted.clip(2, np.array(high) - 2.5)  # coders leave rows of other colours at an edge
    assert np.allclose(at, inner, atol=1e-4)
    there = ((wanted >= -0.5) & (wanted <= high)).all(-1)
    assert 0.2 < there.mean() < 0.8
    assert np.allclose(validity, 0.7 * np.maximum(seen, least) * there, atol=1e-6)


def test_differences_are_means_of_known_pixels_over_cells() -> None:
    picture, frame, known = random(SIZE, SIZE, 3), random(SIZE, SIZE, 3), random(SIZE, SIZE) > 0.4
    apart = np.abs(picture - frame).mean(-1) * known
    wanted = cv2.resize(apart, (SIZE // CELL,) * 2, interpolation=cv2.INTER_AREA)
    assert np.allclose(kernels.differences(picture, frame, known, CELL, 1), wanted, atol=1e-6)
    thin = cv2.resize(apart[::2, ::2], (SIZE // CELL,) * 2, interpolation=cv2.INTER_AREA)
    assert np.allclose(kernels.differences(picture, frame, known, CELL, 2), thin, atol=1e-6)


def test_what_a_frame_is_lighter_by_is_gathered_into_cells() -> None:
    known, lit = np.where(random(SIZE, SIZE) > 0.7, random(SIZE, SIZE), 0), random(SIZE, SIZE, 3)
    picture, tone = RNG.integers(0, 256, (SIZE, SIZE, 3), np.uint8), random(256, 3)
    own = np.stack([tone[picture[..., c], c] for c in range(3)], -1)
    white = random(SIZE, SIZE, 3) > 0.8  # at least as light as that
    apart = np.where(white, np.maximum(lit - own, 0), lit - own)
    apart = np.clip(apart, -0.3, 0.3) * known[..., None]
    wanted = cv2.resize(apart, (SIZE // CELL,) * 2, interpolation=cv2.INTER_AREA)
    at = np.nonzero(known)
    grid = SIZE // CELL, SIZE // CELL, CELL
    pixels = lit[at], white[at], known[at]
    made = kernels.light_apart(picture, tone, *pixels, *at, np.float32(0.3), grid)
    assert np.allclose(made, wanted, atol=1e-6)
    none = np.zeros_like(white[at])
    plain, short = (
        kernels.light_apart(picture, tone, lit[at], w, known[at], *at, np.float32(0.3), grid)
        for w in (none, none[:0])
    )
    assert np.array_equal(plain, short) and not np.array_equal(plain, made)


def test_a_picture_is_relit_by_its_tones_and_a_smooth_gain() -> None:
    height, width = 3 * CELL, 5 * CELL
    picture, tone = RNG.integers(0, 256, (height, width, 3), np.uint8), random(256, 3)
    own = np.stack([tone[picture[..., c], c] for c in range(3)], -1)
    for gain in (0.5 + random(3, 5, 3), 0.5 + random(1, 1, 3)):
        fine = cv2.resize(gain, (width, height), interpolation=cv2.INTER_LINEAR)
        made = np.empty((height, width, 3), np.float32)
        kernels.relight(picture, tone, gain, made)
        assert np.allclose(made, np.minimum(own * fine, 1), atol=1e-6)
        assert made.max() == 1


def test_references_are_fused_where_the_crop_is_not_known() -> None:
    references, validity = random(3, SIZE, SIZE, 3), random(3, SIZE, SIZE) + 1e-3
    crop, known = random(SIZE, SIZE, 3), random(SIZE, SIZE) > 0.5
    weight = validity[..., None]
    mean = (references * weight).sum(0) / weight.sum(0)
    wanted = np.where(known[..., None], crop, mean)
    assert np.allclose(kernels.fused(references, validity, crop, known), wanted, atol=1e-6)


def test_values_go_on_beyond_a_mask_as_a_coarse_grid_has_them() -> None:
    height, width = 24, 40
    values, mask = random(height, width, 5)[..., 1:], random(height, width) > 0.5
    beyond = random(6, 10, 4)
    fine = cv2.resize(beyond, (width, height), interpolation=cv2.INTER_LINEAR)
    wanted = np.where(mask[..., None], values, fine)
    assert np.allclose(kernels.continued(values, mask, beyond), wanted, atol=1e-6)


def test_each_reference_shows_vertices_where_its_own_lie() -> None:
    seen, points, visible = random(40, 3), random(40, 2), random(40)
    for offset in (random(1, 2), random(40, 2)):
        made = np.full((40, 3, 3), 7, np.float32)
        kernels.displaced(points, visible, seen, offset, made, 1)
        wanted = np.column_stack([points - seen[:, :2] + offset, visible])
        np.testing.assert_allclose(made[:, 1], wanted, atol=1e-6)
        assert (made[:, [0, 2]] == 7).all()


def test_a_part_is_moved_as_opencv_remaps_it_and_what_has_no_share_stays() -> None:
    dice = np.random.default_rng(4)
    picture = cv2.GaussianBlur(dice.random((60, 80, 3), np.float32), (0, 0), 1)
    rows, columns = np.s_[20:60], np.s_[0:50]  # at three edges of the picture
    moved = ((dice.random((40, 50, 2)) - 0.5) * 30).astype(np.float32)
    share = (dice.random((40, 50)) - 0.3).clip(0, 1).astype(np.float32)
    made = kernels.moved_by(picture, moved, share, 20, 0, kernels.TAPS)
    y, x = np.mgrid[rows, columns].astype(np.float32)
    at = np.stack([x, y], -1) + moved * share[..., None]
    at = np.rint(at * kernels.PHASES) / np.float32(kernels.PHASES)  # OpenCV 4 looks nowhere else
    whole = cv2.remap(picture, at, None, cv2.INTER_CUBIC, None, cv2.BORDER_REPLICATE)
    expected = np.where(share[..., None] > 0, whole.clip(0, 1), picture[rows, columns])
    np.testing.assert_allclose(made, expected, atol=2e-6)
    assert np.abs(made - picture[rows, columns]).mean() > 0.02


def test_a_movement_that_is_no_number_reads_nothing_else() -> None:
    picture, share = np.ones((8, 8, 3), np.float32), np.ones((8, 8), np.float32)
    for wild in (np.nan, np.inf, -np.inf, 1e30, -1e30):
        moved = np.full((8, 8, 2), wild, np.float32)
        made = kernels.moved_by(picture, moved, share, 0, 0, kernels.TAPS)
        np.testing.assert_allclose(made, 1, atol=1e-5)
