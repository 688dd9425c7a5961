"""A photo as its surface is seen when its nodes have moved.

For each pixel of the result the place of the photo that is seen there is found by rasterising the
moved surface. Where one part of the surface ends before another, a pixel shows some of both: what
is near such an edge is rasterised again, finer, and the mean of what its samples show is taken,
else an edge would be a stair of pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.rasterizer import Raster, rasterize
from gsmooth_core.portrait.layers import Layers
from gsmooth_core.portrait.sheet import Sheet
from gsmooth_core.types import Bool, Float, Image

Pixel = NDArray[np.int_]

_STILL = 0.02  # pixels: what moves less is the photo itself, bit by bit
_MARGIN = 2  # pixels around what moves
_DRAWN_OUT = 4.0  # times as far as it lacks, a photo is stretched at its edge
_EVEN = 9  # pixels along the edge over which that is even
_FINEST = 640  # pixels, the longer side of what is rasterised whole
_TORN = 3.0  # times as far apart as at rest: two pixels between which one place hides another
_SAMPLES = 2  # along each side of a pixel, near such an edge
_NEAR = 3  # pixels from it, and steps of the surface
_STRIP = 512  # rows of pixels that are rasterised so at once
_ROW = 1024  # samples that are looked up in one row


def warped(photo: Image, sheet: Sheet, seen: Float, layers: Layers | None = None) -> Image:
    """The photo as its surface is seen when its nodes have moved; nearer places hide others.

    Args:
        photo: (H, W, 3) uint8 RGB.
        sheet: its surface.
        seen: (N, 3) u, v and depth of the nodes.
        layers: the background that stays; None where it is one surface with the person.
    """
    low, high = _moving_box(sheet.pixels, seen, photo.shape)
    if (high <= low).any():
        return photo.copy()
    part = np.s_[low[1] : high[1], low[0] : high[0]]
    raster = _rasterised(sheet.faces, sheet, seen, low, high - low, _scale(high - low))
    x, y, covered = _source_map(raster, high - low)
    at_x, at_y = _drawn_out(x, y, covered, low, sheet.size)
    rows, columns = np.mgrid[part]
    moves = covered & (np.maximum(abs(at_x - columns), abs(at_y - rows)) > _STILL)
    behind = None if layers is None else layers.background[part]
    new = _looked_up(photo, layers, at_x, at_y, behind, moves)
    edges = _edges(raster, high - low) & moves
    if edges.any():
        known = np.stack([x[edges], y[edges]], 1)  # (K, 2)
        further = np.stack([at_x[edges], at_y[edges]], 1) - known
        under = None if behind is None else behind[edges]
        places = (place + further for place in _samples(sheet, seen, edges, known, low))
        shown = [_listed(photo, layers, place, under) for place in places]
        new[edges] = np.rint(np.mean(shown, axis=0, dtype=np.float32)).astype(np.uint8)
    out = photo.copy()
    out[part][moves] = new[moves]
    return out


def _moving_box(rest: Float, seen: Float, shape: tuple[int, ...]) -> tuple[Pixel, Pixel]:
    """Corners (2,) of the part of the picture in which anything moves."""
    across, down = np.abs(seen[:, :2] - rest).T
    moving = np.maximum(across, down) > _STILL / 2
    if not moving.any():
        return np.zeros(2, int), np.zeros(2, int)
    reach = np.concatenate([rest[moving], seen[moving, :2]])
    size = (shape[1], shape[0])
    low = np.clip(np.floor(reach.min(0)).astype(int) - _MARGIN, 0, size)
    return low, np.clip(np.ceil(reach.max(0)).astype(int) + _MARGIN, 0, size)


def _scale(size: Pixel) -> float:
    """Large boxes are rasterised smaller: the map is smooth but where something hides another."""
    return float(min(1.0, _FINEST / size.max()))


def _rasterised(
    faces: NDArray[np.int32], sheet: Sheet, seen: Float, low: Pixel, size: Pixel, scale: float
) -> Raster:
    """Column and row of the photo (.5 is the middle of the first) in a box of `scale` its size."""
    across, down = (max(1, round(float(n) * scale)) for n in size)
    local = seen.astype(np.float32)
    local[:, :2] = (seen[:, :2] - low) * (np.array([across, down]) / size)
    return rasterize(local, faces, sheet.pixels, down, across)


def _source_map(raster: Raster, size: Pixel) -> tuple[Float, Float, Bool]:
    """Column and row of the photo that each pixel of a box shows, and whether it shows one."""
    box = int(size[0]), int(size[1])
    found, mask = raster.image, raster.mask.astype(np.uint8)
    if mask.shape != box[::-1]:
        found = cv2.resize(found, box, interpolation=cv2.INTER_LINEAR)
        mask = cv2.resize(mask, box, interpolation=cv2.INTER_NEAREST)
    x, y = (np.ascontiguousarray(found[..., n]) - np.float32(0.5) for n in range(2))
    return x, y, mask > 0


def _drawn_out(
    x: Float, y: Float, covered: Bool, low: Pixel, size: tuple[int, int]
) -> tuple[Float, Float]:
    """The map, drawn out where it lies beyond a photo of this width and height."""
    columns, rows = (low[n] + np.arange(x.shape[1 - n]) for n in range(2))
    return within(x.T, columns, size[0], covered.T).T, within(y, rows, size[1], covered)


def within(source: Float, places: Pixel, size: int, covered: Bool) -> Float:
    """Rows of the photo that are seen at rows `places` (N,), drawn out where they lie beyond it.

    What was cut off by the photo's edge is not known: the nearest that is known is stretched, by
    less than twice, and so is neither mirrored nor repeated.

    Args:
        source: (N, M) rows of the photo, for M columns.
        places: (N,) the rows of the picture; the photo's own edges matter alone.
        size: rows of the photo.
        covered: (N, M) where `source` counts.
    """
    for edge, inward in ((0, 1), (size - 1, -1)):
        at = int(edge - places[0])
        if not 0 <= at < len(places):
            continue
        beyond = np.where(covered[at], np.maximum(inward * (edge - source[at]), 0), 0)  # (M,)
        beyond = cv2.blur(beyond[None].astype(np.float32), (_EVEN, 1))[0]
        away = inward * (places - edge)[:, None] / np.maximum(_DRAWN_OUT * beyond, 1e-6)
        source = source + inward * beyond * np.maximum(1 - away, 0) ** 2
    return np.ascontiguousarray(source, np.float32)


def _looked_up(
    photo: Image, layers: Layers | None, x: Float, y: Float, behind: Image | None, where: Bool
) -> Image:
    """(H, W, 3) what a photo shows at places (H, W), before what is `behind` them.

    Where `where` is not, it may be anything.
    """
    new: Image = cv2.remap(photo, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    if layers is not None and behind is not None:
        alpha = cv2.remap(layers.alpha, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        mixed = where & (alpha < 1)
        under = behind[mixed].astype(np.float32)  # (N, 3)
        new[mixed] = np.rint(under + alpha[mixed][:, None] * (new[mixed] - under)).astype(np.uint8)
    return new


def _edges(raster: Raster, size: Pixel) -> Bool:
    """(H, W) pixels of a box beside which one part of the surface ends before another."""
    far = _TORN * size.max() / max(raster.mask.shape)  # pixels
    torn = np.zeros(raster.mask.shape, np.uint8)
    for axis in (0, 1):
        apart = np.maximum(*cv2.split(np.abs(np.diff(raster.image, axis=axis)))) > far
        for beside in (slice(1, None), slice(None, -1)):
            torn[(beside,) if axis == 0 else (slice(None), beside)] |= apart
    near = cv2.dilate(torn, np.ones((3, 3), np.uint8))
    box = int(size[0]), int(size[1])
    return np.asarray(cv2.resize(near, box, interpolation=cv2.INTER_NEAREST) > 0)


def _near(sheet: Sheet, seen: Float, edges: Bool, low: Pixel) -> Bool:
    """(F,) triangles of the surface that are seen, or hidden, near pixels of a box."""
    reach = round(_NEAR * max(1.0, float(sheet.pixels[1, 0] - sheet.pixels[0, 0])))
    padded = np.pad(edges.astype(np.uint8), reach + 1)  # nothing beyond
    around = cv2.dilate(padded, np.ones(2 * (2 * reach + 1,), np.uint8))
    last = np.array(around.shape[::-1]) - 1
    column, row = np.clip(seen[:, :2] - low + reach + 1, 0, last).astype(int).T
    found = around[row, column] > 0
    a, b, c = sheet.faces.T
    return np.asarray(found[a] | found[b] | found[c])


def _samples(sheet: Sheet, seen: Float, edges: Bool, known: Float, low: Pixel) -> Float:
    """(S, K, 2) places of the photo that the K pixels `edges` of a box show, sample by sample.

    A sample that no triangle covers shows what is `known` (K, 2) of its pixel. Strip by strip, as
    samples of a large photo's whole box would take a gigabyte.
    """
    found, done = list[Float](), 0
    for top in range(0, len(edges), _STRIP):
        part = edges[top : top + _STRIP]
        ours = known[done : done + np.count_nonzero(part)]
        done += len(ours)
        if len(ours):
            found.append(_of_strip(sheet, seen, part, ours, low + np.array([0, top])))
    return np.concatenate(found, 1)


def _of_strip(sheet: Sheet, seen: Float, edges: Bool, known: Float, low: Pixel) -> Float:
    """(S, K, 2) see `_samples`."""
    rows, columns = np.nonzero(edges)
    first = np.array([columns.min(), rows.min()])
    size = np.array([columns.max(), rows.max()]) + 1 - first
    faces = sheet.faces[_near(sheet, seen, edges, low)]
    fine = _rasterised(faces, sheet, seen, low + first, size, _SAMPLES)
    shown = []
    for i, j in np.ndindex(_SAMPLES, _SAMPLES):
        at = (rows - first[1]) * _SAMPLES + i, (columns - first[0]) * _SAMPLES + j
        shown.append(np.where(fine.mask[at][:, None], fine.image[at] - np.float32(0.5), known))
    return np.stack(shown)


def _listed(photo: Image, layers: Layers | None, places: Float, behind: Image | None) -> Image:
    """(K, 3) what a photo shows at places (K, 2) before what is `behind` each (K, 3)."""
    count = len(places)
    order = np.resize(np.arange(count), (-(-count // _ROW), _ROW))  # as a picture, some twice
    x, y = (np.ascontiguousarray(places[:, n], np.float32)[order] for n in range(2))
    under = None if behind is None else behind[order]
    new = _looked_up(photo, layers, x, y, under, np.ones(order.shape, bool))
    return np.asarray(new.reshape(-1, 3)[:count])  # (rows * _ROW, 3)
