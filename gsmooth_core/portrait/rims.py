"""Rims of glasses before the eyes of a photo, which stay where they are when the eyes close.

Seen from the middle of its eye a rim is a thin line, darker or brighter than what is beside it,
that goes all around at a distance that changes slowly. Brows, folds and lashes are lines, too, but
none goes all around, and where there are rims, a bridge runs from one to the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from gsmooth_core.portrait.eye import CONTOURS
from gsmooth_core.portrait.rim_lines import (
    Steps,
    along_line,
    best_line,
    closed_line,
    evened,
    lines_in,
)
from gsmooth_core.types import Bool, Float, Image

# Lengths are parts of the eye's width.
_ANGLES, _STEPS = 144, 80  # around an eye, and outwards, at which it is looked at
_NEAR, _FAR = 0.3, 1.5  # of an ellipse: where that begins and ends
_ELLIPSE = (1.0, 0.75)  # its half axes
_DOWN = 0.12  # its middle lies below the eye's: frames are worn so
_LASHES = 0.1  # around the eyeball, what may be lashes
_CORNER, _CORNER_HIGH = 0.62, 0.22  # beside the eye a rim lies beyond its corners,
_ASIDE = 0.75  # where the cosine of the angle is more
_WIDTHS = (1, 3, 5, 9, 13)  # steps: of lines
_ENOUGH = 10.0  # levels of contrast: more counts as much
_FORBIDDEN = 8.0  # levels that it costs to go where no rim can be
_ALL_AROUND = 20.0  # per cent of its angles in which a rim may be hardly seen
_SEEN = (5.5, 7.0)  # levels that it has in the others: each, and both in the mean
_STANDS_OUT = (2.2, 2.7)  # times the contrast of what else is around the eye, likewise
_ROOM = 1.0  # squares of an eye's width within it, in the mean: a deep-set eye's folds hold less
_BRIDGE = (0.14, 0.75, 16, 90)  # of the gap between the eyes, and up and down; columns and rows
_BRIDGED = 9.0  # levels of contrast in half of the bridge
_WIDER = 1.5  # times as wide as usual: what is wider is no rim
_SOFT = 1.0  # steps over which a rim ends
_ALL_ALIKE = 0.85  # share of a rim that is dark where it is dark and not of metal
_PEAK = 1.5  # times as strong as rims usually are: more is something else
_TOUCHES = 1e-2  # squared pixels
_REFINED = 6  # steps around the line that was found, in which its middle is
_PAINTED = 3  # pixels: radius of the inpainting behind rims


@dataclass(frozen=True)
class Rims:
    """Rims before the eyes of a photo (H, W).

    Attributes:
        share: (H, W) 0..1, how far each pixel is a rim's.
        bare: (H, W, 3) uint8 RGB, the photo without them.
    """

    share: Float
    bare: Image


@dataclass(frozen=True)
class _Around:
    """What is around one eye.

    Attributes:
        places: (A, R, 2) pixels of the photo.
        picture: (A, R, 3) what it shows there.
        contrast: (A, R) levels by which a line there differs from both of its sides.
        width: (A, R) of that line, in steps.
        dark: (A, R) whether it is darker than they are.
        possible: (A, R) where a rim may be.
        eye: (H, W) where the photo shows the eyeball and what may be lashes.
    """

    places: Float
    picture: Float
    contrast: Float
    width: Steps
    dark: Bool
    possible: Bool
    eye: Bool

    def line(self, enough: float, near: Bool | bool = True) -> Steps:
        """(A,) the step of the line around that has most contrast, of which so much is enough."""
        reward = np.minimum(self.contrast, enough) - _FORBIDDEN * ~(self.possible & near)
        return closed_line(reward)

    def seen(self, line: Steps) -> float:
        """Levels of contrast of a line (A,) in all of its angles but a few."""
        return float(np.percentile(evened(self.contrast, line), _ALL_AROUND))

    def elsewhere(self, line: Steps) -> float:
        """Mean contrast of what is not beside a line (A,): wrinkled skin is full of lines."""
        off = np.abs(np.arange(_STEPS) - line[:, None]) > _REFINED
        return float(self.contrast[self.possible & off].mean())

    def room(self, line: Steps) -> float:
        """Squares of the eye's width within a line (A,)."""
        x, y = along_line(self.places[..., 0], line), along_line(self.places[..., 1], line)
        wide = float(np.hypot(*(self.places[0, -1] - self.places[0, 0]))) / (_FAR - _NEAR)
        return abs(cv2.contourArea(np.stack([x, y], -1))) / wide**2

    def like(self, usual: _Usual) -> _Around:
        """The same, of lines that are like a rim: hardly wider, which no brow is, and as dark."""
        widths = [width for width in _WIDTHS if width <= max(_WIDER * usual.wide, _WIDTHS[1])]
        contrast, width, dark = lines_in(self.picture, "wrap", widths, usual.tone)
        return replace(self, contrast=contrast, width=width, dark=dark)


