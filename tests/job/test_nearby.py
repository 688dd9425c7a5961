"""What is looked at of a clip's pictures lies in the box that alone is read of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsmooth_core.job.nearby import box_of_crops
from gsmooth_core.mafb.crop import window
from gsmooth_core.mafb.occlusion.captions import _STRIP

WIDTH, HEIGHT, SIZE = 1280, 720, 256
places = st.tuples(
    st.floats(-100, WIDTH + 100), st.floats(-100, HEIGHT + 100), st.floats(20, 300),
    st.floats(-0.8, 0.8),
)  # fmt: skip


def crop(x: float, y: float, side: float, turn: float) -> np.ndarray:
    """(2, 3) frame -> crop pixels, of a turned square around (x, y)."""
    scale = SIZE / side
    linear = scale * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.column_stack([linear, np.full(2, SIZE / 2) - linear @ (x, y)]).astype(np.float32)


@given(st.lists(places, min_size=1, max_size=4))
def test_all_that_is_looked_at_lies_in_it(faces) -> None:
    transforms = np.stack([crop(*face) for face in faces])
    found = box_of_crops(transforms, SIZE, WIDTH, HEIGHT)
    if found is None:
        return
    x0, y0, x1, y1 = found
    assert x0 % 2 == 0
    assert y0 % 2 == 0
    assert 0 <= x0 < x1 <= WIDTH
    assert 0 <= y0 < y1 <= HEIGHT
    for transform in transforms.astype(np.float64):
        back = np.linalg.inv(transform[:, :2])
        strip = ((_STRIP * SIZE) - transform[:, 2]) @ back.T
        left, top, right, bottom = window(transform, SIZE, (0, 0, WIDTH, HEIGHT)).box
        corners = [*strip, (left, top), (right, bottom)]
        for x, y in np.clip(corners, 0, (WIDTH, HEIGHT)):
            # Eight pixels beyond it, by which colours are brought between their samples.
            assert x0 == 0 or x - x0 >= 8
            assert y0 == 0 or y - y0 >= 8
            assert x1 == WIDTH or x1 - x >= 8
            assert y1 == HEIGHT or y1 - y >= 8


def test_a_face_that_stays_in_its_corner_costs_that_corner() -> None:
    transforms = np.stack([crop(200, 500, 200, 0), crop(220, 500, 200, 0)])
    x0, y0, x1, y1 = box_of_crops(transforms, SIZE, WIDTH, HEIGHT)
    assert (x1 - x0) * (y1 - y0) < 0.16 * WIDTH * HEIGHT


@pytest.mark.parametrize("face", [(640, 360, 900, 0), (-900, 360, 100, 0)])
def test_a_face_that_fills_the_picture_or_is_not_in_it_has_no_box(face) -> None:
    assert box_of_crops(crop(*face)[None], SIZE, WIDTH, HEIGHT) is None
