"""A mouth is carried across in its own part of a crop, as it would be in all of it."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.face.morphable import Region
from gsmooth_core.taft.mouth.interior import bridge
from gsmooth_core.taft.mouth.lip_line import even_line, shut
from gsmooth_core.taft.mouth.shown import mouth_field


@pytest.mark.parametrize(("gap", "lips"), [(0, True), (1, True), (7, True), (7, False)])
@pytest.mark.parametrize("top", [0, 20, 54])
def test_the_part_of_a_mouth_is_what_changes(gap: int, lips: bool, top: int) -> None:
    """Also of one whose lips something hides."""
    rng = np.random.default_rng(gap)
    values = rng.normal(0, 2, (64, 64, 6)).astype(np.float32)
    region = np.full((64, 64), Region.SKIN, np.uint8)
    rows = slice(top, min(top + 10 + gap, 64))
    if lips:
        region[rows, 10:50] = Region.LIPS
    inside = np.zeros((64, 64), bool)
    inside[top + 5 : top + 5 + gap, 15:45] = True
    part, made = mouth_field(values, region, inside, 2)
    wanted = bridge(even_line(values, region, inside, 2), inside & ~shut(inside), 2)
    whole = values.copy()
    whole[part] = made
    np.testing.assert_array_equal(whole, wanted)
    assert (whole != values).any()


def test_no_mouth_is_no_part() -> None:
    skin, none = np.full((8, 8), Region.SKIN, np.uint8), np.zeros((8, 8), bool)
    part, made = mouth_field(np.ones((8, 8, 3), np.float32), skin, none, 1)
    assert not made.size
    assert not none[part].size
