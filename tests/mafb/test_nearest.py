"""Against a search through all pixels of the mask."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gsmooth_core.mafb.nearest import nearest

SHAPE = (9, 12)
NUMBERS = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)
VALUES = np.stack([NUMBERS, -NUMBERS], -1)  # each pixel's tell which it is


@given(arrays(bool, SHAPE, elements=st.booleans()))
@settings(max_examples=60, deadline=None)
def test_what_is_carried_is_of_a_nearest_pixel(mask) -> None:
    if not mask.any():
        return
    distance, found = nearest(VALUES, mask)
    known = np.argwhere(mask)
    for at in np.ndindex(SHAPE):
        away = np.hypot(*(known - at).T)
        source = np.divmod(int(found[at][0]), SHAPE[1])
        assert mask[source] and found[at][1] == -found[at][0]
        assert np.hypot(*np.subtract(source, at)) <= 1.05 * away.min()  # steps of a 5 x 5 mask
        assert distance[at] == pytest.approx(away.min(), rel=0.05)


def test_without_a_mask_nothing_is_near() -> None:
    distance, found = nearest(VALUES, np.zeros(SHAPE, bool))
    assert np.isinf(distance).all()
    assert not found.any()
