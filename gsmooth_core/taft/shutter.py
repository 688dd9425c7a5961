"""A shutter that is open while a face moves: the new mouth is blurred along its way, too.

What lends to a frame seldom moved as that frame does, and a mouth of it stands out, crisp in a
face that is not. A picture that moves at one speed while it is exposed is a mean along its way, so
the way is what poses say, less what the references have of it already.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.camera import project, rotation_matrix
from gsmooth_core.face.morphable import Region
from gsmooth_core.face.render import FaceSurface
from gsmooth_core.taft.warping.box import Corners
from gsmooth_core.types import FaceTrack, Float

_SHORTEST, _LONGEST = 0.75, 32.0  # pixels of a way: nothing is seen of it, poses jumped
_SAMPLES = 4  # of the way, a pixel
_REACH = 2  # pixels of a cubic kernel
_SLOPE = -0.5  # of the cubic kernel that keeps squares: no blur but the way's


class Ways:
    """How far the mouths of a clip move.

    Args:
        track: the clip's face, T frames.
        surface: its face surface.
        transforms: (T, 2, 3) frame -> crop pixels.
        share: of a picture's time, in which the shutter is open; 0 for pictures without one.
    """

    def __init__(
        self, track: FaceTrack, surface: FaceSurface, transforms: Float, share: float
    ) -> None:
        self._ways = np.zeros((len(track), 2))
        if not share:
            return
        moved = share * movement(track, _mouth(track, surface))
        linear = transforms[:, :, :2].astype(np.float64)
        self._ways = np.einsum("tij,tj->ti", linear, moved)  # pixels of each frame's own crop

    def beyond(self, frame: int, lent: tuple[tuple[int, float], ...]) -> NDArray[np.float64]:
        """The way (2,) in crop pixels along which a frame's new mouth is to be blurred.

        Variances of blurs add up, so that what is left of the frame's own is along one line.

        Args:
            frame: frame number.
            lent: frame number and weight of each of its references.
        """
        if not self._ways[frame].any():
            return np.zeros(2)
        spread = np.outer(self._ways[frame], self._ways[frame])
        whole = sum(weight for _, weight in lent)
        for other, weight in lent:
            spread -= weight / whole * np.outer(self._ways[other], self._ways[other])
        variances, axes = np.linalg.eigh(spread)
        way: NDArray[np.float64] = axes[:, 1] * np.sqrt(max(variances[1], 0))
        return way


def movement(track: FaceTrack, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, 2) frame pixels by which places (T, 2) move while a picture is taken; 0 if not known.

    Of the step from the picture before and the one to the picture after it is the mean by
    products: what comes to rest in a picture, or turns back, moves less than both together.
    """
    shots = np.zeros(len(track), int) if track.shot is None else track.shot
    numbers = {int(track.pictures[n]): n for n in np.flatnonzero(track.usable)[::-1].tolist()}
    order, shown_in = np.unique(track.pictures, return_counts=True)
    held = shown_in[:-1] - 1  # numbers between two that are no picture of their own
    apart = [True, *(np.diff(order) - held > 1).tolist(), True]  # others were left out between
    moved, order = np.zeros_like(places), order.tolist()
    for place, picture in enumerate(order):
        n = numbers.get(picture)
        if n is None:
            continue
        beside = (
            picture if apart[place] else order[place - 1],
            picture if apart[place + 1] else order[place + 1],
        )
        around = [numbers.get(other, n) for other in beside]
        before, after = (m if shots[m] == shots[n] >= 0 else n for m in around)
        ends = (before, n), (n, after)
        steps = [places[end] - places[start] for start, end in ends if start != end]
        if steps:
            moved[n] = _mean(np.array(steps))
    shown = [numbers.get(int(picture), n) for n, picture in enumerate(track.pictures)]
    return moved[shown]


def _mean(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """(2,) of steps (N, 2), in their common direction."""
    direction = steps.mean(0) / max(float(np.hypot(*steps.mean(0))), 1e-9)
    lengths = np.maximum(steps @ direction, 0)
    mean: NDArray[np.float64] = direction * lengths.prod() ** (1 / len(lengths))
    return mean


def _mouth(track: FaceTrack, surface: FaceSurface) -> NDArray[np.float64]:
    """(T, 2) frame pixels where the middle of the lips is seen, at rest."""
    middle = surface.template[surface.regions == Region.LIPS].mean(0)
    posed = rotation_matrix(track.rotation) @ middle + track.translation
    seen = project(posed, track.focal, track.width, track.height)[:, :2]
    return seen.astype(np.float64)


def smeared(picture: Float, way: NDArray[np.float64], part: Corners) -> Float:
    """A crop (size, size, 3) whose part is blurred along a way (2,) in pixels, in place."""
    if (length := float(np.hypot(*way))) < _SHORTEST:
        return picture
    kernel = line(way * min(1.0, _LONGEST / length))
    reach, (x0, y0, x1, y1) = len(kernel) // 2, part
    top, left = max(y0 - reach, 0), max(x0 - reach, 0)
    around = np.ascontiguousarray(picture[top : y1 + reach, left : x1 + reach])
    blurred = cv2.filter2D(around, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    picture[y0:y1, x0:x1] = blurred[y0 - top : y1 - top, x0 - left : x1 - left]
    return picture


def line(way: NDArray[np.float64]) -> Float:
    """(n, n) kernel of the mean along a way (2,) in pixels."""
    length = float(np.hypot(*way))
    reach, count = int(np.ceil(length / 2)) + _REACH, int(np.ceil(_SAMPLES * length)) + 1
    along = (np.arange(count) + 0.5) / count - 0.5
    grid = np.arange(-reach, reach + 1)
    across, down = (_cubic(grid - along[:, None] * way[k]) for k in (0, 1))
    return (down.T @ across / count).astype(np.float32)


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of cubic convolution (Keys, 1981)."""
    x = np.abs(distance)
    near = ((_SLOPE + 2) * x - (_SLOPE + 3)) * x**2 + 1
    far = _SLOPE * (((x - 5) * x + 8) * x - 4)
    weights: NDArray[np.float64] = np.where(x < 1, near, np.where(x < 2, far, 0))
    return weights
