"""Where the lips and the chin of new faces lie in their frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.camera import project, rotation_matrix
from gsmooth_core.face.morphable import Region
from gsmooth_core.mafb.crop import Window
from gsmooth_core.taft.compose import Composer
from gsmooth_core.types import Bool, Float

_EACH = 8  # vertex is looked at
_HALF = 0.5
_FINE = 200  # pixels of a picture in which each is looked at
_LIPS = 0.03  # of the crop's side, around the lips: what shows between them, their shade


class LowerFace:
    """Places of a few vertices, which cost a frame next to nothing.

    Args:
        composer: of a clip; says where its new faces are.

    Attributes:
        lips: (N,) which of the vertices are lips.
    """

    def __init__(self, composer: Composer) -> None:
        self._composer, surface = composer, composer.surface
        vertices = lower_face(surface.regions)
        self.lips = surface.regions[vertices] == Region.LIPS
        self._template, basis = surface.template[vertices], surface.basis[:, vertices]
        self._basis = basis.reshape(len(basis), -1)  # (E, N, 3) -> (E, 3 N)

    def places(self, frame: int, under: Window, at: tuple[int, int]) -> NDArray[np.float64]:
        """(N, 2) pixels of the vertices of a frame's new face.

        Args:
            frame: its number.
            under: the window of its crop.
            at: row and column of the window's box at which the picture begins.
        """
        composer, track = self._composer, self._composer.track
        shape = (composer.target[frame] @ self._basis).reshape(-1, 3)  # (3 N,) -> (N, 3)
        turned = (shape + self._template) @ rotation_matrix(track.rotation[frame]).T
        camera = turned + track.translation[frame]
        seen = project(camera, track.focal, track.width, track.height)[:, :2]
        matrix = composer.transforms[frame]
        return under.in_box(seen @ matrix[:, :2].T + matrix[:, 2]) - at[::-1]

    def around_lips(
        self, places: NDArray[np.float64], shape: Sequence[int], under: Window
    ) -> Float:
        """(h, w) weight that is 1 on the lips and what shows between them and ends around them.

        Args:
            places: (N, 2) of the frame.
            shape: h and w.
            under: the window of its crop.
        """
        step = _step(shape)
        free = np.ones([-(-n // step) for n in shape], np.uint8)
        cv2.fillConvexPoly(free, outline((places[self.lips] + _HALF) / step - _HALF), (0,))
        reach = 2 * _LIPS * under.size / under.scale / step
        return _full(np.clip(1 - _away(free) / np.float32(reach), 0, 1), shape)


def lower_face(regions: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(N,) vertices that tell where lips and chin are, of all (V,)."""
    return np.flatnonzero(np.isin(regions, (Region.LOWER_FACE, Region.LIPS)))[::_EACH]


def outline(places: NDArray[np.float64]) -> NDArray[np.int32]:
    """(M, 1, 2) convex outline around points (N, 2)."""
    return np.asarray(cv2.convexHull(np.rint(places).astype(np.int32)), np.int32)


def around(skin: Bool, lips: NDArray[np.int32], hidden: Bool) -> Float:
    """(h, w) weight that is 1 on some skin and falls evenly to 0 at the lips and the mask's end.

    Args:
        skin: (h, w) some of it is.
        lips: (N, 1, 2) outline.
        hidden: (h, w) the mask.
    """
    step = _step(skin.shape)
    free = hidden[::step, ::step].astype(np.uint8)
    cv2.fillConvexPoly(free, lips // step, (0,))
    to_skin, to_end = _away(~skin[::step, ::step]), _away(free)
    return _full(to_end / np.maximum(to_end + to_skin, np.float32(1e-3)), skin.shape)


def _step(shape: Sequence[int]) -> int:
    """Each how many-th pixel is looked at, since weights change little from one to the next."""
    return 1 + max(shape) // _FINE


def _away(free: NDArray[Any]) -> Float:
    """(h, w) distance of what is free to what is not."""
    far = cv2.distanceTransform(free.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3)
    return np.asarray(far, np.float32)


def _full(weight: Float, shape: Sequence[int]) -> Float:
    """A weight that was told at each so many-th pixel, at all of them."""
    if weight.shape == tuple(shape):
        return weight
    return np.asarray(cv2.resize(weight, (shape[1], shape[0])), np.float32)
