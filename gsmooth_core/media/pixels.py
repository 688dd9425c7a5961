"""Parts of stored pictures as RGB of floating point, and back into their own samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.media.colour import matrix_of
from gsmooth_core.media.description import Picture
from gsmooth_core.media.planes import Plane, Planes
from gsmooth_core.types import Bool, Float

# Parts of red and blue in luma (ITU-R BT.601, 709, 2020; FCC; SMPTE 240M).
_LUMA = {
    "bt709": (0.2126, 0.0722), "bt601": (0.299, 0.114), "fcc": (0.30, 0.11),
    "smpte240m": (0.212, 0.087), "bt2020": (0.2627, 0.0593),
}  # fmt: skip

Box = tuple[int, int, int, int]


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

        The box begins on whole samples of colour, see `whole`.
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

    def whole(self, box: Box, planes: Planes) -> Box:
        """The box, grown to whole samples of colour."""
        (x, y), (x0, y0, x1, y1) = planes.layout.step, box
        height, width = planes.planes[0].shape
        return x0 // x * x, y0 // y * y, min(-(-x1 // x) * x, width), min(-(-y1 // y) * y, height)

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
        return _enlarged(values, step, box, (left, top))

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


def _enlarged(values: Float, step: tuple[int, int], box: Box, first: tuple[int, int]) -> Float:
    """Colour between its samples: these lie on even columns, and between two rows."""
    x0, y0, x1, y1 = box
    if step == (1, 1):
        return values[y0 - first[1] : y1 - first[1], x0 - first[0] : x1 - first[0]]
    sx, sy = step
    matrix = np.array(
        [[1 / sx, 0, x0 / sx - first[0]], [0, 1 / sy, (y0 + 0.5) / sy - 0.5 - first[1]]]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (x1 - x0, y1 - y0)
    mode = cv2.BORDER_REPLICATE
    made: NDArray[Any] = cv2.warpAffine(values, matrix, size, flags=flags, borderMode=mode)
    return np.asarray(made, np.float32)


def _reduced(values: Float, step: tuple[int, int]) -> Float:
    """Colour at its samples: the mean of the rows, and of the columns with halves of neighbours."""
    sx, sy = step
    if sy > 1:
        values = np.pad(values, ((0, -len(values) % sy), (0, 0)), "edge")
        values = values.reshape(-1, sy, values.shape[1]).mean(1)
    if sx > 1:
        wide = np.pad(values, ((0, 0), (1, 1 + -values.shape[1] % sx)), "edge")
        values = wide[:, 1:-1:sx] / 2 + (wide[:, :-2:sx] + wide[:, 2::sx]) / 4
    return values.astype(np.float32)
