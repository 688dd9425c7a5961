"""Anchors, squares and boxes of MediaPipe's detectors, against slow ways to the same."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsmooth_core.networks.blaze import Detection, anchors, cut, decode, scores, suppress


@pytest.mark.parametrize(("grids", "count"), [(((16, 2), (8, 6)), 896), (((24, 2), (12, 6)), 2016)])
def test_anchors_are_the_middles_of_cells_row_by_row(grids, count) -> None:
    slow = [
        ((column + 0.5) / cells, (row + 0.5) / cells)
        for cells, repeats in grids
        for row in range(cells)
        for column in range(cells)
        for _ in range(repeats)
    ]
    assert len(slow) == count
    assert np.allclose(anchors(grids), slow)


@given(st.integers(0, 99), st.integers(1, 7), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_boxes_and_points_are_decoded_one_by_one(seed: int, points: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    raw = rng.normal(0, 0.2, (count, 4 + 2 * points)).astype(np.float32)
    centres, left, top, side = rng.random((count, 2)).astype(np.float32), 30.0, -20.0, 200.0
    found = decode(raw, centres, np.full(count, 0.7, np.float32), (left, top, side))
    assert len(found) == count
    for one, row, centre in zip(found, raw, centres, strict=True):
        middle = (row[:2] + centre) * side + (left, top)
        size = row[2:4] * side
        assert np.allclose(one.box, [*(middle - size / 2), *(middle + size / 2)], atol=1e-3)
        places = (row[4:].reshape(points, 2) + centre) * side + (left, top)
        assert np.allclose(one.keypoints, places, atol=1e-3)
        assert one.score == pytest.approx(0.7)


def test_scores_are_logistic_and_never_overflow() -> None:
    logits = np.array([[[-1e4], [0], [1], [1e4]]], np.float32)
    assert np.allclose(scores(logits), [0, 0.5, 1 / (1 + np.exp(-1)), 1])


def seen(left: float, width: float, score: float) -> Detection:
    box = np.array([left, 0, left + width, width], np.float32)
    return Detection(box, np.full((2, 2), left, np.float32), score)


def test_of_boxes_that_overlap_the_mean_is_kept() -> None:
    one, same, other = seen(0, 10, 0.9), seen(1, 10, 0.3), seen(30, 10, 0.5)
    found = suppress([other, same, one], 0.3)
    assert [d.score for d in found] == [0.9, 0.5]
    assert np.allclose(found[0].box, [0.25, 0, 10.25, 10])
    assert np.allclose(found[0].keypoints, 0.25)
    assert suppress([], 0.3) == []


@given(st.integers(-60, 120), st.integers(-60, 120), st.integers(20, 160))
@settings(max_examples=40, deadline=None)
def test_a_square_is_cut_as_from_a_frame_with_a_black_border(
    left: int, top: int, side: int
) -> None:
    frame = np.random.default_rng(3).integers(1, 256, (90, 120, 3)).astype(np.uint8)
    border = 300
    wide = cv2.copyMakeBorder(frame, *([border] * 4), cv2.BORDER_CONSTANT, value=(0, 0, 0))
    truth = wide[top + border : top + border + side, left + border : left + border + side]
    assert np.array_equal(cut(frame, (left, top, side), side), truth)
