"""Where one eye of a photo is: its contours, and an upright close-up to paint in.

The close-up is an enlarged patch whose rows run along the eye's axis from the picture's left
to its right; contours are one row number for each of its columns.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gsmooth_core.types import Float, Image

# fmt: off
CONTOURS = {
    "left": (
        (33, 246, 161, 160, 159, 158, 157, 173, 133),
        (33, 7, 163, 144, 145, 153, 154, 155, 133),
        (247, 30, 29, 27, 28, 56, 190),
        (113, 225, 224, 223, 222, 221, 189),
    ),
    "right": (
        (362, 398, 384, 385, 386, 387, 388, 466, 263),
        (362, 382, 381, 380, 374, 373, 390, 249, 263),
        (414, 286, 258, 257, 259, 260, 467),
        (413, 441, 442, 443, 444, 445, 342),
    ),
}
"""Mesh points, from the picture's left to its right: upper lid, lower lid, crease, brow bone."""
# fmt: on

_REPEAT = cv2.BORDER_REPLICATE

_IRISES = (slice(468, 473), slice(473, 478))

SIDE, ABOVE, BELOW = 0.4, 0.5, 0.6
"""How far the close-up reaches beyond the eye's corners and axis, in eye widths."""

_CLOSE_UP = (120.0, 240.0)
"""Eyes narrower than the first, in pixels, are enlarged to it; above the second they are not
enlarged."""

_FINER = 1.5
"""Between the two the close-up has this many pixels for one of the photo."""

_LEAST_SHARE = 1 / 255
"""Below this share a pixel of the photo stays as it is."""


_UNSEEN = 6.0
"""Pixels that differ by less, of 255, fade into the photo's own, which are sharper."""


@dataclass(frozen=True)
class Inset:
    """Pixels (h, w, 3) that replace those of a photo from `left` and `top` on."""

    left: int
    top: int
    pixels: Image

    def lay(self, photo: Image) -> None:
        """Write the pixels into a photo (H, W, 3)."""
        height, width = self.pixels.shape[:2]
        photo[self.top : self.top + height, self.left : self.left + width] = self.pixels


@dataclass(frozen=True)
class Eye:
    """One eye in its close-up of h x w pixels.

    Attributes:
        matrix: (2, 3) affine map from close-up to photo pixels (both count from corners).
        size: width and height of the close-up.
        width: distance of the eye's corners in close-up pixels.
        start: column of the corner at the picture's left.
        upper: (w,) row of the upper lid's edge.
        lower: (w,) row of the lower lid's edge.
        crease: (w,) row of the fold of the upper lid.
        brow: (w,) row where the brow bone begins.
        iris: (3,) column and row of the iris's centre, and its radius.
    """

    matrix: Float
    size: tuple[int, int]
    width: float
    start: float
    upper: Float
    lower: Float
    crease: Float
    brow: Float
    iris: Float

    @property
    def scale(self) -> float:
        """Close-up pixels for one pixel of the photo."""
        return float(1 / np.hypot(self.matrix[0, 0], self.matrix[1, 0]))

    @property
    def along(self) -> Float:
        """(w,) place of each column between the corners, 0 to 1."""
        columns = np.arange(self.size[0], dtype=np.float32) + 0.5
        return np.asarray((columns - self.start) / self.width, np.float32)

    @property
    def rows(self) -> Float:
        """(h, 1) the middle of each row."""
        return (np.arange(self.size[1], dtype=np.float32) + 0.5)[:, None]

    @property
    def opening(self) -> float:
        """Greatest distance of the lids over the width of the eye."""
        return float(np.max(self.lower - self.upper)) / self.width

    def close_up(self, photo: Image) -> Float:
        """(h, w, 3) enlarged pixels of the photo (H, W, 3)."""
        left, top, right, bottom = self._box(photo)
        matrix = _pixel_centres(self.matrix - np.array([[0, 0, left], [0, 0, top]], np.float32))
        part = photo[top:bottom, left:right].astype(np.float32)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        patch = cv2.warpAffine(part, matrix, self.size, flags=flags, borderMode=_REPEAT)
        return np.asarray(np.clip(patch, 0, 255), np.float32)

    def changed(self, old: Float, new: Float) -> Float:
        """(h, w) 0..1, where two close-ups differ so far that the new one should be seen."""
        size = 2 * round(self.scale) + 1
        differs = np.abs(new - old).max(2).astype(np.float32) / _UNSEEN
        wide = cv2.dilate(differs, np.ones((size, size), np.uint8))
        return np.asarray(np.clip(wide - 0.1, 0, 1), np.float32)

    def put_back(self, photo: Image, patch: Float, share: Float) -> Inset:
        """Lay a close-up (h, w, 3) over a photo (H, W, 3) where share (h, w), 0..1, is not 0."""
        left, top, right, bottom = self._box(photo)
        matrix = _pixel_centres(self.matrix - np.array([[0, 0, left], [0, 0, top]], np.float32))
        layers = np.dstack([patch * share[..., None], share]).astype(np.float32)
        layers = cv2.GaussianBlur(layers, (0, 0), 0.35 * self.scale)
        over = cv2.warpAffine(layers, matrix, (right - left, bottom - top))
        under = photo[top:bottom, left:right]
        mixed = np.clip(under * (1 - over[..., 3:]) + over[..., :3], 0, 255)
        seen = over[..., 3:] > _LEAST_SHARE
        return Inset(left, top, np.where(seen, np.rint(mixed), under).astype(np.uint8))

    def _box(self, photo: Image) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of the close-up in the photo; at least one pixel."""
        w, h = self.size
        corners = np.array([[0, 0], [w, 0], [0, h], [w, h]]) @ self.matrix[:, :2].T
        corners += self.matrix[:, 2]
        limit = np.array([photo.shape[1], photo.shape[0]])
        low = np.clip(np.floor(corners.min(0)).astype(int), 0, limit - 1)
        high = np.clip(np.ceil(corners.max(0)).astype(int), low + 1, limit)
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def find_eyes(landmarks: Float) -> tuple[Eye, Eye]:
    """The eyes at the picture's left and right of mesh points (478, 2) in pixels."""
    points = np.asarray(landmarks[:, :2], np.float32)
    return _find(points, "left"), _find(points, "right")


