"""What goes on beside a face that no reference fits."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.taft.warping.beside import (
    APART,
    NEAR,
    fitting,
    go_on,
    gone_on,
    roughness,
    share_of,
)
from gsmooth_core.taft.warping.warp import agreement

SIDE = 64
SEEN = np.arange(SIDE)[:, None] >= np.full(SIDE, 40)  # (SIDE, SIDE) the frame below row 40


def crop() -> np.ndarray:
    """A collar of two colours."""
    made = np.zeros((SIDE, SIDE, 3), np.float32)
    made[:, : SIDE // 2], made[:, SIDE // 2 :] = (0.9, 0.9, 0.8), (0.1, 0.1, 0.3)
    return made


def lent() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 1, (3, SIDE, SIDE, 3)).astype(np.float32)


def test_every_place_has_the_colour_of_the_nearest_that_is_seen() -> None:
    own, away = gone_on(np.where(SEEN[..., None], crop(), 0).astype(np.float32), SEEN)
    np.testing.assert_allclose(own[10:40, :20], np.full((30, 20, 3), (0.9, 0.9, 0.8)), atol=1e-3)
    np.testing.assert_allclose(own[10:40, 44:], np.full((30, 20, 3), (0.1, 0.1, 0.3)), atol=1e-3)
    edge = np.abs(np.diff(own[..., 0], axis=1)).max(1)  # between the colours, row by row
    assert edge[39] > 0.4 and edge[30] < 0.25  # sharp next to what is seen, and soft away from it
    np.testing.assert_array_equal(own[SEEN], crop()[SEEN])
    np.testing.assert_allclose(away[:, 7] * SIDE, np.maximum(40 - np.arange(SIDE), 0), atol=1e-4)


def test_what_fits_its_surroundings_is_left_as_it_is_lent() -> None:
    pictures = lent()
    go_on(pictures, np.full((SIDE, SIDE), APART[0], np.float32), crop(), SEEN, ~SEEN)
    np.testing.assert_array_equal(pictures, lent())
    go_on(pictures, np.ones((SIDE, SIDE), np.float32), crop(), np.zeros_like(SEEN), ~SEEN)
    np.testing.assert_array_equal(pictures, lent())  # nothing is seen that could go on


def test_what_does_not_is_what_goes_on_and_only_where_it_is_not_known() -> None:
    big = np.repeat(np.repeat(crop(), 8, 0), 8, 1)
    seen = np.arange(8 * SIDE)[:, None] >= np.full(8 * SIDE, 320)
    pictures = np.repeat(np.repeat(lent(), 8, 1), 8, 2)
    before, strip = pictures.copy(), np.zeros_like(seen)
    strip[317:320] = True
    apart = np.full(seen.shape, 1.0, np.float32)
    apart[:, :160] = APART[0]
    go_on(pictures, apart, big, seen, strip)
    changed = np.any(pictures != before, axis=(0, 3))
    assert np.array_equal(changed, strip & (np.arange(8 * SIDE) >= 160))
    np.testing.assert_allclose(
        pictures[:, 317:320, 300:], np.full((3, 3, 212, 3), (0.1, 0.1, 0.3)), atol=1e-3
    )


@pytest.mark.parametrize("away", [0.0, 0.004, 0.008])
@pytest.mark.parametrize(("place", "share"), [(-1.0, 0), (0.0, 0), (0.5, 0.5), (1.0, 1), (2.0, 1)])
def test_the_share_rises_from_one_threshold_to_the_other(
    place: float, share: float, away: float
) -> None:
    apart = APART[0] + place * (APART[1] - APART[0])
    assert share_of(apart, away, np.clip) == pytest.approx(share)


def test_a_beard_that_lies_otherwise_is_still_a_beard() -> None:
    """Strands beside strands are as far apart as strands are from their mean."""
    side, rng = 256, np.random.default_rng(1)
    frame, picture = rng.uniform(0, 0.6, (2, side, side, 1)).repeat(3, -1).astype(np.float32)
    seen = np.arange(side)[:, None] >= np.full(side, 160)
    strip = (np.arange(side)[:, None] >= np.full(side, 158)) & ~seen
    apart = np.full(seen.shape, np.abs(frame - picture)[seen].mean(), np.float32)
    assert apart.max() > APART[1]
    rough = roughness(frame, seen)[150:160]
    np.testing.assert_allclose(rough, np.abs(frame - 0.3)[seen].mean(), rtol=0.1)
    pictures = picture[None].copy()
    go_on(pictures, apart, frame, seen, strip)
    np.testing.assert_array_equal(pictures[0], picture)
    smooth = np.full_like(frame, 0.3)
    go_on(pictures, apart, smooth, seen, strip)
    np.testing.assert_allclose(pictures[0][strip], 0.3, atol=1e-3)  # a collar goes on as before


def test_what_is_smooth_is_not_rough_beside_what_is_not_seen() -> None:
    even = np.where(SEEN[..., None], np.full(3, 0.7, np.float32), 0).astype(np.float32)
    assert roughness(even, SEEN).max() < 0.01


def test_what_is_seen_far_away_says_nothing_however_bad_references_are() -> None:
    """Beside a chin that the picture's edge cuts, that would be a white collar for a throat."""
    shares = [share_of(1.0, away, np.clip) for away in (NEAR[0], sum(NEAR) / 2, NEAR[1], 0.1)]
    assert shares == pytest.approx([1, 0.5, 0, 0])


