"""How neck and shoulders sway in a video: what is below the chin is laid upon each frame.

Where a head goes says little of where its shoulders go: some sway with it, others stand still. They
are seen, though. In one frame of each shot the person below the chin is parted from the
background; it is shifted, turned and scaled as one plane until it looks like each frame, near to
where shoulders usually are while a head moves so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.camera import rotation_matrix
from gsmooth_core.face.landmarks import MESH_POINTS
from gsmooth_core.motion.head import CARRIED
from gsmooth_core.motion.reference import joints
from gsmooth_core.portrait.matte import find_matte
from gsmooth_core.portrait.sway_lay import Plane
from gsmooth_core.storage.spool import Spool
from gsmooth_core.tracking.fitting import temporal
from gsmooth_core.types import FaceTrack, Float, Image, Int

Real = NDArray[np.float64]

_DETAIL = 42.0  # pixels of a small picture a decimetre
_WINDOW = 3.6, 1.8  # decimetres of a frame that are looked at below a chin
_THROAT = 0.18  # decimetres below the chin that still turn with it
_PERSON, _RIM = 0.7, 5  # of the matte from which a pixel is the person's; pixels from others
_CALM = np.array([0.006, 0.006, 0.0015, 0.003])  # deviations of accelerations at 25 fps


@dataclass(frozen=True)
class _Window:
    """What is looked at in the frames of a shot.

    Attributes:
        key: number of the frame to which the others are compared.
        way: (2, 3) pixels of the small picture -> pixels of the frame.
        middle: (2,) of the window, right and down from the middle of the frame, decimetres.
        away: distance of the head in the key frame, decimetres.
        inside: (h, w) 1 where the window lies inside the frame.
    """

    key: int
    way: Float
    middle: Real
    away: float
    inside: Image

    def cut(self, picture: Image) -> Image:
        """(h, w, ...) the window of a picture (H, W, ...); its edges are continued."""
        scale, limits = float(self.way[0, 0]), picture.shape[1::-1]
        low = np.clip(np.floor(self.way[:, 2]).astype(int), 0, np.array(limits) - 1)
        x1, y1 = np.ceil(self.way[:, 2] + scale * np.array(_size())).astype(int) + 1
        part = picture[low[1] : max(y1, low[1] + 1), low[0] : max(x1, low[0] + 1)]
        if scale > 1:  # what is finer than a pixel of the small picture
            part = cv2.GaussianBlur(part, (0, 0), 0.4 * scale)
        way = self.way - np.array([[0, 0, low[0]], [0, 0, low[1]]], np.float32)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        found = cv2.warpAffine(part, way, _size(), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(found, np.uint8)

    def moved(self, shift: Real) -> Real:
        """(T, 4) movements in the window of what is shifted by (T, 3) decimetres in space."""
        size = self.away / (self.away - shift[:, 2:])
        across = (size - 1) * self.middle + size * shift[:, :2] * (1, -1)
        return np.column_stack([across, np.log(size), np.zeros(len(shift))])

    def sway(self, moved: Real) -> Real:
        """(T, 4) shift in space and roll of movements (T, 4); undoes `moved`."""
        size = np.exp(moved[:, 2:3])
        across = (moved[:, :2] - (size - 1) * self.middle) / size * (1, -1)
        return np.column_stack([across, self.away * (1 - 1 / size), moved[:, 3]])


class SwayPictures:
    """Small grey pictures of what is below a tracked head, one of each usable frame.

    Args:
        track: of the frames.
        folder: where they lie, see `Spool`.
    """

    def __init__(self, track: FaceTrack, folder: Path | None = None) -> None:
        self._track = track
        self._shots = np.zeros(len(track), np.int32) if track.shot is None else track.shot
        self._pictures = Spool(np.uint8, _size()[::-1], folder)
        self._numbers: list[int] = []
        self._windows = {
            int(shot): _window(track, np.flatnonzero(track.usable & (self._shots == shot)))
            for shot in np.unique(self._shots[track.usable])
        }
        self._persons: dict[int, Image] = {}

    def watching(self, frames: Iterable[Image]) -> Iterator[Image]:
        """The frames (H, W, 3) RGB of the track as they come, looked at in passing."""
        for number, frame in enumerate(frames):
            if number < len(self._track) and self._track.usable[number]:
                self._see(number, frame)
            yield frame

    def _see(self, number: int, frame: Image) -> None:
        shot = int(self._shots[number])
        window = self._windows[shot]
        self._pictures.add(cv2.cvtColor(window.cut(frame), cv2.COLOR_RGB2GRAY))
        self._numbers.append(number)
        if number == window.key:
            self._persons[shot] = _person(frame, window)

    def sway(self, track: FaceTrack) -> Float:
        """(T, 4) of `FaceTrack.sway`, for all frames.

        Args:
            track: of the frames that were looked at, perhaps with truer poses.
        """
        out, numbers = np.zeros((len(track), 4)), np.array(self._numbers, np.int32)
        for shot, window in self._windows.items():
            own = np.flatnonzero(self._shots == shot)
            key = np.array([window.key], np.int32)
            usual = CARRIED * (joints(track, own) - joints(track, key))
            out[own, :3] = usual
            rows = np.flatnonzero(self._shots[numbers] == shot)
            if shot in self._persons:
                expected = window.moved(usual[np.searchsorted(own, numbers[rows])])
                out[numbers[rows]] = window.sway(self._laid(shot, rows, expected))
        return out.astype(np.float32)

    def _laid(self, shot: int, rows: Int, expected: Real) -> Real:
        """(K, 4) movements in the window of the usable frames of a shot; steady ones."""
        window, numbers = self._windows[shot], np.array(self._numbers)[rows]
        key = self._picture(int(rows[numbers == window.key][0]))
        trunk = Plane(key, self._persons[shot], _DETAIL)
        if not trunk.seen:
            return expected
        laid = [
            trunk.laid(self._picture(int(row)), window.inside, at)
            for row, at in zip(rows, expected, strict=True)
        ]
        found, firm = (np.array(each) for each in zip(*laid, strict=True))
        beyond = found - expected  # which is as steady as the head already
        stiffness = ((float(self._track.fps) / 25) ** 2 / _CALM) ** 2
        return np.asarray(found + temporal.calming(beyond, firm, numbers, stiffness))

    def _picture(self, row: int) -> Image:
        return np.asarray(self._pictures[np.array([row])][0])


def sway_between(track: FaceTrack, first: int, later: int) -> Float | None:
    """(4,) how neck and shoulders have swayed from one frame to another; None if not known."""
    return None if track.sway is None else track.sway[later] - track.sway[first]


def middle_frame(track: FaceTrack, frames: Int) -> int:
    """The frame of some whose head is nearest to their middle pose."""
    turns = rotation_matrix(track.rotation[frames].astype(np.float64))
    apart = np.linalg.norm(turns - turns.mean(0), axis=(1, 2))
    return int(frames[np.argmin(apart)])


def _window(track: FaceTrack, frames: Int) -> _Window:
    """The window of a shot, below the chin of its middle pose."""
    key = middle_frame(track, frames)
    away = -float(track.translation[key, 2])
    unit = track.focal / away  # pixels of the frame a decimetre
    points = track.landmarks[key, MESH_POINTS]
    low = float(points[:, 1].max())
    corner = np.array([points[:, 0].mean() - unit * _WINDOW[0] / 2, low], np.float64)
    scale = unit / _DETAIL
    way = np.array([[scale, 0, corner[0]], [0, scale, corner[1]]], np.float32)
    middle = (corner - (track.width / 2, track.height / 2)) / unit + np.array(_WINDOW) / 2
    columns, rows = (corner[k] + scale * np.arange(_size()[k]) for k in range(2))
    inside = (rows >= 0) & (rows <= track.height - 1)
    seen = inside[:, None] & ((columns >= 0) & (columns <= track.width - 1))
    return _Window(key, way, middle, away, seen.astype(np.uint8))


def _size() -> tuple[int, int]:
    """Width and height of the small pictures."""
    return round(_WINDOW[0] * _DETAIL), round(_WINDOW[1] * _DETAIL)


def _person(frame: Image, window: _Window) -> Image:
    """(h, w) 1 where the window shows the person below the chin."""
    person = window.cut((find_matte(frame) > _PERSON).astype(np.uint8))
    seen = np.asarray(cv2.erode(person, np.ones((_RIM, _RIM), np.uint8)), np.uint8)
    seen[: round(_THROAT * _DETAIL)] = 0
    return seen * window.inside
