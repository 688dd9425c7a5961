"""The line between shut lips, drawn from a reference whose lips are open: even, as in a photo."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.face.morphable import Region
from gsmooth_core.taft.mouth.lip_line import even_line, shut
from gsmooth_core.types import Float

HEIGHT, WIDTH = 48, 90
APART = 6.0  # pixels by which the reference's lips are open


def _edge(slope: float) -> Float:
    """(W,) where the lips meet, in pixels."""
    return np.asarray(20.3 + slope * (np.arange(WIDTH) + 0.5), np.float32)


def _drawn(slope: float, apart: float = APART) -> tuple[Float, np.ndarray]:
    """Displacement and visibility of two lips that meet, and what each pixel shows."""
    centres = np.arange(HEIGHT)[:, None] + 0.5
    values = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    values[..., 1] = np.where(centres < _edge(slope), 0, apart)
    values[..., 2] = 1
    region = np.full((HEIGHT, WIDTH), Region.LOWER_FACE, np.uint8)
    region[8:40, 5:-5] = Region.LIPS
    return values, region


def _seen(values: Float, slope: float, apart: float = APART) -> Float:
    """What a reference shows under a displacement: dark between its lips, soft as in a photo."""
    rows = np.arange(HEIGHT)[:, None] + 0.5 + values[..., 1]
    into = np.minimum(rows - _edge(slope), _edge(slope) + apart - rows)  # > 0 between its lips
    return np.asarray(np.clip(0.5 - into, 0, 1), np.float32)


def _line(values: Float, slope: float) -> Float:
    """(W,) how much dark there is between the lips, in pixels."""
    return np.asarray((1 - _seen(values, slope)[:, 12:-12]).sum(0), np.float32)


@pytest.mark.parametrize("slope", [0.03, 0.13, -0.12])
def test_there_is_as_much_of_the_line_in_one_column_as_in_the_next(slope: float) -> None:
    values, region = _drawn(slope)
    before = _line(values, slope)
    after = _line(even_line(values, region, np.zeros(region.shape, bool), 1), slope)
    assert np.ptp(before) > 0.4  # dashes
    assert np.ptp(after) < 0.05
    np.testing.assert_allclose(after, 1, atol=0.05)


def test_nothing_changes_off_the_line(slope: float = 0.13) -> None:
    values, region = _drawn(slope)
    made = even_line(values, region, np.zeros(region.shape, bool), 1)
    far = np.abs(np.arange(HEIGHT)[:, None] + 0.5 - _edge(slope)) > 2.5
    np.testing.assert_array_equal(made[far], values[far])
    assert (made[~far] != values[~far]).any()


def test_what_is_read_beyond_an_edge_fades_with_distance() -> None:
    values, region = _drawn(0.0)
    made = even_line(values, region, np.zeros(region.shape, bool), 1)
    moved = (made - values)[17:24, 40, 1]
    np.testing.assert_allclose(moved, [0, 0.25, 0.5, -0.5, -0.25, 0, 0], atol=1e-6)


def test_no_pixel_of_the_line_is_believed_less_than_the_lips_beside_it() -> None:
    values, region = _drawn(0.0)
    values[19, 20:60:3, 2] = 0.1
    made = even_line(values, region, np.zeros(region.shape, bool), 1)
    np.testing.assert_array_equal(made[..., 2], 1)


@pytest.mark.parametrize("apart", [0.0, 0.7, -3.0])
def test_a_reference_whose_lips_are_shut_has_a_line_of_its_own(apart: float) -> None:
    values, region = _drawn(0.13, apart)
    made = even_line(values, region, np.zeros(region.shape, bool), 1)
    np.testing.assert_array_equal(made, values)


def test_a_mouth_that_is_open_is_left_alone() -> None:
    values, region = _drawn(0.13)
    inside = np.zeros(region.shape, bool)
    inside[20:34, 10:-10] = True
    region[inside] = Region.INNER_MOUTH
    assert not shut(inside).any()
    made = even_line(values, region, inside, 1)
    np.testing.assert_array_equal(made[:, 10:-10], values[:, 10:-10])


def test_a_gap_of_one_pixel_goes_with_the_lips() -> None:
    """The mouth's interior shows in some columns only, and lies far away in the reference."""
    values, region = _drawn(0.0)
    inside = np.zeros(region.shape, bool)
    inside[20, 20:70:3] = True
    region[inside] = Region.INNER_MOUTH
    values[inside] = 40, -30, 0.1
    made = even_line(values, region, inside, 1)
    np.testing.assert_array_equal(shut(inside), inside)
    assert np.abs(made[inside][:, 1]).max() < 1
    assert (made[inside][:, 2] == 1).all()


def test_references_are_drawn_each_for_itself() -> None:
    values, region = _drawn(0.13)
    other, _ = _drawn(0.13, 0.0)
    none = np.zeros(region.shape, bool)
    both = even_line(np.concatenate([values, other], -1), region, none, 2)
    np.testing.assert_array_equal(both[..., :3], even_line(values, region, none, 1))
    np.testing.assert_array_equal(both[..., 3:], other)
