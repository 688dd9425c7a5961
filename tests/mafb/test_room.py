"""Room for the jaw in a frame's mask."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsmooth_core.mafb.blend import MaskSettings, face_mask, in_crop, row_in_crop, scaled
from gsmooth_core.mafb.room import frame_mask

SETTINGS = MaskSettings()
STILL = dataclasses.replace(SETTINGS, jaw_height=SETTINGS.still)
SIZES = (256, 512)


def face(size: int, chin: float = 0.75, left: float | None = None) -> np.ndarray:
    """(size, size) a lower face: below its middle it ends at `chin`; its left half at `left`."""
    y, x = np.mgrid[:size, :size] / size
    low = np.where(x < 0.5, chin if left is None else left, chin)
    wide = np.abs(x - 0.5) < 0.2
    return np.asarray(wide & (y > 0.35) & (y < low - 0.6 * (x - 0.5) ** 2))


def depth(mask: np.ndarray, column: float) -> int:
    """The last row of a mask in a column."""
    return int(np.flatnonzero(mask[:, round(column * len(mask))]).max())


@pytest.mark.parametrize("size", SIZES)
def test_a_jaw_that_stays_has_the_least_room(size: int) -> None:
    mask = frame_mask(face(size), face(size), SETTINGS)
    np.testing.assert_array_equal(mask, face_mask(face(size), STILL))
    assert mask.sum() < face_mask(face(size), SETTINGS).sum()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", [-1, 1])
def test_a_jaw_that_moves_far_has_all_of_it(size: int, way: int) -> None:
    new = face(size, 0.75 + way * in_crop(7, size) / size)
    mask = frame_mask(face(size), new, SETTINGS)
    whole = face_mask(face(size) | new, SETTINGS)
    assert depth(mask, 0.5) == depth(whole, 0.5)
    lower = depth(face(size) | new, 0.5)
    assert depth(mask, 0.5) - lower >= scaled(SETTINGS.jaw_height, size) // 2


@pytest.mark.parametrize("size", SIZES)
def test_there_is_room_where_the_jaw_moves_alone(size: int) -> None:
    mask = frame_mask(face(size), face(size, left=0.78), SETTINGS)
    still = face_mask(face(size) | face(size, left=0.78), STILL)
    assert depth(mask, 0.36) > depth(still, 0.36)
    assert depth(mask, 0.64) == depth(still, 0.64)


@pytest.mark.parametrize("size", SIZES)
def test_lips_that_part_make_no_room(size: int) -> None:
    parted = face(size)
    parted[round(0.5 * size) : round(0.6 * size), round(0.4 * size) : round(0.6 * size)] = False
    mask = frame_mask(face(size), parted, SETTINGS)
    np.testing.assert_array_equal(mask, frame_mask(face(size), face(size), SETTINGS))


@given(st.floats(-0.06, 0.06), st.floats(-0.06, 0.06))
@settings(max_examples=40, deadline=None)
def test_it_holds_both_faces_and_is_no_larger_than_the_papers(chin: float, left: float) -> None:
    old, new = face(256), face(256, 0.75 + chin, 0.75 + left)
    mask = frame_mask(old, new, SETTINGS)
    assert mask[old | new].all()
    assert not (mask & ~face_mask(old | new, SETTINGS)).any()
    assert not (face_mask(old | new, STILL) & ~mask).any()
    middle = row_in_crop(SETTINGS.middle, 256)
    np.testing.assert_array_equal(mask[:middle], face_mask(old | new, SETTINGS)[:middle])


def test_the_farther_a_jaw_moves_the_more_room_it_has() -> None:
    rooms = []
    for moved in (0, 1.2, 2.2, 4, 6):  # pixels of the paper's crop, upwards
        new = face(256, 0.75 - in_crop(moved, 256) / 256)
        rooms.append(depth(frame_mask(face(256), new, SETTINGS), 0.5))
    assert rooms == sorted(rooms)
    assert len(set(rooms)) >= 3


def test_masks_may_lie_in_memory_otherwise() -> None:
    old, new = face(256), face(256, 0.78)
    turned = frame_mask(np.asfortranarray(old), np.asfortranarray(new), SETTINGS)
    np.testing.assert_array_equal(turned, frame_mask(old, new, SETTINGS))
