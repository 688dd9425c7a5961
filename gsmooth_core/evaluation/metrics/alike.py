"""What the source has where its mouth is open as far: shut lips have less detail than teeth."""

from __future__ import annotations

import numpy as np

from gsmooth_core.types import Float

NEAREST = 9
"""Frames of the source whose mean a frame of the dub is held against."""
FEWEST = 10
"""Frames of the dub that have any, for a ratio to say something."""

_ALIKE = 0.03  # opening over the distance of the eyes' corners: from there two mouths differ


def expected(values: Float, filmed: Float, made: Float) -> Float:
    """Mean of a curve of the source over the frames whose mouth is open as far as the dub's.

    Args:
        values: (T,) of the source; NaN where nothing is known.
        filmed: (T,) opening of its mouth.
        made: (T,) opening of the dub's.

    Returns:
        (T,) what the dub might have; NaN where no mouth of the source is open as far.
    """
    known = np.isfinite(values) & np.isfinite(filmed)
    found = np.full(len(made), np.nan)
    asked = np.flatnonzero(np.isfinite(made))
    if not known.any() or not len(asked):
        return found
    order = np.argsort(filmed[known], kind="stable")
    opening, curve = filmed[known][order].astype(np.float64), values[known][order]
    count = min(NEAREST, len(opening))
    # Of a sorted row the nearest ones lie side by side: the window whose ends are least far away.
    first = np.searchsorted(opening, made[asked]) - count // 2
    places = np.clip(first[:, None] + np.arange(-count, count + 1), 0, len(opening) - count)
    ends = np.maximum(
        np.abs(opening[places] - made[asked, None]),
        np.abs(opening[places + count - 1] - made[asked, None]),
    )  # (N, 2 count + 1)
    best = places[np.arange(len(asked)), ends.argmin(axis=1)]
    sums = np.concatenate([[0.0], np.cumsum(curve, dtype=np.float64)])
    mean = (sums[best + count] - sums[best]) / count
    far = np.abs(opening[best + count // 2] - made[asked]) > _ALIKE
    found[asked] = np.where(far, np.nan, mean)
    return found


def ratio_where_alike(made: Float, true: Float, apertures: tuple[Float, Float]) -> float | None:
    """Mean of a curve of the dub over the source's, less what other openings make of it.

    Args:
        made: (T,) of the dub.
        true: (T,) of the source.
        apertures: (T,) openings of the source's mouth, and of the dub's.

    Returns:
        that of the means where the mouths open alike; None where too few frames can be compared.
    """
    filmed, opened = apertures
    own, wanted = expected(true, filmed, filmed), expected(true, filmed, opened)
    seen, both = np.isfinite(own) & np.isfinite(true), np.isfinite(wanted) & np.isfinite(made)
    if both.sum() < min(FEWEST, len(made)) or not wanted[both].any() or not true[seen].any():
        return None
    raw = made[both].mean(dtype=np.float64) / true[seen].mean(dtype=np.float64)
    return float(raw * own[seen].mean() / wanted[both].mean())