def beside_a_collar() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frame, what is seen of it, and two references: one has its collar's edge elsewhere, and the
    other its jacket, further away, in another colour."""
    side = 256
    frame, seen = np.zeros((side, side, 3), np.float32), np.zeros((side, side), bool)
    frame[:, 100:140], seen[150:] = 0.4, True
    off, other = frame.copy(), frame.copy()
    off[:, 140:143], other[:, 150:] = 0.4, 0.2
    return frame, seen, np.stack([off, other])


def test_what_is_right_next_to_a_place_says_who_goes_on_there() -> None:
    frame, seen, references = beside_a_collar()
    validity = np.ones((2, *seen.shape), np.float32)
    wide, apart = agreement(references, frame, seen, validity)
    factor, least = fitting(references, frame, seen, validity)
    edge = np.s_[145:150, 138:143]
    assert wide[0][edge].min() > wide[1][edge].max()  # by the jackets, the wrong one
    assert factor[0][edge].max() < 0.5 * factor[1][edge].min()
    np.testing.assert_array_equal(least, apart)
    away = slice(100)  # from where nothing is seen nearby, as before
    np.testing.assert_allclose(factor[:, away], wide[:, away], rtol=1e-3)


def test_a_mouth_says_little_of_what_a_reference_has_beside_it() -> None:
    frame, seen, _ = beside_a_collar()
    shown = np.random.default_rng(3).uniform(0.2, 1, seen.shape).astype(np.float32)
    shown[0, 0] = 1
    weights = np.array([1, 0.3, 0.05, 0.001, 0], np.float32)
    validity = weights[:, None, None] * shown
    factor, _ = fitting(np.stack([frame] * len(weights)), frame, seen, validity)
    shares = (validity * factor)[:, 149, 120] / (validity * factor)[0, 149, 120]
    assert shares[1] > 0.9 and shares[2] > 0.7
    assert shares[3] < 0.1 and shares[4] == 0  # they come and go without a jump


def test_a_reference_whose_picture_ends_is_not_the_best_one_there() -> None:
    frame, seen, (off, _) = beside_a_collar()
    validity = np.ones((2, *seen.shape), np.float32)
    validity[1, 130:, 90:] = 0
    factor, _ = fitting(np.stack([off, frame]), frame, seen, validity)
    edge = np.s_[145:150, 138:143]
    assert factor[0][edge].min() > 0.9
