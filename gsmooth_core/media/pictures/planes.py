"""Pictures as they are stored: planes of samples at their own depth and sampling of colour.

A video's pictures travel as their own planes, so that every sample that nobody changes stays the
number that it was: RGB has neither all colours nor all samples of luma and chroma. Stored RGB of
8 bits, and grey, travel as RGB, which keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.media.reading.description import Picture
from gsmooth_core.types import Bool

Plane = NDArray[Any]

_PLANAR = re.compile(r"yuv(a?)(420|422|444)p(9|10|12|14|16)?(le|be)?")
_PACKED = {
    "p010": "yuv420p10le", "p012": "yuv420p12le", "p016": "yuv420p16le",
    "p210": "yuv422p10le", "p212": "yuv422p12le", "p216": "yuv422p16le",
    "p410": "yuv444p10le", "p412": "yuv444p12le", "p416": "yuv444p16le",
    "y210": "yuv422p10le", "y212": "yuv422p12le", "xv30": "yuv444p10le", "xv36": "yuv444p12le",
    "nv12": "yuv420p", "nv21": "yuv420p", "nv16": "yuv422p", "nv24": "yuv444p", "nv42": "yuv444p",
    "yuyv422": "yuv422p", "uyvy422": "yuv422p", "yvyu422": "yuv422p",
    "yuvj420p": "yuv420p", "yuvj422p": "yuv422p", "yuvj444p": "yuv444p",
    "vuya": "yuva444p", "ayuv": "yuva444p", "ayuv64": "yuva444p16le",
}  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """How planes lie.

    Attributes:
        name: ffmpeg's pixel format.
        rgb: whether they are green, blue, red instead of luma and two of colour.
        grey: whether there is luma alone.
        alpha: whether a last plane says what can be seen through.
        depth: bits of a sample; 32 stands for floating point.
        step: (x, y) pixels a sample of colour.
    """

    name: str
    rgb: bool = False
    grey: bool = False
    alpha: bool = False
    depth: int = 8
    step: tuple[int, int] = (1, 1)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of a sample."""
        if self.depth == 32:
            return np.dtype("<f4")
        return np.dtype("u1" if self.depth == 8 else "<u2")

    def shapes(self, height: int, width: int) -> list[tuple[int, int]]:
        """(rows, columns) of each plane."""
        x, y = self.step
        colour = [] if self.grey else 2 * [(-(-height // y), -(-width // x))]
        return [(height, width), *colour, *([(height, width)] if self.alpha else [])]

    def size(self, height: int, width: int) -> int:
        """Bytes of a picture."""
        return sum(h * w for h, w in self.shapes(height, width)) * self.dtype.itemsize


def layout_of(picture: Picture) -> Layout | None:
    """The planes in which a source's pictures travel; None for those that travel as 8-bit RGB."""
    name = picture.pixel_format
    bare = name.removesuffix("le").removesuffix("be")
    planar = _PACKED.get(bare, name)
    if picture.depth <= 8 and not picture.alpha and (picture.hdr or not _PLANAR.fullmatch(planar)):
        return None
    if picture.alpha_beside and planar.startswith("yuv4"):
        planar = planar.replace("yuv4", "yuva4", 1)
    if found := _PLANAR.fullmatch(planar):
        step = {"420": (2, 2), "422": (2, 1), "444": (1, 1)}[found[2]]
        depth = int(found[3] or 8)
        named = f"yuv{found[1]}{found[2]}p" + (f"{depth}le" if depth > 8 else "")
        return Layout(named, alpha=bool(found[1]), depth=depth, step=step)
    if bare.startswith("gray") and not picture.alpha and picture.depth <= 16:
        return Layout(f"gray{picture.depth}le", grey=True, depth=picture.depth)
    return _general(picture)


def _general(picture: Picture) -> Layout:
    """For whatever is stored in another way: planes that hold all of it."""
    alpha = "a" if picture.alpha else ""
    if picture.pixel_format.startswith("yuv"):
        return Layout(f"yuv{alpha}444p16le", alpha=picture.alpha, depth=16)
    if picture.depth > 16 or "f16" in picture.pixel_format:
        return Layout(f"gbr{alpha}pf32le", rgb=True, alpha=picture.alpha, depth=32)
    depth = next((bits for bits in (8, 10, 12, 14, 16) if bits >= picture.depth), 16)
    suffix = "" if depth == 8 else f"{depth}le"
    return Layout(f"gbr{alpha}p{suffix}", rgb=True, alpha=picture.alpha, depth=depth)


@dataclass(frozen=True)
class Planes:
    """One picture.

    Attributes:
        layout: how its planes lie.
        planes: in ffmpeg's order: (Y, U, V) or (G, B, R), and alpha.
    """

    layout: Layout
    planes: tuple[Plane, ...]

    @classmethod
    def read(cls, layout: Layout, data: bytearray, height: int, width: int) -> Planes:
        """A picture out of the bytes that ffmpeg gives."""
        planes, at = [], 0
        samples = np.frombuffer(data, layout.dtype)
        for h, w in layout.shapes(height, width):
            planes.append(samples[at : at + h * w].reshape(h, w))
            at += h * w
        return cls(layout, tuple(planes))

    def copy(self) -> Planes:
        """A picture of its own, which may be changed."""
        return replace(self, planes=tuple(plane.copy() for plane in self.planes))

    def parts(self) -> Sequence[memoryview]:
        """The bytes that ffmpeg takes, plane by plane."""
        return [np.ascontiguousarray(plane).data.cast("B") for plane in self.planes]

    def even(self) -> Planes:
        """The picture with an even number of rows and columns: the last ones come twice."""
        height, width = self.planes[0].shape
        planes = (
            np.pad(p, ((0, height % 2), (0, width % 2)), "edge")
            if p.shape == (height, width)
            else p
            for p in self.planes
        )
        return replace(self, planes=tuple(planes))

    def difference(self, other: Planes, mask: Bool) -> int:
        """Largest difference of a sample outside of (H, W) `mask`, in steps of its depth.

        A sample of colour lies under the mask where one of its own pixels does.
        """
        under = {shape: self.under(mask, shape) for shape in {p.shape for p in self.planes}}
        return max(
            _apart(mine, its, under[mine.shape])
            for mine, its in zip(self.planes, other.planes, strict=True)
        )

    def under(self, mask: Bool, shape: tuple[int, ...]) -> Bool:
        """(rows, columns) the samples of a plane that (H, W) `mask` has a part in."""
        if mask.shape == shape:
            return mask
        x, y = self.layout.step
        rows = np.zeros((shape[0], mask.shape[1]), bool)
        for row in range(y):  # of an odd size the last sample has fewer pixels
            part = mask[row::y]
            rows[: len(part)] |= part
        found = np.zeros(shape, bool)
        if x == 2 and mask.shape[1] % 2 == 0:  # two bytes are looked at as one number
            return np.not_equal(rows.view(np.uint16), 0, out=found)
        for column in range(x):
            part = rows[:, column::x]
            found[:, : part.shape[1]] |= part
        return found


def _apart(one: Plane, other: Plane, mask: Bool) -> int:
    if one.dtype.kind == "f":
        different = (one != other) & ~mask & ~(np.isnan(one) & np.isnan(other))
        return int(different.any())
    return int(cv2.norm(one, other, cv2.NORM_INF, (~mask).view(np.uint8)))
