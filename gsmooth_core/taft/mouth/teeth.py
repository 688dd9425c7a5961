"""Two rows of teeth between the lips: the upper is the skull's, the lower is the jaw's.

Lips bare teeth and cover them, and a jaw parts the rows; nothing of that makes a tooth longer. So
what lies between the lips of a photo is taken in two pieces, above and below the dark line between
its rows, and each goes where the mesh's own teeth go. Between them the model's own mouth shows.

A clip has frames whose mouth is open alike, and stretching those is as good: over nine clips 25.2
dB on lips and mouth either way.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import MorphableModel, Region
from gsmooth_core.taft.mouth.interior import OpenMouth, alike, open_mouth
from gsmooth_core.taft.warping.warp import Reference, pixels_at
from gsmooth_core.types import Bool, Float

_STILL = 1e-6  # decimetres that the jaw moves what it does not move
_LEAST = 0.012  # of the crop's side: opening in which rows can be told apart
_LIPS = np.array([-0.8, -0.5, 1.5, 1.8])[:, None]  # places on the lips, as shares of the opening
_BRIGHT = 0.95  # of the lips' brightest tenth: that of an opening with teeth, 1.1 to 1.4 where seen
_LEVELS = 24  # places between the lips at which a reference is looked at
_SMOOTH = 12  # times the mouth's width: deviation over which the line is averaged
_DEEP = 0.15  # of the mouth's brightness: what a dark line is darker than both sides at least
_ALL, _RED, _GREEN = slice(None), slice(1), slice(1, 2)  # channels
_TOOTH = 40  # times the mouth's width: deviation over which its end is averaged
_GREENER, _SHADED = 0.7, 0.4  # of the brightest tenth's: a tooth has more; one in the shade
_UNEVEN = 0.16  # of the opening: between the quartiles of its ends, corners left out
_AS_PALE = 0.85  # of their green over their red: that one has more
_SEAM = 1.0  # pixels over which a row of teeth ends


@dataclass(frozen=True)
class ToothRows:
    """Vertices of the two rows of a face model's teeth."""

    upper: NDArray[np.int64]
    lower: NDArray[np.int64]


def tooth_rows(model: MorphableModel) -> ToothRows | None:
    """The rows of a model's teeth: the jaw moves one of them. None where it has no teeth."""
    teeth = np.flatnonzero(model.regions == Region.TEETH)
    if not len(teeth) or "jawOpen" not in model.expression_names:
        return None
    opening = model.expression_basis[model.expression_names.index("jawOpen")]
    moves = np.linalg.norm(opening.reshape(-1, 3)[teeth], axis=1)
    upper, lower = teeth[moves < _STILL], teeth[moves >= _STILL]
    return ToothRows(upper, lower) if min(len(upper), len(lower)) > 2 else None


def slide(
    values: Float, inside: Bool, seen: Float, reference: Reference, teeth: ToothRows
) -> Float:
    """Let teeth keep their size between the lips.

    Args:
        values: (H, W, 3) displacement (x, y) and visibility of the only reference, already
            carried across the mouth (`interior.bridge`).
        inside: (H, W) the mouth's interior.
        seen: (V, >=2) crop pixels of the new face's vertices.
        reference: the reference.
        teeth: of the face model.

    Returns:
        (H, W, 3) with new values inside.
    """
    mouth = open_mouth(inside)
    if mouth is None:
        return values
    upper, lower = values[mouth.top, mouth.columns], values[mouth.bottom, mouth.columns]  # (N, 3)
    first, last = mouth.top + upper[:, 1], mouth.bottom + lower[:, 1]
    tall = last - first > _LEAST * len(inside)
    levels = ((np.arange(_LEVELS) + 0.5) / _LEVELS)[:, None]
    between = _between(reference, mouth, upper, lower, levels)
    lips = _between(reference, mouth, upper, lower, _LIPS)
    if not tall.any() or not shows_teeth(between[:, tall], lips[:, tall]):
        return values
    red, green = (_between(reference, mouth, upper, lower, levels, c) for c in (_RED, _GREEN))
    dark, end = dark_line(between), row_end(red, green)
    line = first + np.minimum(dark, end) * (last - first)
    alone = end < dark  # what lies below that row is lip, and no other row
    slid, part = values.copy(), mouth.part
    new = np.stack(_in_rows(mouth, first, line, last, alone, seen, reference.points, teeth), -1)
    chosen = (inside[part] & tall)[..., None]
    slid[..., 1:][part] = np.where(chosen, new, values[..., 1:][part])
    return slid


def shows_teeth(between: Float, lips: Float) -> bool:
    """Whether there are teeth in an opening, by its brightness (R, N) and that of the lips (S, N).

    Of lips that are shut a track may think that they are open, under a beard above all; then what
    is between them is the shadow of their line.
    """
    return bool(np.percentile(between, 90) > _BRIGHT * np.percentile(lips, 90))