@dataclass(frozen=True)
class _Usual:
    """What rims look like: they are alike all around, and on both sides.

    Attributes:
        wide: steps.
        strong: levels of contrast.
        tone: 1 dark, -1 bright, 0 some of both, as of metal.
    """

    wide: float
    strong: float
    tone: int

    @classmethod
    def of(cls, eyes: Sequence[_Around], lines: Sequence[Steps]) -> _Usual:
        """Looked at below the eyes: above there are folds and brows."""
        below = np.arange(_ANGLES // 12, _ANGLES // 2 - _ANGLES // 12)
        each = [(eye, (below, line[below])) for eye, line in zip(eyes, lines, strict=True)]
        wide = np.median([eye.width[at] for eye, at in each])
        strong = np.median([eye.contrast[at] for eye, at in each])
        dark = float(np.mean([eye.dark[at] for eye, at in each]))
        tone = int(dark > _ALL_ALIKE) - int(dark < 1 - _ALL_ALIKE)
        return cls(float(wide), float(strong), tone)


def find_rims(photo: Image, points: Float) -> Rims | None:
    """The rims of glasses that a photo shows; None where it shows none.

    Args:
        photo: (H, W, 3) RGB.
        points: (478, 2) face mesh points in its pixels.
    """
    if _bridge(photo, points) < _BRIDGED:
        return None
    eyes = [_around(photo, points, side) for side in CONTOURS]
    lines = [each.line(_ENOUGH) for each in eyes]
    if not _shown(eyes, lines):
        return None
    usual = _Usual.of(eyes, lines)
    share = np.zeros(photo.shape[:2], np.float32)
    for each, line in zip(eyes, lines, strict=True):
        _draw(share, each.like(usual), line, usual)
    return Rims(share, _without(photo, share, [each.eye for each in eyes]))


def _without(photo: Image, share: Float, eyes: Sequence[Bool]) -> Image:
    """(H, W, 3) a photo without rims of shares (H, W): with the skin around them in their place.

    No skin are eyes (H, W), lashes and all: nothing of them is spread.
    """
    hole = cv2.dilate((share > 0).astype(np.uint8), np.ones((3, 3), np.uint8))
    unknown = np.logical_or.reduce([hole > 0, *eyes])
    rows, columns = (np.flatnonzero(unknown.any(axis)) for axis in (1, 0))
    edge = 2 * _PAINTED
    part = np.s_[
        max(rows[0] - edge, 0) : rows[-1] + edge, max(columns[0] - edge, 0) : columns[-1] + edge
    ]
    known, bare = np.ascontiguousarray(photo[part]), photo.copy()
    filled = cv2.inpaint(known, unknown[part].astype(np.uint8), _PAINTED, cv2.INPAINT_TELEA)
    bare[part] = np.where(hole[part][..., None] > 0, filled, known)
    return bare


def _shown(eyes: Sequence[_Around], lines: Sequence[Steps]) -> bool:
    """Whether lines around eyes are rims, and no folds or wrinkles."""
    both = list(zip(eyes, lines, strict=True))
    seen = np.array([eye.seen(line) for eye, line in both])
    times = seen / [max(eye.elsewhere(line), 1e-6) for eye, line in both]
    room = np.mean([eye.room(line) for eye, line in both])
    within = all(
        v.min() > least and v.mean() > mean
        for v, (least, mean) in ((seen, _SEEN), (times, _STANDS_OUT))
    )
    return bool(within and room > _ROOM)


def _around(photo: Image, points: Float, side: str) -> _Around:
    upper, lower = (points[list(curve)] for curve in CONTOURS[side][:2])
    across = upper[-1] - upper[0]
    width = max(float(np.hypot(*across)), 1.0)
    along = across / width
    down = np.array([-along[1], along[0]])
    middle = (upper[0] + upper[-1]) / 2
    turn = np.arange(_ANGLES) * (2 * np.pi / _ANGLES)
    far = np.linspace(_NEAR, _FAR, _STEPS)[:, None]
    way = np.outer(np.cos(turn) * _ELLIPSE[0], along) + np.outer(np.sin(turn) * _ELLIPSE[1], down)
    places = middle + width * (_DOWN * down + far * way[:, None])  # (A, R, 2)
    picture = _looked_up(photo, places, width * (_FAR - _NEAR) / _STEPS)
    contrast, width_of, dark = lines_in(picture, "wrap", _WIDTHS)
    eyeball = np.ones(photo.shape[:2], np.uint8)
    cv2.fillPoly(eyeball, [np.rint(np.r_[upper, lower[::-1]]).astype(np.int32)], 0)
    off = cv2.distanceTransform(eyeball, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    eye = off <= _LASHES * width
    hidden = cv2.remap(eye.astype(np.uint8), *_maps(places), cv2.INTER_NEAREST) > 0
    beside, below = np.abs((places - middle) @ along), (places - middle) @ down
    corner = (beside < _CORNER * width) & (np.abs(below) < _CORNER_HIGH * width)
    corner &= np.abs(np.cos(turn))[:, None] > _ASIDE
    return _Around(places, picture, contrast, width_of, dark, ~(corner | hidden), eye)


def _bridge(photo: Image, points: Float) -> float:
    """Levels of contrast of the best line across the nose, from one eye to the other."""
    left, right = points[CONTOURS["left"][0][-1]], points[CONTOURS["right"][0][0]]
    gap = max(float(np.hypot(*(right - left))), 1.0)
    along = (right - left) / gap
    down = np.array([-along[1], along[0]])
    aside, high, columns, rows = _BRIDGE
    width = _eye_width(points)
    x = np.linspace(-aside, aside, columns)[:, None, None] * gap * along
    y = np.linspace(-high, high, rows)[:, None] * width * down
    picture = _looked_up(photo, (left + right) / 2 + x + y, 2 * high * width / rows)
    contrast, *_ = lines_in(picture, "edge", _WIDTHS)
    line = best_line(np.minimum(contrast, _ENOUGH), None)
    return float(np.median(along_line(contrast, line)))


def _eye_width(points: Float) -> float:
    """Mean distance of an eye's corners."""
    corners = [points[CONTOURS[side][0][0]] - points[CONTOURS[side][0][-1]] for side in CONTOURS]
    return float(np.hypot(*np.transpose(corners)).mean())


def _looked_up(photo: Image, places: Float, step: float) -> Float:
    """(A, R, 3) a photo at places (A, R, 2), a `step` of pixels apart."""
    x, y = _maps(places)
    low = np.maximum(np.floor([x.min(), y.min()]).astype(int) - 3, 0)
    part = photo[low[1] : max(int(y.max()) + 4, 1), low[0] : max(int(x.max()) + 4, 1)]
    if not part.size:
        return np.zeros((*x.shape, 3), np.float32)
    part = part.astype(np.float32)
    if step > 1:
        part = cv2.GaussianBlur(part, (0, 0), 0.4 * step)
    at = x - np.float32(low[0]), y - np.float32(low[1])
    return np.asarray(cv2.remap(part, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _maps(places: Float) -> tuple[Float, Float]:
    """Columns and rows of places (A, R, 2), as OpenCV counts them."""
    x, y = (np.ascontiguousarray(places[..., n] - 0.5, np.float32) for n in range(2))
    return x, y


def _round(places: Float, line: Steps) -> Steps:
    """(A,) a line around that goes out to where it is convex, as rims are.

    What goes in is drawn to a fold of the lid.
    """
    hull = cv2.convexHull(places[np.arange(len(line)), line].astype(np.float32))[:, 0]  # (H, 2)
    edge = np.roll(hull, -1, 0) - hull
    apart = places[:, :, None] - hull  # (A, R, H, 2)
    inside = edge[:, 0] * apart[..., 1] - edge[:, 1] * apart[..., 0]
    turned = float(np.sign(inside[0, 0].sum()))
    return np.asarray(np.maximum((turned * inside >= -_TOUCHES).all(2).sum(1) - 1, 0), np.int64)


def _draw(share: Float, around: _Around, line: Steps, usual: _Usual) -> None:
    """Lay a rim, which runs near a line (A,), over the shares (H, W) of a photo.

    Args:
        share: of which each is at least the rim's afterwards.
        around: lines that it may be.
        line: of all lines the best.
        usual: what it looks like.
    """
    off = np.abs(np.arange(_STEPS) - _round(around.places, line)[:, None])
    line = around.line(_PEAK * usual.strong, off <= _REFINED)
    widths = np.minimum(np.concatenate([along_line(around.width, line)] * 3), _WIDER * usual.wide)
    half = np.median(np.lib.stride_tricks.sliding_window_view(widths, 9), 1)[_ANGLES - 4 :]
    half = half[:_ANGLES]
    off = np.abs(np.arange(_STEPS) - line[:, None])
    rim = np.clip(_SOFT + half[:, None] / 2 - off, 0, 1).astype(np.float32)
    low = np.floor(around.places.reshape(-1, 2).min(0)).astype(int).clip(0)  # (A * R, 2)
    high = np.ceil(around.places.reshape(-1, 2).max(0)).astype(int)
    part = share[low[1] : max(high[1], 0), low[0] : max(high[0], 0)]
    if not part.size:
        return
    turn, far = _polar(around, low, part.shape)
    rim = np.concatenate([rim, rim[:1]])  # all around
    laid = cv2.remap(rim, far, turn, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    np.maximum(part, laid, out=part)


def _polar(around: _Around, low: Steps, shape: tuple[int, ...]) -> tuple[Float, Float]:
    """Angle and step of the pixels of a part of the photo, in those of what is around an eye."""
    first, across = around.places[0, 0], around.places[0, -1] - around.places[0, 0]
    quarter = _ANGLES // 4
    down = around.places[quarter, -1] - around.places[quarter, 0]
    axes = np.stack([across, down], 1) / (_FAR - _NEAR)  # (2, 2) of the ellipse, pixels
    middle = first - _NEAR * axes[:, 0]
    rows, columns = np.indices(shape)
    place = np.stack([columns + low[0] + 0.5, rows + low[1] + 0.5], -1) - middle
    x, y = np.moveaxis(place @ np.linalg.inv(axes).T, -1, 0)
    turn = np.arctan2(y, x) % (2 * np.pi) * (_ANGLES / (2 * np.pi))
    far = (np.hypot(x, y) - _NEAR) / (_FAR - _NEAR) * (_STEPS - 1)
    return turn.astype(np.float32), far.astype(np.float32)
