"""From the edges of letters to letters: their insides, and the box that they stand in."""

from __future__ import annotations

import cv2
import numpy as np

from gsmooth_core.mafb.blend import dilate
from gsmooth_core.mafb.connected import reached, without_holes
from gsmooth_core.types import Bool, Float, Image

_CLOSED = 5  # pixels: gaps between the edges of a letter
_COLOURS = 3  # of letters, their outline and their box
_FEWEST = 12  # pixels of a colour
_ALIKE = 26.0  # levels between pixels of one colour
_BESIDE = 5, 13  # pixels: diameters between which a caption's surroundings lie
_COMMON = 0.08  # share of the surroundings that may have a letter's colour
_BOXED = 0.25  # share of a caption in the colour of its box
_CONVEX = 0.85  # share of the rectangle around it that a box fills
_FLAT = 0.5  # height of a box over its width
_SPACE = 9  # pixels: diameter that joins the letters of a word
_REACH = 31  # pixels: diameter within which more of a colour is looked for


def filled(lines: Bool, picture: Image) -> Bool:
    """What edges outline in a picture, and what has the same colours beside it.

    Args:
        lines: (H, W) edges of letters.
        picture: (H, W, 3) RGB.

    Returns:
        (H, W)
    """
    y = np.flatnonzero(lines.any(1))
    part = np.s_[max(0, y[0] - _REACH) : y[-1] + _REACH]  # a box may go on to either side
    found = np.zeros_like(lines)
    found[part] = _filled(lines[part], picture[part])
    return found


def _filled(lines: Bool, picture: Image) -> Bool:
    kernel = np.ones((_CLOSED, _CLOSED), np.uint8)
    padded = np.pad(lines.astype(np.uint8), _CLOSED)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, kernel)[_CLOSED:-_CLOSED, _CLOSED:-_CLOSED]
    inside = without_holes(closed > 0)
    near, hull = dilate(inside, _REACH, _REACH), _hulls(inside)
    colours = picture.astype(np.float32)
    grown = inside.copy()
    for colour, own in _colours(inside, colours):
        # A colour that is seen beside the caption too may be that of skin: no farther than a box.
        same = _alike(colours, colour)
        alike = (near if own else hull) & same
        grown |= reached(inside, alike)
        grown |= _box(inside, same)
    return without_holes(grown)


def _alike(colours: Float, colour: Float) -> Bool:
    """(H, W) where no channel is far from a colour's."""
    red, green, blue = cv2.split(cv2.absdiff(colours, (*colour.tolist(), 0.0)))
    return np.asarray(cv2.max(cv2.max(red, green), blue) < _ALIKE)


def _box(inside: Bool, alike: Bool) -> Bool:
    """(H, W) a whole box of one colour, of which a part is known; nothing where it is no box."""
    part = inside & alike
    whole = without_holes(reached(part, alike))
    if part.sum() < _BOXED * inside.sum() or not part.any():
        return whole & False
    y, x = np.nonzero(whole)
    (_, size, _) = cv2.minAreaRect(np.column_stack([x, y]).astype(np.int32))
    flat = min(size) < _FLAT * max(size)
    square = len(y) > _CONVEX * (size[0] + 1) * (size[1] + 1)
    return whole if flat and square else whole & False


def _hulls(inside: Bool) -> Bool:
    """(H, W) the convex hull of each word."""
    hulls = np.zeros(inside.shape, np.uint8)
    words = dilate(inside, _SPACE, _SPACE).astype(np.uint8)
    count, label = cv2.connectedComponents(words)
    for number in range(1, count):
        y, x = np.nonzero(inside & (label == number))
        cv2.fillConvexPoly(hulls, cv2.convexHull(np.column_stack([x, y]).astype(np.int32)), 1)
    return hulls > 0


def _colours(inside: Bool, colours: Float) -> list[tuple[Float, bool]]:
    """The colours of what is inside, and whether each is rare beside it: no colour of skin."""
    pixels = colours[inside]
    if len(pixels) < _COLOURS * _FEWEST:
        return []
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 8, 1.0)
    rank = np.argsort(np.argsort(pixels.sum(1), kind="stable"), kind="stable")
    first = (rank * _COLOURS // len(pixels)).astype(np.int32)  # dark, middling, bright
    _, label, centres = cv2.kmeans(
        pixels, _COLOURS, first[:, None], stop, 1, cv2.KMEANS_USE_INITIAL_LABELS
    )
    inner, outer = (dilate(inside, width, width) for width in _BESIDE)
    beside = colours[outer & ~inner]
    counts = np.bincount(label.ravel(), minlength=_COLOURS)
    found = []
    for colour, count in zip(centres, counts, strict=True):
        share = (np.abs(beside - colour).max(1) < _ALIKE).mean() if len(beside) else 0
        if count >= _FEWEST:
            found.append((colour, share < _COMMON))
    return found
