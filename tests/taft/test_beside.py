"""What goes on beside a face that no reference fits."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.taft.beside import APART, go_on, gone_on, share_of

SIDE = 64


def crop() -> np.ndarray:
    """A collar of two colours."""
    made = np.zeros((SIDE, SIDE, 3), np.float32)
    made[:, : SIDE // 2], made[:, SIDE // 2 :] = (0.9, 0.9, 0.8), (0.1, 0.1, 0.3)
    return made


def test_every_place_has_the_colour_of_the_nearest_that_is_seen() -> None:
    around = np.zeros((SIDE, SIDE), bool)
    around[40:] = True
    own = gone_on(np.where(around[..., None], crop(), 0).astype(np.float32), around)
    np.testing.assert_allclose(own[10:40, :24], np.full((30, 24, 3), (0.9, 0.9, 0.8)), atol=1e-4)
    np.testing.assert_allclose(own[10:40, 40:], np.full((30, 24, 3), (0.1, 0.1, 0.3)), atol=1e-4)
    edge = np.abs(np.diff(own[..., 0], axis=1)).max(1)  # between the colours, row by row
    assert edge[39] > 0.4 and edge[30] < 0.2  # sharp next to what is seen, and soft away from it
    np.testing.assert_array_equal(own[around], crop()[around])


def test_what_fits_its_surroundings_is_left_as_it_is_lent() -> None:
    lent = np.random.default_rng(0).uniform(0, 1, (3, SIDE, SIDE, 3)).astype(np.float32)
    pictures, around = lent.copy(), np.arange(SIDE)[:, None] >= np.full(SIDE, 40)
    go_on(pictures, np.full((SIDE, SIDE), APART[0], np.float32), crop(), around, ~around)
    np.testing.assert_array_equal(pictures, lent)


def test_what_does_not_is_what_goes_on_and_only_where_it_is_not_known() -> None:
    lent = np.random.default_rng(0).uniform(0, 1, (3, SIDE, SIDE, 3)).astype(np.float32)
    pictures, around = lent.copy(), np.arange(SIDE)[:, None] >= np.full(SIDE, 40)
    strip = np.zeros_like(around)
    strip[30:40] = True
    apart = np.full((SIDE, SIDE), APART[1], np.float32)
    apart[:, :20] = APART[0]
    go_on(pictures, apart, crop(), around, strip)
    changed = np.any(pictures != lent, axis=(0, 3))
    assert np.array_equal(changed, strip & (np.arange(SIDE) >= 20))
    np.testing.assert_allclose(
        pictures[:, 30:40, 40:], np.full((3, 10, 24, 3), (0.1, 0.1, 0.3)), atol=1e-4
    )


@pytest.mark.parametrize(("place", "share"), [(-1.0, 0), (0.0, 0), (0.5, 0.5), (1.0, 1), (2.0, 1)])
def test_the_share_rises_from_one_threshold_to_the_other(place: float, share: float) -> None:
    apart = APART[0] + place * (APART[1] - APART[0])
    assert share_of(apart, np.clip) == pytest.approx(share)