def _find(points: Float, side: str) -> Eye:
    upper, lower, crease, brow = (points[list(c)] for c in CONTOURS[side])
    matrix, size, width, start = _frame(upper[0], upper[-1])

    def rows(curve: Float) -> Float:
        return _rows(_into(curve, matrix), size[0])

    iris = _iris(points, (upper[0] + upper[-1]) / 2, matrix)
    return Eye(matrix, size, width, start, rows(upper), rows(lower), rows(crease), rows(brow), iris)


def _frame(left: Float, right: Float) -> tuple[Float, tuple[int, int], float, float]:
    """Matrix, size, eye width and first corner of the close-up around two eye corners."""
    axis = right - left
    length = max(float(np.hypot(*axis)), 1.0)
    width = max(_CLOSE_UP[0], min(_FINER * length, _CLOSE_UP[1]), length)
    x, y = axis / width
    linear = np.array([[x, -y], [y, x]])
    size = (round(width * (1 + 2 * SIDE)), round(width * (ABOVE + BELOW)))
    start = SIDE * width
    offset = left - linear @ (start, ABOVE * width)
    return np.asarray(np.c_[linear, offset], np.float32), size, width, start


def _into(points: Float, matrix: Float) -> Float:
    """Points of the photo in the close-up."""
    inverse = np.linalg.inv(matrix[:, :2])
    return np.asarray((points - matrix[:, 2]) @ inverse.T, np.float32)


def _rows(curve: Float, width: int) -> Float:
    """A smooth curve through points (N, 2) as a row for each column, level beyond its ends."""
    order = np.argsort(curve[:, 0])
    columns = np.arange(width) + 0.5
    rows = np.interp(columns, curve[order, 0], curve[order, 1])
    return np.asarray(cv2.GaussianBlur(rows[None], (0, 0), 0.035 * width)[0], np.float32)


def _iris(points: Float, middle: Float, matrix: Float) -> Float:
    """Centre and radius of the iris that is nearer to the middle of this eye."""
    rings = [points[s] for s in _IRISES]
    ring = _into(min(rings, key=lambda r: float(np.hypot(*(r[0] - middle)))), matrix)
    radius = np.hypot(*(ring[1:] - ring[0]).T).mean()
    return np.array([*ring[0], radius], np.float32)


def _pixel_centres(matrix: Float) -> Float:
    """The same map for OpenCV, which counts from pixel centres where we count from corners."""
    moved = matrix.copy()
    moved[:, 2] += matrix[:, :2].sum(1) / 2 - 0.5
    return moved


def at_rows(picture: Float, rows: Float) -> Float:
    """The picture (h, w) or (h, w, 3), each pixel taken from a row (h, w) of its own column."""
    height, width = rows.shape
    columns = np.tile(np.arange(width, dtype=np.float32), (height, 1))
    places = (rows - 0.5).astype(np.float32)
    moved = cv2.remap(picture, columns, places, cv2.INTER_CUBIC, borderMode=_REPEAT)
    return np.asarray(np.maximum(moved, 0), np.float32)