def dark_line(brightness: Float) -> Float:
    """Where the dark line between two rows of teeth is.

    Args:
        brightness: (R, N) between the lips, from the upper one to the lower one.

    Returns:
        (N,) 0..1 of the way down; 1 where nothing lies below what is seen of the upper row.
    """
    above = np.maximum.accumulate(brightness, 0)
    below = np.maximum.accumulate(brightness[::-1], 0)[::-1]
    depth = np.minimum(above, below) - brightness
    deepest = depth.max(0) / max(float(np.ptp(brightness)), 1.0)
    found = np.where(deepest > _DEEP, deepest, 0)
    place = (depth.argmax(0) + 0.5) / len(brightness)
    # Teeth have gaps, and a line that is hidden somewhere goes on from where it is seen.
    deviation = max(brightness.shape[1] / _SMOOTH, 1.0)
    weight, total = (
        cv2.GaussianBlur(v.astype(np.float32)[None], (0, 0), deviation)[0]
        for v in (found, found * place)
    )
    line: Float = np.where(weight > _DEEP / 2, total / np.maximum(weight, 1e-6), 1)
    return line.astype(np.float32)


def row_end(red: Float, green: Float) -> Float:
    """Where teeth end above a lip, which is darker than they are in green, and redder.

    Args:
        red: (R, N) of what is between the lips, from the upper one to the lower one.
        green: (R, N) likewise.

    Returns:
        (N,) 0..1 of the way down; 1 where teeth reach the lip, or where two rows that meet leave
        no even end.
    """
    bright = float(np.percentile(green, 90))
    tint = green / np.maximum(red, 1)
    pale = tint > _AS_PALE * np.median(tint[green >= bright])  # a lower row lies in the shade
    tooth = (green > _GREENER * bright) | (pale & (green > _SHADED * bright))
    ends = np.where(tooth.any(0), len(green) - tooth[::-1].argmax(0), len(green)) / len(green)
    deviation = max(green.shape[1] / _TOOTH, 1.0)
    even = cv2.GaussianBlur(ends.astype(np.float32)[None], (0, 0), deviation)[0]
    aside = len(even) // 6
    spread = np.subtract(*np.percentile(even[aside : len(even) - aside], (75, 25)))
    told = float(spread) < _UNEVEN
    return np.asarray(even if told else np.ones_like(even), np.float32)


def _between(
    reference: Reference,
    mouth: OpenMouth,
    upper: Float,
    lower: Float,
    share: Float,
    channels: slice = _ALL,
) -> Float:
    """(R, N) brightness of a reference at shares (R, 1) of its opening.

    0 is the upper lip, 1 the lower one, whose displacements (N, 3) are known.
    """
    places = [
        (own + upper[:, axis]) * (1 - share) + (other + lower[:, axis]) * share
        for axis, own, other in ((0, mouth.columns, mouth.columns), (1, mouth.top, mouth.bottom))
    ]
    pixels = pixels_at(reference, np.stack(places, -1).astype(np.float32) + np.float32(0.5))
    deviation = max(len(mouth.columns) / _SMOOTH, 1.0)
    grey = pixels[..., channels].astype(np.float32).mean(-1)
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), sigmaX=deviation, sigmaY=0.7))


def _in_rows(
    mouth: OpenMouth,
    first: Float,
    line: Float,
    last: Float,
    alone: Bool,
    seen: Float,
    shown: Float,
    teeth: ToothRows,
) -> tuple[Float, Float]:
    """(R, N) displacement downwards and visibility inside of a mouth.

    Args:
        mouth: the new one.
        first: (N,) row of the upper lip in the reference.
        line: (N,) row of the line between its teeth.
        last: (N,) row of its lower lip.
        alone: (N,) where no teeth lie below that line.
        seen: (V, >=2) vertices of the new face.
        shown: (V, 2) those of the reference's.
        teeth: of the face model.
    """
    top, bottom, rows = (v.astype(np.float32) for v in (mouth.top, mouth.bottom, mouth.rows))
    ends = np.maximum(_carried(teeth.upper, seen, shown, mouth.columns, line), top + 1)
    begins = _carried(teeth.lower, seen, shown, mouth.columns, line)
    begins = np.where(alone | (line >= last - 1), bottom, np.clip(begins, ends, bottom)).astype(
        np.float32
    )
    above, below = ends - top, np.maximum(bottom - begins, 1e-3)
    # A lip covers what there is no room for, and only a lip that bares more stretches it.
    own_above, own_below = np.minimum(line - first, above), np.minimum(last - line, below)
    upper = line + (rows - ends) * (own_above / above)
    lower = line + (rows - begins) * (own_below / below)
    is_upper, is_lower = rows <= ends, rows >= begins
    hole = np.minimum(rows - ends, begins - rows).clip(0)
    valid = np.where(is_upper, alike(own_above, above), alike(own_below, below))
    valid = np.where(is_upper | is_lower, valid, valid * np.exp(-((hole / _SEAM) ** 2)))
    moved = np.where(is_upper, upper, lower) - rows
    return moved.astype(np.float32), valid.astype(np.float32)


def _carried(
    row: NDArray[np.int64], seen: Float, shown: Float, columns: NDArray[np.int64], line: Float
) -> Float:
    """(N,) rows at which a new face has what a row of teeth has at `line` in a reference.

    A row is a rigid body, and flat: an affine map carries it.
    """
    own = np.column_stack([seen[row, :2], np.ones(len(row))]).astype(np.float64)
    across, down, offset = np.linalg.lstsq(own, shown[row, 1].astype(np.float64), rcond=None)[0]
    carried: Float = (line - across * columns - offset) / max(float(down), 0.1)
    return carried
