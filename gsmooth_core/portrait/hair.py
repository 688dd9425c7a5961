"""How hair moves in a video beside what its head's pose makes of it.

A pose that is right for a face is a pixel aside for the outline of the hair, and hair is not
fixed to its head. Both are seen: in one frame of each shot head and hair are turned as the pose of
each other frame says, and what stands out around the head is laid upon that frame as a plane.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from gsmooth_core.face.camera import rotation_matrix
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.face.rasterizer import rasterize
from gsmooth_core.motion.head import matrix_turns
from gsmooth_core.motion.reference import joints
from gsmooth_core.portrait.layers import layers_of
from gsmooth_core.portrait.matte import find_matte
from gsmooth_core.portrait.sheet import Sheet, sheet_of
from gsmooth_core.portrait.sway import middle_frame
from gsmooth_core.portrait.sway_lay import Plane
from gsmooth_core.storage.spool import Spool
from gsmooth_core.tracking.fitting import temporal
from gsmooth_core.types import Bool, FaceTrack, Float, Image, Int

Real = NDArray[np.float64]

_DETAIL = 56.0  # pixels of a small picture a decimetre
_ASIDE, _ABOVE, _BELOW = 1.5, 2.3, 0.7  # decimetres around the atlas joint that are looked at
_SIZE = round(2 * _ASIDE * _DETAIL), round((_ABOVE + _BELOW) * _DETAIL)
_MIDDLE = np.array([_ASIDE, _ABOVE]) * _DETAIL  # where the joint is
_DOUBT = np.array([0.05, 0.05, 0.03, 0.03])  # of hair: decimetres, log of size, roll
_CALM = np.array([0.006, 0.006, 0.003, 0.003])  # deviations of accelerations at 25 fps
_COARSE = 3  # nodes of a photo's surface for one of these
_PERSON, _MOST = 0.5, 0.5  # of the matte, and of the ring, from which a pixel is one of theirs
_BESIDE = 0.03  # widths of the head beside its hair that count as well: there is its outline,
_SCALP = 0.04  # and on the head within its rim, where hair lies as well
_FAR = 0.5  # widths of the head from its rim up to which it is hair
_CHEEK = 0.25  # widths of the head above its chin down to which it is hair


@dataclass(frozen=True)
class _Look:
    """The head of one frame of a shot.

    Attributes:
        key: number of the frame.
        sheet: its surface.
        way: (2,) corner and (1,) scale of its window, see `_way`.
        grey: (h, w) its window.
        alpha: (h, w) 0..1, where that shows the person.
        ring: (h, w) 0..1, where that shows what stands out around the head.
        behind: (3 h, 3 w) that window and what is around it, with the person painted over.
    """

    key: int
    sheet: Sheet
    way: Real
    grey: Float
    alpha: Float
    ring: Float
    behind: Image

    def turned(self, turn: Float, shift: Float, way: Real) -> tuple[Float, Image]:
        """(h, w) the window `way` when the head moves, and 1 where it shows the ring."""
        seen = self.sheet.moved(turn, shift).astype(np.float32)
        seen[:, :2] = (seen[:, :2] - way[:2]) / way[2]
        source = ((self.sheet.pixels - self.way[:2]) / self.way[2]).astype(np.float32)
        found = rasterize(seen, self.sheet.faces, source, *_SIZE[::-1])
        x, y = (np.ascontiguousarray(found.image[..., n]) - np.float32(0.5) for n in range(2))

        grey, alpha, ring = (
            cv2.remap(part, x, y, cv2.INTER_LINEAR) for part in (self.grey, self.alpha, self.ring)
        )
        there = np.append(way[:2] - _around(self.way)[:2], way[2]) / self.way[2]
        behind = _cut(self.behind, there).astype(np.float32)
        person = found.mask * alpha * (grey - behind)
        return np.asarray(behind + person), (found.mask & (ring > _MOST)).astype(np.uint8)


class HairPictures:
    """Small grey pictures of a tracked head and its hair, one of each usable frame.

    Args:
        track: of the frames.
        model: its face model.
        folder: where they lie, see `Spool`.
    """

    def __init__(self, track: FaceTrack, model: MorphableModel, folder: Path | None = None) -> None:
        self._track, self._model = track, model
        self._shots = np.zeros(len(track), np.int32) if track.shot is None else track.shot
        self._pictures = Spool(np.uint8, _SIZE[::-1], folder)
        self._numbers: list[int] = []
        self._ways: list[Real] = []
        self._looks: dict[int, _Look] = {}
        self._keys = {
            middle_frame(track, np.flatnonzero(track.usable & (self._shots == shot)))
            for shot in np.unique(self._shots[track.usable])
        }

    def watching(self, frames: Iterable[Image]) -> Iterator[Image]:
        """The frames (H, W, 3) RGB of the track as they come, looked at in passing."""
        for number, frame in enumerate(frames):
            if number < len(self._track) and self._track.usable[number]:
                way = _way(self._track, number)
                self._pictures.add(cv2.cvtColor(_cut(frame, way), cv2.COLOR_RGB2GRAY))
                self._numbers.append(number)
                self._ways.append(way)
                if number in self._keys:
                    self._know(number, frame, way)
            yield frame

    def _know(self, number: int, frame: Image, way: Real) -> None:
        still = replace(self._track.gathered(np.array([number], np.int32)), picture=None)
        whole, matte = sheet_of(still, self._model), find_matte(frame)
        layers = layers_of(frame, matte, whole.face, whole.wide)
        if layers is None:
            return
        ring = _ring(whole.face, matte > _PERSON, whole.wide).astype(np.float32)
        wide = np.array(_SIZE) * 3
        behind = _cut(layers.background, _around(way), size=(int(wide[0]), int(wide[1])))
        self._looks[int(self._shots[number])] = _Look(
            number, replace(whole.coarse(_COARSE), face=np.zeros((0, 0), bool)), way,
            cv2.cvtColor(_cut(frame, way), cv2.COLOR_RGB2GRAY).astype(np.float32),
            _cut(layers.alpha, way), _cut(ring, way, 0),
            cv2.cvtColor(behind, cv2.COLOR_RGB2GRAY),
        )  # fmt: skip

    def hair(self, track: FaceTrack) -> Float:
        """(T, 4) of `FaceTrack.hair`, for all frames.

        Args:
            track: of the frames that were looked at, perhaps with truer poses.
        """
        out, numbers = np.zeros((len(track), 4)), np.array(self._numbers, np.int32)
        for shot, look in self._looks.items():
            rows = np.flatnonzero(self._shots[numbers] == shot)
            out[numbers[rows]] = self._laid(track, look, rows)
        return out.astype(np.float32)

    def _laid(self, track: FaceTrack, look: _Look, rows: Int) -> Real:
        """(K, 4) movements in the usable frames of a shot; steady ones."""
        numbers = np.array(self._numbers)[rows]
        turns, shifts = _poses(track, look.key, numbers)
        inside = np.ones((track.height, track.width), np.uint8)
        found, firm = [], []
        for row, turn, shift in zip(rows, turns, shifts, strict=True):
            way = self._ways[int(row)]
            template, ring = look.turned(turn, shift, way)
            plane = Plane(template, ring, _DETAIL, _MIDDLE, _DOUBT)
            if not plane.seen:
                found.append(np.zeros(4))
                firm.append(np.diag(1 / _DOUBT**2))
                continue
            picture = np.asarray(self._pictures[np.array([row])][0])
            moved, firmness = plane.laid(picture, _cut(inside, way, 0), np.zeros(4))
            found.append(moved)
            firm.append(firmness)
        x, stiffness = np.array(found), ((float(track.fps) / 25) ** 2 / _CALM) ** 2
        return np.asarray(x + temporal.calming(x, np.array(firm), numbers, stiffness))


def hair_between(track: FaceTrack, first: int, later: int) -> Float | None:
    """(4,) how hair has moved from one frame to another; None if not known."""
    return None if track.hair is None else track.hair[later] - track.hair[first]


def _poses(track: FaceTrack, key: int, numbers: Int) -> tuple[Float, Float]:
    """(K, 3) turns and (K, 3) shifts of the head from one frame to others."""
    rotation = rotation_matrix(track.rotation.astype(np.float64))
    joint = joints(track, np.append(numbers, key).astype(np.int32))
    return matrix_turns(rotation[numbers] @ rotation[key].T), (joint[:-1] - joint[-1]).astype(
        np.float32
    )


def _way(track: FaceTrack, number: int) -> Real:
    """(3,) corner of a frame's window in pixels, and pixels of the frame a pixel of it."""
    x, y, z = joints(track, np.array([number], np.int32))[0]
    unit = track.focal / -z  # pixels of the frame a decimetre
    middle = np.array([track.width / 2 + unit * x, track.height / 2 - unit * y])
    return np.append(middle - np.array([_ASIDE, _ABOVE]) * unit, unit / _DETAIL)


