"""A clip reenacted from one of its frames: the photo, how its head moves later, the true frames.

Everything is seen in one square crop of the head, its hair and its neck.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.camera import pose, project, rotation_matrix
from gsmooth_core.face.morphable import MOUTH_REGIONS, MorphableModel, Region
from gsmooth_core.face.rasterizer import rasterize
from gsmooth_core.motion.head import ATLAS, matrix_turns
from gsmooth_core.portrait.layers import layers_of
from gsmooth_core.portrait.matte import find_matte
from gsmooth_core.portrait.sheet import sheet_of
from gsmooth_core.portrait.warp import warped
from gsmooth_core.types import Bool, FaceTrack, Float, Image

SIZE = 256
"""Pixels of the crop."""

KINDS = ("layer", "sheet", "static")
"""What a photo can be made into; see `Scene.made`."""

_SIDE = 2.3  # widths of the head that the crop shows
_UP = 0.05  # widths of the head by which its middle lies below that of the face
_NECK = 0.8, 0.5  # widths of the head below the chin, and to either side of it
_JUMP = 0.12  # widths of the face, or shares of its size, that no head moves in a frame
_OPEN = 0.9  # of the usual opening of the eyes: less is a blink
_LIDS, _CORNERS = ((159, 145), (386, 374)), ((33, 133), (362, 263))  # landmarks
_MATTE = 0.5  # from which a pixel is the person's
_NO_FACE = (Region.LIPS, *MOUTH_REGIONS, Region.NECK)  # what speech moves most, or is no face
_SPEECH = (Region.LOWER_FACE, *_NO_FACE)  # what a dub makes anew


def pose_between(track: FaceTrack, first: int, later: int) -> tuple[Float, Float]:
    """(3,) turn and (3,) shift, as `HeadMotion` has them, from one frame's head to another's."""
    both = [first, later]
    rotation = rotation_matrix(track.rotation[both].astype(np.float64))
    turn = matrix_turns((rotation[1] @ rotation[0].T)[None])[0]
    joint = rotation @ np.array(ATLAS) + track.translation[both]
    return turn, (joint[1] - joint[0]).astype(np.float32)


def angle_between(track: FaceTrack, first: int, later: int) -> float:
    """Degrees by which the head of one frame is turned away from another's."""
    a, b = rotation_matrix(track.rotation[[first, later]].astype(np.float64))
    return float(np.degrees(np.arccos(np.clip((np.trace(a @ b.T) - 1) / 2, -1, 1))))


class Scene:
    """A frame of a clip as a photo, and what it looks like where the head goes.

    Args:
        photo: (H, W, 3) uint8 RGB, frame `first` of the clip.
        track: of the clip.
        first: a usable frame.
        model: the track's face model.
    """

    def __init__(self, photo: Image, track: FaceTrack, first: int, model: MorphableModel) -> None:
        self.photo, self.track, self.first, self.model = photo, track, first, model
        still = replace(track.gathered(np.array([first], np.int32)), picture=None)
        self.sheet = sheet_of(still, model)
        self.layers = layers_of(photo, find_matte(photo), self.sheet.face, self.sheet.wide)
        self.crop = _crop(self.sheet.face, self.sheet.wide)

    def made(
        self, turn: Float, shift: Float, sway: Float | None = None, hair: Float | None = None
    ) -> dict[str, Image]:
        """(SIZE, SIZE, 3) crops of the photo with its head moved, by kind.

        "layer" turns the person before the background, "sheet" all as one, "static" nothing.

        Args:
            turn: (3,) as `HeadMotion` has it.
            shift: (3,) decimetres.
            sway: (4,) of neck and shoulders, None where it is not known.
            hair: (4,) of hair, likewise.
        """
        seen = self.sheet.moved(turn, shift, sway, hair)
        layer = warped(self.photo, self.sheet, seen, self.layers)
        sheet = warped(self.photo, self.sheet, seen)
        return {n: self.cut(p) for n, p in zip(KINDS, (layer, sheet, self.photo), strict=True)}

    def quick(self, turn: Float, shift: Float) -> Image:
        """(SIZE, SIZE, 3) much as "sheet", in a few hundredths of a second: the crop is moved."""
        scale, off = np.float32(self.crop[0, 0]), self.crop[:, 2].astype(np.float32)
        seen = self.sheet.moved(turn, shift).astype(np.float32)
        seen[:, :2] = seen[:, :2] * scale + off
        source = rasterize(seen, self.sheet.faces, self.sheet.pixels * scale + off, SIZE, SIZE)
        x, y = (np.ascontiguousarray(source.image[..., n]) - np.float32(0.5) for n in range(2))
        crop = self.cut(self.photo)
        return np.asarray(cv2.remap(crop, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))

    def pose(self, later: int) -> tuple[Float, Float]:
        """(3,) turn and (3,) shift of the head in frame `later`, as it was tracked."""
        return pose_between(self.track, self.first, later)

    def cut(self, picture: NDArray[Any], beyond: Any = None) -> NDArray[Any]:
        """(SIZE, SIZE, ...) the crop of a picture (H, W, ...), its edges continued or `beyond`."""
        flags = cv2.INTER_AREA if self.crop[0, 0] < 1 else cv2.INTER_CUBIC
        low = np.floor(-self.crop[:, 2] / self.crop[0, 0]).astype(int)
        side = round(SIZE / self.crop[0, 0])
        part = _part(picture, low, side, beyond)
        return np.asarray(cv2.resize(part, (SIZE, SIZE), interpolation=flags))

    def regions(self, truth: Image, later: int) -> dict[str, Bool]:
        """(SIZE, SIZE) where the frame `later` shows face (without lips), hair and neck."""
        parts = (_NO_FACE, _SPEECH, (Region.NECK,))
        face, upper, head = (self._drawn(later, without) for without in parts)
        person = self.cut(find_matte(truth), np.float32(0)) > _MATTE
        rows, columns = np.nonzero(head)
        chin, middle = rows.max(), columns.mean()
        wide = self.sheet.wide * self.crop[0, 0]
        y, x = np.mgrid[:SIZE, :SIZE]
        below = (y > chin) & (y < chin + _NECK[0] * wide) & (abs(x - middle) < _NECK[1] * wide)
        beside = (y < chin - 0.25 * wide) & (abs(x - middle) < wide)
        return {
            "face": face,
            "upper face": upper,
            "hair": person & beside & ~head,
            "neck": person & below & ~head,
        }

    def _drawn(self, frame: int, without: tuple[Region, ...]) -> Bool:
        track = self.track
        vertices = self.model.shape(track.identity, track.expression[frame])
        camera = pose(vertices, track.rotation[frame], track.translation[frame])
        seen = project(camera, track.focal, track.width, track.height).astype(np.float32)
        seen[:, :2] = seen[:, :2] * self.crop[0, 0] + self.crop[:, 2]
        faces = self.model.faces
        kept = faces[~self.model.in_regions(*without)[faces].any(1)].astype(np.int32)
        return rasterize(seen, kept, seen, SIZE, SIZE).mask


