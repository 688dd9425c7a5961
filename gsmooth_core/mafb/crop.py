"""Face crops: windows that follow the tracked head, cut from frames and pasted back.

A crop sees an upright face from the brows to below a wide open jaw, whatever the head's pose in
the frame: a similarity transform takes frame pixels to crop pixels. Pixel (0.5, 0.5) is the
centre of the first pixel on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.camera import project, rotation_matrix
from gsmooth_core.face.morphable import MorphableModel, Region
from gsmooth_core.mafb.regions import box_around
from gsmooth_core.types import Bool, Box, FaceTrack, Float

CROP_SIDE = 1.8
"""Side of a crop in decimetres at the face (the paper's is 2.2, with more forehead)."""

CROP_CENTRE = -0.3
"""Height of its centre in model space, in decimetres."""

_DEPTH = 0.7  # decimetres behind the tip of the nose that still count as the face's front
_ANCHORS = 300
_AT_ONCE = 2048  # frames: 22 kB each, which would be 4 GB for two hours
_TOUCHED = 3  # pixels of a frame beside a crop's pixel of which it has a part at most
_SHIFT = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])


def crop_transforms(track: FaceTrack, model: MorphableModel, size: int) -> Float:
    """Similarity transforms that keep the tracked head upright and centred in a crop.

    The neutral face of each frame's pose is fitted to the same face seen from the front, so
    the crop follows the head and not the mouth.

    Args:
        track: T frames; where there is no face, the nearest frame with one is used.
        model: the face model of the track.
        size: side of the crop in pixels.

    Returns:
        (T, 2, 3) frame -> crop pixels.
    """
    anchors = _anchors(model, model.template(track.identity))
    target = front_view(anchors, size)
    usable = np.flatnonzero(track.usable)
    if not len(usable):
        usable = np.arange(len(track))
    fitted = np.concatenate(
        [
            similarity(_seen(track, anchors, usable[start : start + _AT_ONCE]), target)
            for start in range(0, len(usable), _AT_ONCE)
        ]
    )
    transforms: Float = fitted[nearest(usable, len(track))].astype(np.float32)
    return transforms


def _seen(track: FaceTrack, anchors: Float, frames: NDArray[np.int64]) -> NDArray[np.float64]:
    """(F, A, 2) where frames (F,) show points of the neutral face (A, 3)."""
    rotations = rotation_matrix(track.rotation[frames])
    posed = np.einsum("tij,aj->tai", rotations, anchors) + track.translation[frames, None]
    seen = project(posed, track.focal, track.width, track.height)[..., :2]
    return seen.astype(np.float64)