def _around(way: Real) -> Real:
    """A window three times as large, with this one in its middle."""
    return np.append(way[:2] - way[2] * np.array(_SIZE), way[2])


def _cut(
    picture: NDArray[Any], way: Real, beyond: int | None = None, size: tuple[int, int] = _SIZE
) -> NDArray[Any]:
    """(h, w, ...) the window of a picture (H, W, ...); its edges are continued, or `beyond`."""
    scale = way[2]
    if scale > 1:  # what is finer than a pixel of the small picture
        last = np.array(picture.shape[1::-1]) - 1
        low = np.clip((way[:2] - 3 * scale).astype(int), 0, last)
        high = np.clip((way[:2] + scale * (np.array(size) + 3)).astype(int), low, last) + 1
        picture = picture[low[1] : high[1], low[0] : high[0]]
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 * scale)
        way = way - np.append(low, 0)
    matrix = np.array([[scale, 0, way[0] + scale / 2 - 0.5], [0, scale, way[1] + scale / 2 - 0.5]])
    border = cv2.BORDER_REPLICATE if beyond is None else cv2.BORDER_CONSTANT
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(picture, matrix, size, flags=flags, borderMode=border))


def _ring(head: Bool, person: Bool, wide: float) -> Bool:
    """(H, W) what stands out around a head, and a little of what is beside it."""
    if not head.any():
        return head
    upper = np.indices(head.shape)[0] < np.nonzero(head)[0].max() - _CHEEK * wide
    hair = person & ~head & upper & (distance_transform_edt(~head) < _FAR * wide)
    if not hair.any():
        return np.asarray(hair)
    near = distance_transform_edt(~hair) < np.where(head, _SCALP, _BESIDE) * wide
    return np.asarray(upper & near)
