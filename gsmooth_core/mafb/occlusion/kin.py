"""More edges of letters, by those that are sure: alike in colour, close by or as many.

Letters over a face that hardly moves, and letters that fade, give no sign of their own; a dot or
the last letter of a word gives too few. Where some captions are certain, their colours tell of the
rest, as far as neither face nor background has these colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from gsmooth_core.mafb.blend import dilate
from gsmooth_core.mafb.occlusion.graphics import (
    LASTING,
    GraphicSettings,
    Signs,
    crowded,
    drawn,
)
from gsmooth_core.mafb.occlusion.steady import SteadyEdges
from gsmooth_core.types import Bool, Float, Image, Int

_SAMPLED = 12  # frames from which colours are learned
_BINS = 8  # of each channel
_RARE = 20.0  # times as common in captions as on the face: a colour of letters alone
_DARK = 96  # levels: what is darker may be hair, a shadow or a mouth
_MOST = 0.7  # of the frames in which captions have a colour: it must be rare there
_FEW = 0.2  # of the frames looked at, in which they must have it at least
_SHARE = 0.01  # of a caption's pixels that have a colour at least
_BESIDE = 5  # pixels: diameter within which an edge has its letter
_FADING = 6  # frames over which a word comes or goes
_AWAY = 2  # frames before a letter comes and after it went, in which it is not seen
_TOGETHER = 1  # frames between edges of a word that comes or goes
_LONG = 12  # frames that the edges of a face do not stay
_ROUNDS = 3  # letters that a word is continued by on either side
_CLEAR = 9  # pixels: diameter by which captions are grown before what is beside them is looked at


def related(
    edges: SteadyEdges,
    signs: Signs,
    found: Sequence[Bool],
    pictures: Sequence[Image],
    skin: Float,
    settings: GraphicSettings,
) -> Signs:
    """Add the edges of letters that are like those already found.

    Args:
        edges: S of `steady_edges`.
        signs: what is sure of them.
        found: T times (H, W) the captions that the sure ones outline.
        pictures: T times (H, W, 3) RGB.
        skin: (T, V, 2) pixels in which points of the face are seen in each frame.
        settings: what counts as a caption.
    """
    if not signs.sure.any():
        return signs
    kin, sure = _Kin(edges, pictures[0].shape[:2], settings), signs.sure.copy()
    _add_faded(kin, sure, pictures)
    colours = letter_colours(found, pictures, skin)
    if colours.any():
        _add_coloured(kin, sure, colours, pictures)
    return replace(signs, sure=sure)


def _add_faded(kin: _Kin, sure: Bool, pictures: Sequence[Image]) -> None:
    """Add words that fade in and out, in place."""
    came, went = _fades(kin.edges, pictures, kin.settings)
    first, last = kin.edges.first, kin.edges.last
    for frame in np.unique(first[came & went]):
        before = sure.copy()
        if (sure & (np.abs(first - frame) <= _AWAY)).sum() >= kin.settings.fewest:
            continue  # its word is known
        kin.crowds(sure, np.abs(first - frame) <= _TOGETHER, came & went)
        if (new := sure & ~before).any():
            # A mouth that moves behind a half-clear box is not calm, but the word's time is one.
            end = np.median(last[new])
            word = (np.abs(first - frame) <= _AWAY) & (np.abs(last - end) <= _AWAY)
            kin.neighbours(sure, word, word)


def _fades(
    edges: SteadyEdges, pictures: Sequence[Image], settings: GraphicSettings
) -> tuple[Bool, Bool]:
    """(S,) edges whose pixels come, and go, over a few frames, all being calm otherwise.

    What was there in the first picture may have come, and what is there in the last may go.
    """
    last = len(pictures) - 1
    stack = np.stack(pictures).astype(np.int16)

    def change(one: Int, other: Int) -> Int:
        places = (frames.clip(0, last) for frames in (one, other))
        before, after = (stack[frames, edges.y, edges.x] for frames in places)
        apart: Int = np.abs(after - before).max(1)
        return apart

    def fades(ends: Int, step: int, limit: int) -> Bool:
        away, full = ends + step * _FADING, ends - step
        faded = change(away, full) >= settings.jump
        calm = np.maximum(change(away, away + step), change(full - step, full - 2 * step))
        fading: Bool = (faded & (calm <= settings.calm)) | (ends == limit)
        return fading

    long = edges.last - edges.first >= _FADING
    came, went = fades(edges.first, -1, 0), fades(edges.last, 1, last)
    return came & long & (edges.first > 0), went & long


def _add_coloured(kin: _Kin, sure: Bool, colours: Bool, pictures: Sequence[Image]) -> None:
    """Add what has the colours of letters and comes or goes with others, in place."""
    edges, last = kin.edges, len(pictures) - 1
    lasting = edges.last - edges.first >= LASTING - 1
    candidates = lasting & ~sure & _coloured(edges, colours, pictures)
    # What has a letter's colour before it comes, or after it went, may be lips or teeth.
    inner = edges.first >= _AWAY, edges.last <= last - _AWAY
    beyond = edges.first - _AWAY, edges.last + _AWAY
    came, went = (
        candidates & within & ~_coloured(edges, colours, pictures, frames)
        for within, frames in zip(inner, beyond, strict=True)
    )
    for ends, able in ((edges.first, came), (edges.last, went)):
        for frame in np.unique(ends[able]):
            together = np.abs(ends - frame) <= _TOGETHER
            kin.crowds(sure, together, able)
            kin.neighbours(sure, together, able)
    long = edges.last - edges.first >= _LONG
    kin.neighbours(sure, long, candidates & (came | ~inner[0]) & (went | ~inner[1]))


@dataclass(frozen=True)
class _Kin:
    """Adds candidates to what is sure, in place.

    Attributes:
        edges: S of them.
        shape: of the pictures.
        settings: what counts as a caption.
    """

    edges: SteadyEdges
    shape: tuple[int, ...]
    settings: GraphicSettings

    def crowds(self, sure: Bool, together: Bool, candidates: Bool) -> None:
        """Add words: many candidates at a place among those that come or go `together` (S,)."""
        which = np.flatnonzero(together & candidates)
        none = np.zeros(0, np.int32)
        sure[which[crowded(self.edges, which, none, self.shape, self.settings)]] = True

    def neighbours(self, sure: Bool, together: Bool, candidates: Bool) -> None:
        """Add dots and letters: candidates close to sure edges among those `together` (S,)."""
        which = np.flatnonzero(together & candidates)
        for _ in range(_ROUNDS):
            which = which[~sure[which]]
            if not len(which) or not (sure & together).any():
                return
            reach = 2 * (self.settings.region,)
            near = dilate(drawn(self.edges, sure & together, self.shape), *reach)
            sure[which[near[self.edges.y[which], self.edges.x[which]]]] = True


def letter_colours(found: Sequence[Bool], pictures: Sequence[Image], skin: Float) -> Bool:
    """(BINS ** 3,) colours that captions have and the face has not."""
    captioned = [n for n, mask in enumerate(found) if mask.any()]
    places = np.linspace(0, len(captioned) - 1, min(_SAMPLED, len(captioned))).astype(int)
    counted, rare = np.zeros((2, _BINS**3), np.int32)
    for frame in np.array(captioned, int)[places]:
        bins, mask = _bins(pictures[frame]), found[frame]
        face = hull_of(skin[frame], mask.shape) & ~dilate(mask, _CLEAR, _CLEAR)
        inside, outside = _shares(bins[mask]), _shares(bins[face])
        counted += inside >= _SHARE
        rare += (inside >= _SHARE) & (inside >= _RARE * outside)
    # Frame by frame, since some frames show letters that are not found yet.
    bright = np.indices((_BINS,) * 3).max(0).ravel() * 256 // _BINS >= _DARK
    return np.asarray(bright & (rare >= _MOST * counted) & (rare > len(places) * _FEW), bool)


def hull_of(points: Float, shape: tuple[int, ...]) -> Bool:
    """(H, W) what the points (V, 2) of the face enclose."""
    hull = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(points.astype(np.float32)).astype(np.int32), 1)
    return hull > 0


def _shares(bins: Int) -> Float:
    """(BINS ** 3,) the share of pixels of each colour."""
    return _pooled(np.bincount(bins, minlength=_BINS**3)) / max(len(bins), 1)


def _pooled(counts: Int) -> Float:
    """Counts with those of the neighbouring bins, weighed by 1 2 1 along each channel."""
    cube = np.pad(counts.reshape(_BINS, _BINS, _BINS), 1)
    for axis in range(3):
        cube = cube + (np.roll(cube, 1, axis) + np.roll(cube, -1, axis)) / 2
    return np.asarray(cube[1:-1, 1:-1, 1:-1].ravel() / 8)


def _bins(picture: Image) -> Int:
    """(H, W) number of the bin of each pixel of (H, W, 3)."""
    red, green, blue = np.moveaxis(picture.astype(np.int32) * _BINS // 256, -1, 0)
    number: Int = (red * _BINS + green) * _BINS + blue
    return number


def _coloured(
    edges: SteadyEdges, colours: Bool, pictures: Sequence[Image], at: Int | None = None
) -> Bool:
    """(S,) edges with a letter's colour beside them, in frames (S,) or amid their time.

    There is none before the first frame and after the last one.
    """
    frames = (edges.first + edges.last) // 2 if at is None else at
    coloured = np.zeros(len(edges), bool)
    for frame in np.unique(frames[(frames >= 0) & (frames < len(pictures))]):
        which = np.flatnonzero(frames == frame)
        near = dilate(colours[_bins(pictures[frame])], _BESIDE, _BESIDE)
        coloured[which] = near[edges.y[which], edges.x[which]]
    return coloured
