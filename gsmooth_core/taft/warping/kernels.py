"""Loops over the pixels of a crop, compiled by numba: one pass each, one thread, the GIL released.

Each does what a few lines of numpy would, without their arrays in between, and looks only at the
pixels that count.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gsmooth_core.face.rasterizer.numba_kernels import compiled, contracted

RAGGED = 2  # pixels at a picture's edge that are of no use
PHASES = 32  # of a pixel, at which OpenCV looks


@compiled
def looked_up(
    moved: Any, seen: Any, matrix: Any, weight: Any, least: Any, high_x: Any, high_y: Any
) -> Any:
    """Where a reference is looked at, and how far it is to be believed there.

    Args:
        moved: (H, W, 2) displacement in crop pixels.
        seen: (H, W) visibility.
        matrix: (2, 3) crop pixels -> places in the reference's pixels, as OpenCV counts them.
        weight: of the reference.
        least: (H, W) visibility that any place has.
        high_x: last place in a row of its pixels.
        high_y: last place in a column.

    Returns:
        (H, W, 2) places, not in the ragged rows that coders leave at a picture's edge; (H, W)
        validity.
    """
    height, width = seen.shape
    at = np.empty((height, width, 2), np.float32)
    validity = np.empty((height, width), np.float32)
    for row in range(height):
        for column in range(width):
            x = column + np.float32(0.5) + moved[row, column, 0]
            y = row + np.float32(0.5) + moved[row, column, 1]
            u = np.float32(matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2])
            v = np.float32(matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2])
            at[row, column, 0] = min(max(u, np.float32(RAGGED)), high_x - np.float32(RAGGED + 0.5))
            at[row, column, 1] = min(max(v, np.float32(RAGGED)), high_y - np.float32(RAGGED + 0.5))
            there = u >= -0.5 and v >= -0.5 and u <= high_x and v <= high_y
            shown = max(seen[row, column], least[row, column])
            validity[row, column] = weight * shown if there else np.float32(0)
    return at, validity


@compiled
def displaced(points: Any, visible: Any, seen: Any, offset: Any, made: Any, k: int) -> None:
    """Where one of K references shows the vertices of a new face, see `warp.displacements`.

    Args:
        points: (V, 2) crop pixels of its own vertices.
        visible: (V,) how well each can be seen.
        seen: (V, >=2) crop pixels of the new face's vertices.
        offset: (V or 1, 2) crop pixels that are added.
        made: (V, K, 3) where the result is put.
        k: which of them it is.
    """
    last = len(offset) - 1
    for v in range(len(seen)):
        for c in range(2):
            made[v, k, c] = points[v, c] - seen[v, c] + offset[min(v, last), c]
        made[v, k, 2] = visible[v]


@compiled
def continued(values: Any, mask: Any, beyond: Any) -> Any:
    """Values (H, W, C) in a mask (H, W); else those of a grid (h, w, C), with a slope between."""
    height, width, count = values.shape
    rows, columns = beyond.shape[:2]
    made = np.empty((height, width, count), np.float32)
    for row in range(height):
        y = max((row + 0.5) * rows / height - 0.5, 0.0)
        top = min(int(y), rows - 1)
        below, down = min(top + 1, rows - 1), np.float32(y - top)
        for column in range(width):
            if mask[row, column]:
                for c in range(count):
                    made[row, column, c] = values[row, column, c]
                continue
            x = max((column + 0.5) * columns / width - 0.5, 0.0)
            left = min(int(x), columns - 1)
            right, across = min(left + 1, columns - 1), np.float32(x - left)
            for c in range(count):
                upper = beyond[top, left, c]
                upper += (beyond[top, right, c] - upper) * across
                lower = beyond[below, left, c]
                lower += (beyond[below, right, c] - lower) * across
                made[row, column, c] = upper + (lower - upper) * down
    return made


@compiled
def differences(picture: Any, frame: Any, known: Any, step: int, thin: int) -> Any:
    """(H / step, W / step) mean over cells of the absolute difference where `known` (H, W).

    Of `thin` rows, and of as many columns, one is looked at.
    """
    height, width = known.shape[0] // step, known.shape[1] // step
    total = np.zeros((height, width), np.float32)
    for row in range(0, height * step, thin):
        for cell in range(width):
            for column in range(cell * step, (cell + 1) * step, thin):
                if known[row, column]:
                    apart = np.float32(0)
                    for c in range(3):
                        apart += abs(picture[row, column, c] - frame[row, column, c])
                    total[row // step, cell] += apart
    return total * np.float32(thin * thin) / np.float32(3 * step * step)


@compiled
def light_apart(
    picture: Any,
    tone: Any,
    lit: Any,
    white: Any,
    known: Any,
    rows: Any,
    columns: Any,
    most: Any,
    grid: Any,
) -> Any:
    """How much lighter some pixels of a frame are than a picture: sums over cells, by their size.

    Args:
        picture: (H, W, 3) levels.
        tone: (256, 3) logarithm of each level.
        lit: (N, 3) logarithms of the frame's pixels.
        white: (N, 3) which of these are full: at least as light as that; (0, 3) for none.
        known: (N,) 0..1 weight of each.
        rows: (N,) where they are.
        columns: (N,).
        most: largest difference, either way, that a pixel counts with.
        grid: rows and columns of the cells, and pixels of a cell's side.
    """
    height, width, step = grid
    total, some = np.zeros((height, width, 3), np.float32), len(white) > 0
    for n in range(len(rows)):
        row, column = rows[n] // step, columns[n] // step
        if row < height and column < width:
            for c in range(3):
                apart = lit[n, c] - tone[picture[rows[n], columns[n], c], c]
                if some and white[n, c]:
                    apart = max(apart, np.float32(0))
                total[row, column, c] += min(max(apart, -most), most) * known[n]
    return total / np.float32(step * step)


@compiled
def relight(picture: Any, tone: Any, gain: Any, made: Any) -> None:
    """A picture in another light.

    Args:
        picture: (H, W, 3) levels.
        tone: (256, 3) what each level becomes, 0..1.
        gain: (h, w, 3) of cells, with a slope from each to the next.
        made: (H, W, 3) where the result is put, 1 at most.
    """
    height, width = picture.shape[:2]
    columns, rows = gain.shape[1], gain.shape[0]
    left, beside = np.empty(width, np.int64), np.empty(width, np.float32)
    for column in range(width):
        x = min(max((column + 0.5) * columns / width - 0.5, 0.0), columns - 1.0)
        left[column] = min(int(x), max(columns - 2, 0))
        beside[column] = x - left[column]
    right = min(1, columns - 1)
    line = np.empty((columns, 3), np.float32)
    for row in range(height):
        y = min(max((row + 0.5) * rows / height - 0.5, 0.0), rows - 1.0)
        top = min(int(y), max(rows - 2, 0))
        below, share = min(top + 1, rows - 1), np.float32(y - top)
        for column in range(columns):
            for c in range(3):
                first = gain[top, column, c]
                line[column, c] = first + (gain[below, column, c] - first) * share
        for column in range(width):
            at, share = left[column], beside[column]
            for c in range(3):
                local = line[at, c] + (line[at + right, c] - line[at, c]) * share
                lit = tone[picture[row, column, c], c] * local
                made[row, column, c] = min(lit, np.float32(1))


@compiled
def fused(references: Any, validity: Any, crop: Any, known: Any) -> Any:
    """(H, W, 3) the crop where it is `known` (H, W), else the mean of references (K, H, W, 3)."""
    count, height, width = validity.shape
    image = np.empty((height, width, 3), np.float32)
    for row in range(height):
        for column in range(width):
            if known[row, column]:
                for c in range(3):
                    image[row, column, c] = crop[row, column, c]
                continue
            red = green = blue = total = np.float32(0)
            for k in range(count):
                weight = validity[k, row, column]
                red += references[k, row, column, 0] * weight
                green += references[k, row, column, 1] * weight
                blue += references[k, row, column, 2] * weight
                total += weight
            image[row, column, 0] = red / total
            image[row, column, 1] = green / total
            image[row, column, 2] = blue / total
    return image


def _cubic() -> Any:
    """(PHASES, 4) weights of the pixels around a place between two, as OpenCV interpolates."""
    share, a = np.arange(PHASES) / PHASES, -0.75
    before, behind = (a * t * (1 - t) ** 2 for t in (share, 1 - share))
    second = ((a + 2) * share - (a + 3)) * share**2 + 1
    return np.stack([before, second, 1 - before - second - behind, behind], 1).astype(np.float32)


TAPS = _cubic()


@contracted
def moved_by(picture: Any, moved: Any, share: Any, top: int, left: int, taps: Any) -> Any:
    """A part of a picture as a share of a displacement moves it, as bicubic `cv2.remap` has it.

    Args:
        picture: (H, W, 3) 0..1; its edge pixels repeat.
        moved: (h, w, 2) displacement x and y in pixels.
        share: (h, w) how much of it; what has none stays and is not looked up.
        top: the part's first row.
        left: its first column.
        taps: `TAPS`.

    Returns:
        (h, w, 3) 0..1.
    """
    height, width = picture.shape[:2]
    rows, columns = share.shape
    made = np.empty((rows, columns, 3), np.float32)
    for row in range(rows):
        for column in range(columns):
            if share[row, column] <= 0:
                for c in range(3):
                    made[row, column, c] = picture[top + row, left + column, c]
                continue
            u = np.float32(left + column) + moved[row, column, 0] * share[row, column]
            v = np.float32(top + row) + moved[row, column, 1] * share[row, column]
            x, y = int(np.rint(u * PHASES)), int(np.rint(v * PHASES))
            across, down = taps[x % PHASES], taps[y % PHASES]
            x, y = x // PHASES - 1, y // PHASES - 1
            red = green = blue = np.float32(0)
            for i in range(4):
                line = picture[min(max(y + i, 0), height - 1)]
                for j in range(4):
                    weight, at = down[i] * across[j], min(max(x + j, 0), width - 1)
                    red += weight * line[at, 0]
                    green += weight * line[at, 1]
                    blue += weight * line[at, 2]
            made[row, column, 0] = min(max(red, np.float32(0)), np.float32(1))
            made[row, column, 1] = min(max(green, np.float32(0)), np.float32(1))
            made[row, column, 2] = min(max(blue, np.float32(0)), np.float32(1))
    return made
