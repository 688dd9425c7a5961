"""What lies beside a face in a reference, brought to where the frame has it.

Around the face a displacement is that of the nearest place of the face, less and less. Collar,
hair and background follow neither: where the head has come nearer to them, references have them
some pixels astray, each its own, and bits of jacket lie on a collar. What is seen of the frame
around its mask says where they are: there each reference is moved by the few pixels with which it
fits best, place by place.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from gsmooth_core.face.rasterizer.numba_kernels import compiled
from gsmooth_core.mafb.regions import Box, box_around
from gsmooth_core.taft.warping.beside import step_of
from gsmooth_core.taft.warping.kernels import TAPS, moved_by
from gsmooth_core.taft.warping.tone import reduced
from gsmooth_core.types import Bool, Float

REACH = 3  # pixels of the grid (`beside.ROWS`): a reference is moved by at most, each way
CELL = 2  # of these: side of a place that is moved
NEAR = 2.0  # places: deviation over which what is seen around one is averaged
PRICE = 0.006  # difference, 0..1, that must be saved for each pixel of the grid
LOOSE = 0.002  # difference from the best movement's at which another one counts e times less
SMOOTH = 1.5  # places: deviation over which movements are averaged
RIM = 0.02  # of the crop's side: distance from the new face over which movements begin
WHOLE, FEW = 0.99, 1e-3  # of a pixel that must be seen, and of a place that is hardly seen

_MARGIN = 3 / 32  # of the crop's side around what is made anew: so far is looked
_STILL = 0.02  # pixels of the crop that are no movement
_ENDS = 1 / 24  # of it: over which movements end there


def bring(pictures: Float, crop: Float, around: Bool, strip: Bool, face: Bool) -> None:
    """Move what references show beside a new face, in place.

    Args:
        pictures: (K, H, W, 3) warped references in the frame's light, 0..1.
        crop: (H, W, 3) the frame, 0..1.
        around: (H, W) what is seen of it beside the new face.
        strip: (H, W) what is made anew beside the new face.
        face: (H, W) what the new face covers.
    """
    part, share = begun(strip, face)
    step, seen = step_of(len(crop)), around[part]
    if not share.any() or not seen.any():
        return
    size = seen.shape[1] // step, seen.shape[0] // step
    frame, known = _grey(crop[part], size), reduced(seen.astype(np.float32), size) > WHOLE
    of = _blurred(_means(known.astype(np.float32)), NEAR)[..., None] + np.float32(FEW)
    tried, price = steps(), prices()
    for picture in pictures:
        grey = _grey(picture[part], size)
        own = cv2.copyMakeBorder(grey, *4 * (REACH,), cv2.BORDER_REPLICATE)
        cost = _blurred(_differences(own, frame, known, REACH, CELL), NEAR) / of
        moved = _blurred(_loosely(cost, price, tried, np.float32(LOOSE)), SMOOTH)
        if np.abs(moved).max() * step > _STILL:
            there = cv2.resize(moved * np.float32(step), share.shape[::-1])
            picture[part] = moved_by(picture, there, share, part[0].start, part[1].start, TAPS)


def begun(strip: Bool, face: Bool) -> tuple[Box, Float]:
    """Where what is beside a new face is moved.

    Args:
        strip: (H, W) what is made anew beside it.
        face: (H, W) what it covers.

    Returns:
        rows and columns around the strip, in whole places, and (h, w) how far movements have begun
        in them: 0 on the face and at their ends, 1 at some distance.
    """
    if not strip.any():
        return np.s_[0:0, 0:0], np.zeros((0, 0), np.float32)
    place, margin = CELL * step_of(len(strip)), round(_MARGIN * len(strip))
    ends = [s.indices(n)[:2] for s, n in zip(box_around(strip, margin), strip.shape, strict=True)]
    first, last = ([end[n] // place * place for end in ends] for n in (0, 1))
    part = np.s_[first[0] : last[0], first[1] : last[1]]
    apart = cv2.distanceTransform((~face[part]).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    down, across = (
        np.minimum(np.arange(n), np.arange(n)[::-1]) / (_ENDS * len(face)) for n in apart.shape
    )
    share = np.minimum(apart / (RIM * len(face)), np.minimum(down[:, None], across))
    return part, np.asarray(np.clip(share, 0, 1), np.float32)


def steps() -> Float:
    """(N, 2) movements x and y that are tried, in pixels of the grid, row by row."""
    y, x = np.mgrid[-REACH : REACH + 1, -REACH : REACH + 1]
    tried: Float = np.stack([x.ravel(), y.ravel()], -1).astype(np.float32)
    return tried


def prices() -> Float:
    """(N,) difference, 0..1, that each of `steps` must save."""
    return np.asarray(PRICE * np.hypot(*steps().T), np.float32)


@compiled
def _differences(own: Any, frame: Any, known: Any, reach: int, cell: int) -> Any:
    """(h / cell, w / cell, N) mean difference of each movement over places, where it is known.

    Args:
        own: (h + 2 reach, w + 2 reach) a reference.
        frame: (h, w).
        known: (h, w) what is compared.
        reach: pixels by which it is moved at most.
        cell: side of a place.
    """
    height, width = frame.shape[0] // cell, frame.shape[1] // cell
    count = 2 * reach + 1
    total = np.zeros((height, width, count * count), np.float32)
    for row in range(height * cell):
        for column in range(width * cell):
            if known[row, column]:
                place, wanted = total[row // cell, column // cell], frame[row, column]
                for down in range(count):
                    for across in range(count):
                        apart = abs(own[row + down, column + across] - wanted)
                        place[down * count + across] += apart
    return total / np.float32(cell * cell)


@compiled
def _loosely(cost: Any, price: Any, steps: Any, loose: Any) -> Any:
    """(h, w, 2) the movement that costs (h, w, N) the least, and those that hardly cost more."""
    height, width, count = cost.shape
    moved = np.zeros((height, width, 2), np.float32)
    for row in range(height):
        for column in range(width):
            least = np.float32(np.inf)
            for n in range(count):
                least = min(least, cost[row, column, n] + price[n])
            x = y = total = np.float32(0)
            for n in range(count):
                more = (cost[row, column, n] + price[n] - least) / loose
                if more < 16:
                    weight = np.exp(-more)
                    total += weight
                    x += weight * steps[n, 0]
                    y += weight * steps[n, 1]
            moved[row, column, 0] = x / total
            moved[row, column, 1] = y / total
    return moved


def _grey(picture: Float, size: tuple[int, int]) -> Float:
    """(h, w) of so many columns and rows."""
    return reduced(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), size)


def _means(values: Float) -> Float:
    """(h / CELL, w / CELL) means over places."""
    return reduced(values, (values.shape[1] // CELL, values.shape[0] // CELL))


def _blurred(values: Float, sigma: float) -> Float:
    """Of (h, w) or (h, w, C) under a Gaussian."""
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma), np.float32)
