"""A chin whose sharpness is even in time: nothing pops where other references are taken.

What is made is as sharp as the references that it is made from. Where a new mouth is taken from
other frames than the one before, a chin that was soft is crisp in the next picture. So the
sharpness of each reference is measured on its chin; a made chin should have what the references
of the frames around it have, less what is lost in this clip whenever frames are made, and gains
that end around the chin make up for the difference. It follows slow changes, as focus that is lost.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import Region
from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.finish.lower_face import around, lower_face, outline
from gsmooth_core.taft.finish.sharpness import SIGMAS, Sharpness, Somewhere, bands
from gsmooth_core.taft.warping.warp import Reference
from gsmooth_core.types import Bool, Float

_SECONDS = 0.15
"""Deviation of the Gaussian over time."""

_REACH = 3  # deviations at which it ends
_EVENED = 2  # bands: the others hold shading, which expressions change
_USUAL = 0.12  # logarithm of an amplitude: as much skin of pictures that follow each other varies
_PER = 1.5  # logarithm of the gain that changes an amplitude by e: bands hold each other's, too
_MOST = 0.35  # logarithm of a gain
_SMALLEST = 64  # pixels of skin from which sharpness is told
_FAINT = 0.1  # squared levels: rounding
_WITHIN = 0.75  # of the size of the chin, which is looked at
_BELOW = 0.15  # of the lips' height, of which nothing is looked at below them
_CONTEXT = 8  # pixels around it: Gaussians reach as far


def level(reference: Reference, regions: NDArray[np.uint8]) -> NDArray[np.float64] | None:
    """How sharp the chin of a reference is.

    Args:
        reference: the frame.
        regions: (V,) of the face's vertices.

    Returns:
        see `level_of`.
    """
    vertices = lower_face(regions)
    places = reference.points[vertices] @ reference.to_image[:, :2].T + reference.to_image[:, 2]
    end = np.array(reference.image.shape[1::-1])
    x0, y0 = np.clip(np.floor(places.min(0)).astype(int) - _CONTEXT, 0, end).tolist()
    x1, y1 = np.clip(np.ceil(places.max(0)).astype(int) + _CONTEXT, 0, end).tolist()
    if x1 <= x0 or y1 <= y0:
        return None
    skin = chin(places - [x0, y0], regions[vertices] == Region.LIPS, (y1 - y0, x1 - x0))
    if reference.hidden is not None:
        skin &= ~reference.hidden[y0:y1, x0:x1]
    grey = reference.image[y0:y1, x0:x1].mean(-1, dtype=np.float32)
    return level_of(grey, bands(grey), skin)


def chin(places: NDArray[np.float64], lips: Bool, shape: Sequence[int]) -> Bool:
    """(h, w) skin of a chin, well away from its outline and the lips.

    Args:
        places: (N, 2) pixels of the vertices of a lower face and its lips.
        lips: (N,) which of them are lips.
        shape: h and w.
    """
    drawn = np.zeros(tuple(shape), np.uint8)
    low, tall = places[lips, 1].max(), np.ptp(places[lips, 1])
    below = places[~lips & (places[:, 1] > low)]
    if len(below) > 2:
        middle = below.mean(0)
        cv2.fillConvexPoly(drawn, outline(middle + _WITHIN * (below - middle)), (1,))
        drawn[: max(0, int(low + _BELOW * tall))] = 0
    return np.asarray(drawn > 0, bool)


def level_of(grey: Float, parts: Sequence[Float], skin: Bool) -> NDArray[np.float64] | None:
    """How sharp skin (h, w) of a grey picture (h, w) is, whose `bands` are given.

    Returns:
        (B,) logarithms of the bands' amplitudes over its brightness, as light is made up for when
        it lends; None where too little is seen.
    """
    drawn = skin.view(np.uint8)
    count = cv2.countNonZero(drawn)
    if count < _SMALLEST:
        return None
    x, y, width, height = cv2.boundingRect(drawn)
    part = np.s_[y : y + height, x : x + width]
    brightness = max(cv2.mean(grey[part], drawn[part])[0], 1.0)
    energy = np.array([cv2.norm(each[part], cv2.NORM_L2SQR, drawn[part]) for each in parts]) / count
    found: NDArray[np.float64] = np.log(np.sqrt(energy + _FAINT) / brightness)
    return found


class Evenness:
    """How sharp a clip's new frames should be.

    Args:
        sharpness: of the clip; how sharp its `levels` are, and what frames that are made lack.
        composer: says which frames lend to which.
        lips: (N,) which vertices of its `LowerFace` are lips.
    """

    def __init__(self, sharpness: Sharpness, composer: Composer, lips: Bool) -> None:
        self.sharpness, self._composer, self._lips = sharpness, composer, lips
        lending, nothing = composer.lending.tolist(), np.full(len(SIGMAS), np.nan)
        levels = [sharpness.levels.get(frame, nothing) for frame in lending]
        self._levels = np.array(levels).reshape(-1, len(SIGMAS))  # (M, B)
        self._pictures = composer.track.pictures[composer.lending]
        self._deviation = _SECONDS * float(composer.track.fps)

    def gains(
        self,
        frame: int,
        nearby: int,
        places: NDArray[np.float64],
        room: Float,
        grey: Float,
        parts: Sequence[Float],
    ) -> Somewhere | None:
        """What the gains of a frame are multiplied by around its chin; None where by nothing.

        Nothing that the frame's own picture shows, or one nearby, has a part in it.

        Args:
            frame: its number.
            nearby: pictures before and after it that may not have been looked at either.
            places: (N, 2) of its `LowerFace`.
            room: (h, w) 0..1 how much of a gain each pixel gets; 1 is wholly made.
            grey: (h, w) its picture, as it is made.
            parts: the `bands` of that.
        """
        lost = self.sharpness.lost(int(self._composer.track.pictures[frame]), nearby)
        wanted = None if lost is None else self.wanted(frame, nearby)
        if lost is None or wanted is None:
            return None
        skin = chin(places, self._lips, grey.shape) & (room >= 1)
        made = level_of(grey, parts, skin)
        if made is None:
            return None
        apart = wanted + lost - made
        logarithms = _PER * np.sign(apart) * np.maximum(np.abs(apart) - _USUAL, 0)
        logarithms[_EVENED:] = 0
        if not logarithms.any():
            return None
        lips = outline(places[self._lips])
        return Somewhere(np.exp(logarithms.clip(-_MOST, _MOST)), around(skin, lips, room > 0))

    def wanted(self, frame: int, nearby: int = 0) -> NDArray[np.float64] | None:
        """(B,) how sharp the references of the frames around one are; None where nobody knows."""
        beside, choice = self._beside(frame), self._composer.choice
        members, weights = choice.members[beside], choice.weights[beside]
        shown = self._composer.track.pictures[frame]
        known = np.isfinite(self._levels[members, 0])
        weights = np.where(known & (np.abs(self._pictures[members] - shown) > nearby), weights, 0)
        whole = weights.sum(1)
        if not (whole > 0).any():
            return None
        levels = (weights[..., None] * np.nan_to_num(self._levels[members])).sum(1)  # (N, B)
        share = np.exp(-(((beside - frame) / self._deviation) ** 2) / 2) * (whole > 0)
        found: NDArray[np.float64] = share @ (levels / np.maximum(whole, 1e-9)[:, None])
        found /= share.sum()
        return found

    def _beside(self, frame: int) -> NDArray[np.int64]:
        """Frames around one, of its shot."""
        track, reach = self._composer.track, int(np.ceil(_REACH * self._deviation))
        beside = np.arange(max(frame - reach, 0), min(frame + reach + 1, len(track)))
        seen = track.usable[beside]
        if track.shot is not None:
            seen = seen & (track.shot[beside] == track.shot[frame])
        of_shot: NDArray[np.int64] = beside[seen | (beside == frame)]
        return of_shot
