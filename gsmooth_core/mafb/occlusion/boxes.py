"""Boxes in which letters stand: what shows through one stays with it, what lies beside does not.

What was found of a box is found generously: a strip of skin goes with it, or teeth of a mouth that
ends where it begins. Where the box itself ends the picture has a step along a straight line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import cv2
import numpy as np

from gsmooth_core.types import Bool, Float, Image

Values = TypeVar("Values", Bool, Float)

_BOXED = 0.6  # share of what was found in a caption's colours from which it is a box
_CONVEX = 0.85  # share of the rectangle around it that a box fills
_RIM = 6, 0.8  # pixels from the outline, and share of its length, within which a side may be
_STEP = 12.0  # levels between a box and what lies beside it
_SIDE = 0.8  # share of a side with such a step
_INSIDE = 0.6  # share of the first row within that has the colours of a caption
_OUTSIDE = 0.85  # and of the row outside, at most
_SOFT, _MOST = 3, 0.8  # rows over which a side may stretch, and share of the largest step
_SMOOTH = 5  # pixels along a side
_FRAME = 2  # pixels: width of a box's border
_OPAQUE, _PARTLY = (3, 0.95, 0.3), (4, 0.9, 0.1)
"""Sides of four that are seen, and share of the border in a caption's colours, at least, and share
of these colours beside the box at most: of an opaque box, and of one that is partly over hair or
clothes as dark as it is."""


def with_boxes(found: Bool, captioned: Bool, picture: Image, exact: Bool | None = None) -> Bool:
    """The letters, and all of the boxes that they stand in: what shows through a box stays.

    Args:
        found: (H, W) what has a caption's colours.
        captioned: (H, W) the caption as it was found, generously.
        picture: (H, W, 3) RGB.
        exact: (H, W) where nothing beside a box may stay with it; None is nowhere.
    """
    whole = found.copy()
    for place, part, box in _parts(found, captioned, picture):
        kept = whole[place] | _inner(part) if _convex(part) else whole[place]
        if exact is not None and box is not None:
            kept = np.where(exact[place] & (part | box), box, kept)
        whole[place] = kept
    return whole


def _inner(part: Bool) -> Bool:
    return np.asarray(cv2.erode(part.astype(np.uint8), np.ones((3, 3)), borderValue=0) > 0)


def beside_boxes(found: Bool, captioned: Bool, picture: Image) -> Bool:
    """(H, W) what was taken for a part of an upright, opaque box and lies beside it.

    Args:
        found: (H, W) what has a caption's colours.
        captioned: (H, W) the caption as it was found, generously.
        picture: (H, W, 3) RGB.
    """
    beside = np.zeros_like(captioned)
    for place, part, box in _parts(found, captioned, picture):
        if box is not None:
            beside[place] |= part & ~box
    return beside


def _parts(
    found: Bool, captioned: Bool, picture: Image
) -> Iterator[tuple[tuple[slice, slice], Bool, Bool | None]]:
    """Place, extent and box of each part of a caption that is mostly of its colours."""
    count, label, stats, _ = cv2.connectedComponentsWithStats(captioned.astype(np.uint8))
    share = np.bincount(label[found], minlength=count) / stats[:, cv2.CC_STAT_AREA]
    for number in np.flatnonzero(share > _BOXED):
        if number == 0:
            continue
        x, y, width, height, _ = stats[number]
        place = np.s_[y : y + height, x : x + width]
        part = label[place] == number
        yield place, part, _box(picture[place].astype(np.float32), found[place] & part)


def _convex(part: Bool) -> bool:
    y, x = np.nonzero(part)
    (_, size, _) = cv2.minAreaRect(np.column_stack([x, y]).astype(np.int32))
    return bool(len(y) > _CONVEX * (size[0] + 1) * (size[1] + 1))


def _box(levels: Float, own: Bool) -> Bool | None:
    """(h, w) the upright, opaque box that fills most of a picture (h, w, 3); None for none."""
    top, bottom = _sides(levels, own)
    rows = slice(top or 1, len(own) - (bottom or 1))
    if rows.stop - rows.start < 2 * _SOFT:
        return None
    left, right = _sides(levels[rows].transpose(1, 0, 2), own[rows].T)
    columns = slice(left or 1, own.shape[1] - (right or 1))
    if columns.stop - columns.start < 2 * _SOFT:
        return None
    seen = sum(side is not None for side in (top, bottom, left, right))
    box = np.zeros(own.shape, bool)
    box[rows, columns] = True
    beside = (own & ~box).sum() / own.sum()
    found = any(
        seen >= sides and _framed(own[rows, columns]) >= frame and beside <= little
        for sides, frame, little in (_OPAQUE, _PARTLY)
    )
    return box if found else None


def _framed(own: Bool) -> float:
    """Share of the border of (h, w) in a caption's colours; between letters there are gaps."""
    inner = own[_FRAME:-_FRAME, _FRAME:-_FRAME]
    return float((own.sum() - inner.sum()) / (own.size - inner.size))


def _sides(levels: Float, own: Bool) -> tuple[int | None, int | None]:
    """Rows before and after a box in (h, w, 3); None where no side is seen."""
    rim = min(max(_RIM[0], round(_RIM[1] * own.shape[1])), len(own) // 3)
    if rim < 1:
        return None, None
    return _side(levels, own, rim), _side(levels[::-1], own[::-1], rim)


def _side(levels: Float, own: Bool, rim: int) -> int | None:
    """Rows above the upper side of a box in (h, w, 3), whose colours are its own (h, w)."""
    ends = min(rim, levels.shape[1] // 8)
    within = np.s_[:, ends : -ends or None]
    near = cv2.blur(_with_edge(levels[: rim + _SOFT + 2]), (_SMOOTH, 1))[within]
    step = np.abs(near[2:] - near[:-2]).max(2)  # over the row between, which may be mixed
    share = _with_edge(own[: rim + _SOFT + 2])[within].mean(1)
    # Where a letter begins its box lies outside, and where a lip ends no box lies inside.
    clear = ((step > _STEP).mean(1) >= _SIDE) & (share[:-2] <= _OUTSIDE)
    for rows in (clear & (share[2:] >= _INSIDE), clear):
        if rows[:rim].any():
            first = int(rows.argmax())
            strength = np.median(step[first : first + _SOFT], 1)
            return 1 + first + int((strength > _MOST * strength.max()).argmax())
    return None


def _with_edge(rows: Values) -> Values:
    """The rows, the first of them twice."""
    return np.concatenate([rows[:1], rows])