def _crop(face: Bool, wide: float) -> Float:
    """(2, 3) from pixels of the photo to pixels of the crop around the face (H, W)."""
    rows, columns = np.nonzero(face)
    middle = np.array([columns.min() + columns.max(), rows.min() + rows.max()]) / 2
    middle[1] += _UP * wide
    side = round(_SIDE * wide)
    low = np.round(middle - side / 2)
    scale = SIZE / side
    return np.array([[scale, 0, -low[0] * scale], [0, scale, -low[1] * scale]])


def _part(picture: NDArray[Any], low: NDArray[Any], side: int, beyond: Any) -> NDArray[Any]:
    """A square of a picture; beyond its edges they are continued, or a value is put there."""
    height, width = picture.shape[:2]
    places = [np.arange(side) + int(n) for n in low[::-1]]
    rows, columns = (
        np.clip(at, 0, most - 1) for at, most in zip(places, (height, width), strict=True)
    )
    part: NDArray[Any] = picture[rows[:, None], columns[None]]
    if beyond is not None:
        part[places[0] != rows] = beyond
        part[:, places[1] != columns] = beyond
    return part


def usable_frames(track: FaceTrack, count: int) -> list[int]:
    """The usable frames of a clip from its first that can be a photo to its next cut.

    A photo has open eyes. Tracks of earlier versions know no cuts: there a face that is elsewhere
    all at once is one.
    """
    usable = np.flatnonzero(track.usable[:count])
    if track.shot is not None and len(usable):
        usable = usable[track.shot[usable] == track.shot[usable[0]]]
    middle, wide = track.landmarks[usable].mean(1), np.ptp(track.landmarks[usable][..., 0], axis=1)
    jumps = np.linalg.norm(np.diff(middle, axis=0), axis=1) > _JUMP * wide[1:]
    sizes = np.abs(np.diff(np.log(wide))) > _JUMP
    cut = np.flatnonzero(jumps | sizes)
    kept = usable[: int(cut[0]) + 1 if len(cut) else None]
    opening = _opening(track.landmarks[kept])
    opened = np.flatnonzero(opening > _OPEN * np.median(opening))
    return [int(n) for n in kept[opened[0] if len(opened) else 0 :]]


def _opening(landmarks: Float) -> Float:
    """(N,) how far both eyes are open, over their widths, by landmarks (N, 478, 2)."""
    gaps = [np.linalg.norm(landmarks[:, a] - landmarks[:, b], axis=1) for a, b in _LIDS]
    wide = [np.linalg.norm(landmarks[:, a] - landmarks[:, b], axis=1) for a, b in _CORNERS]
    return np.asarray(np.minimum(gaps[0] / wide[0], gaps[1] / wide[1]), np.float32)
