"""What is around a face follows its throat where some of that shows, and one thing only."""

from __future__ import annotations

import numpy as np
import pytest

from gsmooth_core.taft.warping.slivers import leading
from gsmooth_core.taft.warping.warp import extend
from gsmooth_core.types import Bool, Float

CHIN = 0.75  # of the side


def _ball(size: int) -> tuple[Bool, Float]:
    """A ball whose outline is the face's, 7 centimetres in radius, 9 away."""
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    squared = ((x - 0.5) ** 2 + (y - 0.45) ** 2) / 0.3**2
    mask = squared < 1
    depth = np.where(mask, 9 - 0.7 * np.sqrt(np.clip(1 - squared, 0, 1)), np.inf)
    return mask, depth.astype(np.float32)


def _with_throat(size: int, wide: int, part: slice) -> tuple[Bool, Float, Bool]:
    """The ball with a band of throat below it, in the columns `part`."""
    mask, depth = _ball(size)
    band = np.zeros_like(mask)
    for column in range(size)[part]:
        rows = np.flatnonzero(mask[:, column])
        if len(rows):
            band[rows[-1] + 1 : rows[-1] + 1 + wide, column] = True
    throat = np.where(band, np.float32(9.6), depth)
    return mask | band, throat.astype(np.float32), band


@pytest.mark.parametrize("size", [128, 256, 512])
def test_a_face_without_a_throat_is_followed_everywhere(size: int) -> None:
    mask, depth = _ball(size)
    np.testing.assert_array_equal(leading(mask, depth), mask)


@pytest.mark.parametrize(("size", "wide"), [(128, 1), (128, 3), (256, 1), (256, 5), (512, 9)])
def test_beside_a_sliver_of_throat_the_chin_is_not_followed(size: int, wide: int) -> None:
    middle = slice(size // 2 - size // 32, size // 2 + size // 32)
    mask, depth, band = _with_throat(size, wide, middle)
    followed = leading(mask, depth)
    assert followed[band].all()
    rows, columns = np.nonzero(mask & ~followed)
    assert rows.min() > 0.6 * size  # nothing but the chin
    left = np.flatnonzero(band.any(0))[0]
    assert left - columns.min() == pytest.approx(size / 16, abs=1)
    assert not followed[rows.max() - size // 64 : rows.max(), middle].any()


def test_a_chin_before_a_broad_throat_is_followed_as_it_was() -> None:
    mask, depth, _ = _with_throat(256, 40, slice(None))
    middle = np.s_[:, 96:160]
    np.testing.assert_array_equal(leading(mask, depth)[middle], mask[middle])


def test_a_neck_goes_with_its_throat_wherever_a_sliver_of_it_shows() -> None:
    """A jaw has opened by 8 pixels; columns without any throat are no seam of the neck."""
    size, shown = 256, slice(118, 132)
    mask, depth, band = _with_throat(size, 1, slice(100, 156))
    hidden = band.copy()
    hidden[:, : shown.start] = hidden[:, shown.stop :] = False
    mask, depth = mask & ~hidden, np.where(hidden, np.float32(np.inf), depth)
    values = np.where(band & ~hidden, 0.3, -8.0)[..., None] * mask[..., None]
    torn = extend(values.astype(np.float32), mask)
    whole = extend(values.astype(np.float32), mask, depth.astype(np.float32))
    np.testing.assert_array_equal(whole[mask], values[mask].astype(np.float32))
    below = np.s_[int(CHIN * size) + 2 : int(CHIN * size) + 8, 112:144, 0]
    assert np.ptp(torn[below]) > 1.5
    assert np.abs(whole[below]).max() < 0.8
