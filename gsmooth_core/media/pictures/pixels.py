"""Parts of stored pictures as RGB of floating point, and back into their own samples.

Colour is brought between its samples, and back, as swscale does it: by the same cubic, and with
each sample in the middle of its pixels. So these parts fit the pictures that are read as RGB.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.media.pictures.colour import matrix_of
from gsmooth_core.media.pictures.planes import Plane, Planes
from gsmooth_core.media.reading.description import Picture
from gsmooth_core.types import Bool, Box, Float

# Parts of red and blue in luma (ITU-R BT.601, 709, 2020; FCC; SMPTE 240M).
_LUMA = {
    "bt709": (0.2126, 0.0722), "bt601": (0.299, 0.114), "fcc": (0.30, 0.11),
    "smpte240m": (0.212, 0.087), "bt2020": (0.2627, 0.0593),
}  # fmt: skip

_CUBIC = -0.6  # swscale's "bicubic", (B, C) = (0, 0.6) of Mitchell and Netravali
_REACH = 4  # pixels beyond a box that its samples of colour are made of


@dataclass(frozen=True)
class Pixels:
    """Reads and writes parts of the pictures of one source.

    Attributes:
        picture: how they are stored.
    """

    picture: Picture

    def rgb(self, planes: Planes, box: Box) -> Float:
        """(h, w, 3) RGB, 0..1 where light is as usual, of `box` (x0, y0, x1, y1)."""
        layout = planes.layout
        first = self._luma(_cut(planes.planes[0], box), planes)
        if layout.grey:
            return np.repeat(first[..., None], 3, 2)
        if layout.rgb:
            green, blue, red = (self._luma(_cut(p, box), planes) for p in planes.planes[:3])
            return np.stack([red, green, blue], -1)
        u, v = (self._colour(p, planes, box) for p in planes.planes[1:3])
        kr, kb = _LUMA[matrix_of(self.picture)]
        red, blue = first + 2 * (1 - kr) * v, first + 2 * (1 - kb) * u
        green = (first - kr * red - kb * blue) / (1 - kr - kb)
        return np.stack([red, green, blue], -1)

    def write(self, planes: Planes, box: Box, rgb: Float, changed: Bool) -> None:
        """Put (h, w, 3) RGB into `box` where (h, w) `changed` says so; other samples stay.

        The box begins on whole samples of colour, see `around`.
        """
        layout = planes.layout
        red, green, blue = np.moveaxis(rgb, -1, 0)
        if layout.rgb:
            for plane, values in zip(planes.planes[:3], (green, blue, red), strict=True):
                _put(_cut(plane, box), self._coded(values, planes, 1.0, 0.0), changed)
            return
        kr, kb = _LUMA[matrix_of(self.picture)]
        luma = kr * red + (1 - kr - kb) * green + kb * blue
        scale, offset = self._span(planes)
        _put(_cut(planes.planes[0], box), self._coded(luma, planes, scale, offset), changed)
        if layout.grey:
            return
        under = planes.under(changed, _small(changed.shape, layout.step))
        for plane, values in (
            (planes.planes[1], (blue - luma) / (2 * (1 - kb))),
            (planes.planes[2], (red - luma) / (2 * (1 - kr))),
        ):
            fine = _reduced(values, layout.step)
            scale, offset = self._colour_span(planes)
            _put(
                _cut(plane, _smaller(box, layout.step)), _rounded(fine, plane, scale, offset), under
            )

    def around(self, box: Box, planes: Planes) -> Box:
        """The box, grown to whole samples of colour and by what these are made of."""
        (sx, sy), (x0, y0, x1, y1) = planes.layout.step, box
        height, width = planes.planes[0].shape
        x, y = (_REACH if step > 1 else 0 for step in (sx, sy))
        left, top = max(x0 - x, 0) // sx * sx, max(y0 - y, 0) // sy * sy
        right, bottom = (
            -(-(end + more) // step) * step for end, more, step in ((x1, x, sx), (y1, y, sy))
        )
        return left, top, min(right, width), min(bottom, height)

    def _span(self, planes: Planes) -> tuple[float, float]:
        """Codes from black to white, and that of black."""
        depth = planes.layout.depth
        # Grey alone spans all codes for swscale, whatever its tag says; the twin must be alike.
        if planes.layout.rgb or planes.layout.grey or self.picture.full_range:
            return float((1 << depth) - 1), 0.0
        return 219.0 * 2 ** (depth - 8), 16.0 * 2 ** (depth - 8)

    def _colour_span(self, planes: Planes) -> tuple[float, float]:
        depth = planes.layout.depth
        span = (1 << depth) - 1 if self.picture.full_range else 224.0 * 2 ** (depth - 8)
        return float(span), 128.0 * 2 ** (depth - 8)

    def _luma(self, plane: Plane, planes: Planes) -> Float:
        if planes.layout.depth == 32:
            return plane.astype(np.float32)
        scale, offset = self._span(planes)
        return ((plane.astype(np.float32) - offset) / scale).astype(np.float32)

    def _colour(self, plane: Plane, planes: Planes, box: Box) -> Float:
        """(h, w) -0.5..0.5 of the box, between its samples of colour."""
        scale, offset = self._colour_span(planes)
        step = planes.layout.step
        x0, y0, x1, y1 = _smaller(box, step)
        margin = 2
        left, top = max(x0 - margin, 0), max(y0 - margin, 0)
        part = plane[top : y1 + margin, left : x1 + margin].astype(np.float32)
        values = (part - np.float32(offset)) / np.float32(scale)
        fine = _enlarged(values, step)
        x, y = box[0] - left * step[0], box[1] - top * step[1]
        return fine[y : y + box[3] - box[1], x : x + box[2] - box[0]]

    def _coded(self, values: Float, planes: Planes, scale: float, offset: float) -> Plane:
        plane = planes.planes[0]
        if planes.layout.rgb:
            scale, offset = (1.0, 0.0) if plane.dtype.kind == "f" else self._span(planes)
        return _rounded(values, plane, scale, offset, planes.layout.depth)


def _rounded(
    values: Float, plane: Plane, scale: float, offset: float, depth: int | None = None
) -> Plane:
    coded = values * scale + offset
    if plane.dtype.kind == "f":
        return coded.astype(plane.dtype)
    most = (1 << depth) - 1 if depth else round(offset * 2) - 1  # of colour, twice its middle
    return np.asarray(np.rint(coded).clip(0, most), plane.dtype)


def _cut(plane: Plane, box: Box) -> Plane:
    x0, y0, x1, y1 = box
    return plane[y0:y1, x0:x1]


def _put(part: Plane, values: Plane, where: Bool) -> None:
    part[where] = values[where]


def _small(shape: tuple[int, ...], step: tuple[int, int]) -> tuple[int, int]:
    return -(-shape[0] // step[1]), -(-shape[1] // step[0])


def _smaller(box: Box, step: tuple[int, int]) -> Box:
    x0, y0, x1, y1 = box
    return x0 // step[0], y0 // step[1], -(-x1 // step[0]), -(-y1 // step[1])


def _enlarged(values: Float, step: tuple[int, int]) -> Float:
    """Colour (h, w) of each of the pixels (h * y, w * x) between its samples."""
    sx, sy = step
    if step == (1, 1):
        return values
    fine = np.empty((values.shape[0] * sy, values.shape[1] * sx), np.float32)
    for row in range(sy):
        for column in range(sx):
            kernels = _between(column, sx), _between(row, sy)
            fine[row::sy, column::sx] = _filtered(values, *kernels)
    return fine


def _reduced(values: Float, step: tuple[int, int]) -> Float:
    """Colour (h, w) at its samples, of which each lies in the middle of some pixels."""
    (sx, sy), (height, width) = step, values.shape
    one = np.ones(1, np.float32)
    values = np.pad(values, ((0, -height % sy), (0, -width % sx)), "edge")
    if sy > 1:
        values = np.ascontiguousarray(_filtered(values, one, _among(sy))[::sy])
    if sx > 1:
        values = _filtered(values, _among(sx), one)[:, ::sx]
    return values.astype(np.float32)


@cache
def _between(place: int, step: int) -> Float:
    """(5,) weights of samples around the one whose pixel `place` of `step` is to be had."""
    if step == 1:
        return np.ones(1, np.float32)
    at = (place + 0.5) / step - 0.5
    return _cubic(np.arange(-2, 3) - at)


@cache
def _among(step: int) -> Float:
    """(4 * step + 1,) weights of pixels around the first one of a sample."""
    weights = _cubic((np.arange(-2 * step, 2 * step + 1) - (step - 1) / 2) / step)
    return np.asarray(weights / weights.sum(), np.float32)


def _cubic(distance: NDArray[np.float64]) -> Float:
    d = np.abs(distance)
    near = (_CUBIC + 2) * d**3 - (_CUBIC + 3) * d**2 + 1
    far = _CUBIC * (d**3 - 5 * d**2 + 8 * d - 4)
    return np.where(d <= 1, near, np.where(d < 2, far, 0)).astype(np.float32)


def _filtered(values: Float, across: Float, down: Float) -> Float:
    edge = cv2.BORDER_REPLICATE
    return np.asarray(cv2.sepFilter2D(values, cv2.CV_32F, across, down, borderType=edge))