def nearest(frames: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """(count,) place in the ascending `frames` (N,) of the one nearest to 0, 1, ...; N >= 1.

    Of two that are equally near the earlier one.
    """
    at = np.arange(count)
    after = np.searchsorted(frames, at).clip(None, len(frames) - 1)
    before = (after - 1).clip(0)
    return np.where(at - frames[before] <= np.abs(frames[after] - at), before, after)


def front_view(points: Float, size: int) -> Float:
    """(..., 2) crop pixels of model points (..., 3) seen straight from the front."""
    scale = size / CROP_SIDE
    centred = points[..., :2] - np.array([0, CROP_CENTRE], np.float32)
    pixels: Float = size / 2 + centred * np.array([scale, -scale], np.float32)
    return pixels


def _anchors(model: MorphableModel, template: Float) -> Float:
    """(A, 3) points of the front of the face, spread over it."""
    skin = np.flatnonzero(model.in_regions(Region.SKIN, Region.LOWER_FACE))
    front = skin[template[skin, 2] > template[:, 2].max() - _DEPTH]
    anchors: Float = template[front[:: max(1, len(front) // _ANCHORS)]]
    return anchors


def similarity(source: NDArray[Any], target: NDArray[Any]) -> NDArray[np.float64]:
    """Least-squares similarity transforms (Umeyama 1991, without reflection).

    Args:
        source: (T, A, 2) points.
        target: (A, 2) where they should go.

    Returns:
        (T, 2, 3) matrices.
    """
    centre_s, centre_t = source.mean(-2, keepdims=True), target.mean(-2, keepdims=True)
    p, q = source - centre_s, target - centre_t
    norm = (p**2).sum((-1, -2))
    a = (p * q).sum((-1, -2)) / norm
    b = (p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]).sum(-1) / norm
    linear = np.stack([np.stack([a, -b], -1), np.stack([b, a], -1)], -2)  # (T, 2, 2)
    offset = centre_t[..., 0, :] - np.einsum("tij,tj->ti", linear, centre_s[..., 0, :])
    return np.concatenate([linear, offset[..., None]], -1)


@dataclass(frozen=True)
class Window:
    """A crop of one frame, and the box of the frame that it can touch.

    Attributes:
        transform: (2, 3) frame -> crop pixels.
        size: side of the crop.
        box: in the frame; empty when the crop lies outside of it.
    """

    transform: NDArray[np.float64]
    size: int
    box: Box

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the box."""
        x0, y0, x1, y1 = self.box
        return max(0, y1 - y0), max(0, x1 - x0)

    @property
    def scale(self) -> float:
        """Crop pixels a frame pixel."""
        return float(np.hypot(self.transform[0, 0], self.transform[1, 0]))

    def in_box(self, points: Float) -> NDArray[np.float64]:
        """(..., 2) pixels of the box at which points of the crop (..., 2) lie."""
        back = np.linalg.inv(self.transform[:, :2])
        found: NDArray[np.float64] = (points - self.transform[:, 2]) @ back.T - self.box[:2]
        return found

    def inside(self) -> Bool:
        """(size, size) crop pixels that lie in the box, and so in the frame."""
        x0, y0, x1, y1 = self.box
        linear, offset = np.split(_inverse(self.transform), [2], 1)
        axis = np.arange(self.size) + 0.5

        def within(across: NDArray[np.float64], down: NDArray[np.float64]) -> Bool:
            x, y = (linear[k, 0] * across + (linear[k, 1] * down + offset[k]) for k in (0, 1))
            return np.asarray((x >= x0) & (x <= x1) & (y >= y0) & (y <= y1), bool)

        ends = axis[[0, -1]]
        if within(ends, ends[:, None]).all():  # as they do where no crop reaches beyond its frame
            return np.ones((self.size, self.size), bool)
        return within(axis, axis[:, None])

    def part(self, frame: NDArray[Any]) -> NDArray[Any]:
        """View of the box in `frame` (H, W, ...)."""
        x0, y0, x1, y1 = self.box
        return frame[y0:y1, x0:x1]

    def cut(self, part: NDArray[Any], interpolation: int = cv2.INTER_CUBIC) -> NDArray[Any]:
        """Crop (size, size, ...) from the box's pixels; edge pixels repeat outside of them."""
        matrix, shrink = self._matrix(), int(1 / self.scale)
        if shrink > 1 and min(part.shape[:2]) >= shrink:
            part, matrix = _shrunk(part, matrix, shrink)
        size = (self.size, self.size)
        edge = cv2.BORDER_REPLICATE
        crop = cv2.warpAffine(part, for_opencv(matrix), size, flags=interpolation, borderMode=edge)
        return np.asarray(crop)

    def uncrop(
        self,
        crop: NDArray[Any],
        interpolation: int = cv2.INTER_CUBIC,
        part: tuple[slice, slice] | None = None,
    ) -> NDArray[Any]:
        """Box pixels (h, w, ...) of a crop (size, size, ...): `cut` undone; 0 outside the crop.

        `part` are rows and columns of the box; by default all of them.
        """
        matrix, shrink = self._matrix(), int(self.scale)
        if shrink > 1 and self.size % shrink == 0:
            crop, back = _shrunk(crop, _inverse(matrix), shrink)
            matrix = _inverse(back)
        rows, columns = (range(n) for n in self.shape)
        if part is not None:
            rows, columns = rows[part[0]], columns[part[1]]
            matrix[:, 2] += matrix[:, :2] @ (columns.start, rows.start)
        flags, size = interpolation | cv2.WARP_INVERSE_MAP, (len(columns), len(rows))
        return np.asarray(cv2.warpAffine(crop, for_opencv(matrix), size, flags=flags))

    def around(self, rows: slice, columns: slice) -> tuple[slice, slice]:
        """Rows and columns of the box that some rows and columns of the crop touch."""
        ends = [[x, y, 1] for x in (columns.start, columns.stop) for y in (rows.start, rows.stop)]
        seen = np.array(ends, np.float64) @ _inverse(self._matrix()).T
        first, last = np.floor(seen.min(0)) - _TOUCHED, np.ceil(seen.max(0)) + _TOUCHED
        (height, width), (x0, y0), (x1, y1) = self.shape, first.astype(int), last.astype(int)
        top, left = min(max(y0, 0), height), min(max(x0, 0), width)
        return slice(top, min(max(y1, top), height)), slice(left, min(max(x1, left), width))

    def narrowed(self, rows: slice, columns: slice) -> Window:
        """The same crop of some rows and columns of the box, whose edge goes on beyond them."""
        x, y = self.box[:2]
        box = x + columns.start, y + rows.start, x + columns.stop, y + rows.stop
        return Window(self.transform, self.size, box)

    def _matrix(self) -> NDArray[np.float64]:
        """(2, 3) box -> crop pixels."""
        offset = self.transform[:, :2] @ np.array(self.box[:2], np.float64)
        return np.column_stack([self.transform[:, :2], self.transform[:, 2] + offset])


def window(transform: NDArray[Any], size: int, area: Box) -> Window:
    """Crop window of what is picture in a frame, its `area`, under a (2, 3) `transform`."""
    matrix = transform.astype(np.float64)
    corners = np.array([[0, 0, 1], [size, 0, 1], [0, size, 1], [size, size, 1]], np.float64)
    seen = corners @ _inverse(matrix).T
    low = np.clip(np.floor(seen.min(0)) - 1, area[:2], area[2:]).astype(int)
    high = np.clip(np.ceil(seen.max(0)) + 1, area[:2], area[2:]).astype(int)
    return Window(matrix, size, (int(low[0]), int(low[1]), int(high[0]), int(high[1])))


def whole(picture: NDArray[Any]) -> Box:
    """All of a frame (H, W, ...)."""
    return 0, 0, picture.shape[1], picture.shape[0]


def hidden(under: Window, mask: Bool) -> Bool:
    """(h, w) pixels of the box that (size, size) `mask` touches, however little."""
    reach = 2 * int(np.ceil(under.scale)) + 1
    covered, size = np.zeros(under.shape, bool), under.size
    if not mask.any():
        return covered
    grown = cv2.dilate(mask.astype(np.uint8), np.ones((reach, reach), np.uint8))
    rows, columns = (slice(*s.indices(size)[:2]) for s in box_around(mask, reach))
    part = under.around(rows, columns)
    if covered[part].size:
        covered[part] = under.uncrop(grown.astype(np.float32), cv2.INTER_LINEAR, part) > 0
    return covered


def in_frame(transforms: NDArray[Any], places: NDArray[Any]) -> NDArray[np.float64]:
    """(T, P, 2) pixels of T frames at places (P, 2) of the crops that (T, 2, 3) cut of them."""
    matrices = transforms.astype(np.float64)
    back = np.linalg.inv(matrices[:, :, :2])
    seen: NDArray[np.float64] = np.einsum(
        "tij,tpj->tpi", back, places[None] - matrices[:, None, :, 2]
    )
    return seen


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def for_opencv(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same map for OpenCV, which puts pixel (0, 0) on the first pixel's centre."""
    square = np.vstack([matrix, [0, 0, 1]])
    return np.asarray((np.linalg.inv(_SHIFT) @ square @ _SHIFT)[:2])


def _shrunk(
    part: NDArray[Any], matrix: NDArray[np.float64], by: int
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """A part reduced `by` times with its pixels averaged, and the matrix to fit."""
    height, width = part.shape[0] // by, part.shape[1] // by
    small = cv2.resize(
        part[: height * by, : width * by], (width, height), interpolation=cv2.INTER_AREA
    )
    return small, np.column_stack([matrix[:, :2] * by, matrix[:, 2]])
