"""Poses of a head made truer by its own looks: what landmarks make too little of, pixels show.

A landmark network sees a head that nods turn by less than it does. Shift and distance make up for
it in the face, not beside it. So points of the whole head (skull and ears as well, which are far
apart and not in one plane) are laid upon each frame as they look in one frame of the shot, and
poses are made steady by how firm each is. A frame that is turned far from that one is compared
with one nearer to it that was laid before. Points that then look otherwise than usual (hair where
the mesh has an ear, what is beside a rim) count less, and all are laid again. A shot in which
nothing fits better stays as tracked. Black or blown frames are looked at by nobody: they are moved
as those beside them are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from gsmooth_core.face.camera import axis_angle, rotation_matrix
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.storage.spool import Spool
from gsmooth_core.tracking.fitting import temporal
from gsmooth_core.tracking.fitting.projection import POSE, direction
from gsmooth_core.tracking.fitting.sequence import Prior
from gsmooth_core.tracking.following.landmarks import Crop, cut
from gsmooth_core.tracking.photometry.head import head_points
from gsmooth_core.tracking.photometry.lay import BLURS, Key, Laid, Layer, Pose, Seen
from gsmooth_core.types import FaceTrack, Image, Int

Real = NDArray[np.float64]

_SIDE = 192  # pixels of the picture of a head
_FEWEST = 5  # frames of a shot
_PLAIN = 1.0  # levels: standard deviation, of a blurred picture that shows nothing
_APART = np.deg2rad(15.0)  # from the nearest frame that is compared with
_LEAST = 1e-3  # firmness of a frame that says nothing
_JUDGED = 50  # frames of a shot
_AGAIN = 2  # times that a shot is laid again
_USUAL = 2.0  # medians of a point's difference, at which half is left of what it counts
_LITTLE = 0.1  # levels that are no difference
_BETTER = 0.95  # of the loss that must be left at most


def refine_poses(
    track: FaceTrack, model: MorphableModel, frames: Iterable[Image], folder: Path | None = None
) -> FaceTrack:
    """A track whose head is where its looks say; all else is as it was, the expression, too.

    For who wants to know how a head moves: under these poses lips are no longer exactly where
    they are seen.

    Args:
        track: of a clip.
        model: its face model.
        frames: (H, W, 3) RGB each, all frames of the track in order; read once.
        folder: where what is kept of them lies, see `Spool`.

    Returns:
        the track; frames without a usable face, and shots in which nothing fits better, keep
        their poses.
    """
    pictures = HeadPictures(track, frames, folder)
    if not len(pictures.numbers):
        return track
    camera = np.array([track.focal, track.width / 2, track.height / 2])
    layer = Layer(head_points(model, track), camera)
    rotation, place = track.rotation.copy(), track.translation.copy()
    shots = np.zeros(len(track), np.int32) if track.shot is None else track.shot
    for shot in np.unique(shots[pictures.numbers]):
        rows = np.flatnonzero(shots[pictures.numbers] == shot)
        found = _of_shot(track, pictures, rows, layer) if len(rows) >= _FEWEST else None
        if found is not None:
            every = np.flatnonzero(track.usable & (shots == shot))
            moved = _carried(track, pictures.numbers[rows], found, every)
            rotation[every] = axis_angle(np.array([p.turn for p in moved]))
            place[every] = [p.vector for p in moved]
    return replace(track, rotation=rotation, translation=place)


class HeadPictures:
    """Small grey pictures of a tracked head, one of each usable frame that shows anything.

    Args:
        track: of the frames.
        frames: (H, W, 3) RGB each, in order; read once.
        folder: where they lie, see `Spool`.

    Attributes:
        numbers: (K,) of these frames.
    """

    def __init__(
        self, track: FaceTrack, frames: Iterable[Image], folder: Path | None = None
    ) -> None:
        self._pictures = Spool(np.uint8, (_SIDE, _SIDE), folder)
        self._ways: list[Real] = []
        numbers: list[int] = []
        usable = track.usable
        for number, frame in zip(range(len(track)), frames, strict=False):
            if usable[number]:
                matrix = Crop.of_points(track.landmarks[number].astype(np.float32)).matrix(_SIDE)
                picture = cv2.cvtColor(cut(frame, matrix, _SIDE), cv2.COLOR_RGB2GRAY)
                if cv2.GaussianBlur(picture, (0, 0), BLURS[0]).std() < _PLAIN:
                    continue
                self._pictures.add(picture)
                whole = np.vstack([matrix, [0, 0, 1]]).astype(np.float64)
                self._ways.append(np.linalg.inv(whole)[:2])
                numbers.append(number)
        self.numbers = np.array(numbers, np.int32)

    def seen(self, row: int) -> Seen:
        """What the frame of this row of `numbers` shows."""
        picture = self._pictures[np.array([row])][0].astype(np.float32)
        blurred = (cv2.GaussianBlur(picture, (0, 0), blur) for blur in BLURS)
        return Seen(tuple(np.asarray(one) for one in blurred), self._ways[row])


def _of_shot(
    track: FaceTrack, pictures: HeadPictures, rows: Int, layer: Layer
) -> Sequence[Pose] | None:
    """The poses of the frames of a shot; None where they are no better than those tracked."""
    numbers = pictures.numbers[rows]
    tracked = _tracked(track, numbers)
    some = np.linspace(0, len(rows) - 1, min(len(rows), _JUDGED)).astype(int)
    laid = _laid(tracked, pictures, rows, layer)
    for _ in range(_AGAIN):
        shown = ((pictures.seen(int(rows[n])), laid[n]) for n in some)
        trusted = Layer(layer.head.trusted(_alike(layer, shown)), layer.camera)
        laid = _laid(tracked, pictures, rows, trusted, [one.pose for one in laid])
    steady = _steady(laid, numbers, float(track.fps))
    before, after = 0.0, 0.0
    for n in some:
        seen, key = pictures.seen(int(rows[n])), laid[n].key
        before += layer.loss(seen, key, tracked[n])
        after += layer.loss(seen, key, steady[n])
    return steady if after < _BETTER * before else None


def _carried(track: FaceTrack, numbers: Int, found: Sequence[Pose], frames: Int) -> list[Pose]:
    """Poses of all frames of a shot: each as far from the tracked one as those beside it."""
    tracked = _tracked(track, numbers)
    off = np.array([one.beyond(own) for one, own in zip(found, tracked, strict=True)])
    steps = np.stack([np.interp(frames, numbers, part) for part in off.T], axis=1)
    return [own.moved(step) for own, step in zip(_tracked(track, frames), steps, strict=True)]


def _tracked(track: FaceTrack, numbers: Int) -> list[Pose]:
    turns = rotation_matrix(track.rotation[numbers].astype(np.float64))
    places = direction(track.translation[numbers].astype(np.float64))
    return [Pose(turn, place) for turn, place in zip(turns, places, strict=True)]


def _laid(
    tracked: Sequence[Pose],
    pictures: HeadPictures,
    rows: Int,
    layer: Layer,
    known: Sequence[Pose] | None = None,
) -> list[Laid]:
    """Each frame of a shot, those first that are turned least from the middle.

    From where they were laid before, if that is known.
    """
    turns = Rotation.from_matrix(np.array([pose.turn for pose in tracked]))
    middle = int(np.argmin((turns * turns.mean().inv()).magnitude()))
    order = np.argsort((turns * turns[middle].inv()).magnitude(), kind="stable")
    keys: list[tuple[int, Key]] = [
        (middle, layer.key(pictures.seen(int(rows[middle])), tracked[middle]))
    ]
    found: dict[int, Laid] = {}
    for n in order.tolist():
        seen = pictures.seen(int(rows[n]))
        apart = (turns[[own for own, _ in keys]] * turns[n].inv()).magnitude()
        nearest = int(np.argmin(apart))
        start = known[n] if known else None
        found[n] = layer.laid(seen, keys[nearest][1], tracked[n], start)
        if apart[nearest] > _APART:
            keys.append((n, layer.key(seen, found[n].pose)))
    return [found[n] for n in range(len(tracked))]


def _alike(layer: Layer, shown: Iterable[tuple[Seen, Laid]]) -> Real:
    """(N,) 1 to 0, how far points look in some frames as they did in those of their looks.

    What is seen in none of them counts as it did.
    """
    total, counts = np.zeros((2, len(layer.head.weight)))
    for seen, laid in shown:
        apart, count = layer.misfit(seen, laid.key, laid.pose)
        total += count * apart
        counts += count
    known = counts > 0
    if not known.any():
        return np.ones(len(known))
    mean = total[known] / counts[known]
    share = np.ones(len(known))
    usual = _USUAL * max(float(np.median(mean)), _LITTLE)
    share[known] = 1 / (1 + (mean / usual) ** 4)
    return share


def _steady(laid: Sequence[Laid], numbers: Int, fps: float) -> list[Pose]:
    """Poses that move as heads do, each as near to where it was laid as that is firm."""
    middle = laid[len(laid) // 2].pose
    x = np.array([one.pose.beyond(middle) for one in laid])
    firm = np.array([one.firmness for one in laid]) + _LEAST * np.eye(POSE)
    stiffness = Prior(np.zeros(0, np.float32)).stiffness(fps)
    x = x + temporal.calming(x, firm, numbers, stiffness)
    return [middle.moved(row) for row in x]
