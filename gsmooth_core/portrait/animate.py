"""Frames and exact track of a photo that moves: what a dub is then made of, unchanged."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.camera import axis_angle, project, rotation_matrix
from gsmooth_core.face.rasterizer import rasterize
from gsmooth_core.motion.head import HeadMotion, turn_matrices
from gsmooth_core.portrait.eyes import Eyes
from gsmooth_core.portrait.layers import Layers
from gsmooth_core.portrait.sheet import Sheet, rigid
from gsmooth_core.types import Bool, FaceTrack, Float, Image

Pixel = NDArray[np.int_]

_STILL = 0.02  # pixels: what moves less is the photo itself, bit by bit
_MARGIN = 2  # pixels around what moves
_DRAWN_OUT = 4.0  # times as far as it lacks, a photo is stretched at its edge
_EVEN = 9  # pixels along the edge over which that is even
_FINEST = 640  # pixels, the longer side of what is rasterised
_BLINKS = ("eyeBlinkLeft", "eyeBlinkRight")


@dataclass(frozen=True)
class Animation:
    """A photo in motion.

    Attributes:
        photo: (H, W, 3) uint8 RGB.
        sheet: its surface.
        motion: T frames of head motion and blinks.
        eyes: what draws its eyes; None leaves them as they are.
        layers: person and background; None where they are one surface.
    """

    photo: Image
    sheet: Sheet
    motion: HeadMotion
    eyes: Eyes | None = None
    layers: Layers | None = None

    def __len__(self) -> int:
        return len(self.motion)

    def frame(self, index: int) -> Image:
        """(H, W, 3) frame `index`; what does not move is the photo, bit by bit."""
        turn, shift = self.motion.turn[index], self.motion.shift[index]
        sway = None if self.motion.sway is None else self.motion.sway[index]
        photo = self.eyes.at(float(self.motion.blink[index]), turn) if self.eyes else self.photo
        if not turn.any() and not shift.any() and (sway is None or not sway.any()):
            return photo.copy()
        return warped(photo, self.sheet, self.sheet.moved(turn, shift, sway), self.layers)


def warped(photo: Image, sheet: Sheet, seen: Float, layers: Layers | None = None) -> Image:
    """The photo as its surface is seen when its nodes have moved; nearer places hide others.

    Args:
        photo: (H, W, 3) uint8 RGB.
        sheet: its surface.
        seen: (N, 3) u, v and depth of the nodes.
        layers: the background that stays; None where it is one surface with the person.
    """
    low, high = _moving_box(sheet.pixels, seen, photo.shape)
    if (high <= low).any():
        return photo.copy()
    part = np.s_[low[1] : high[1], low[0] : high[0]]
    x, y, covered = _source_map(sheet, seen, low, high)
    rows, columns = np.mgrid[part]
    moves = covered & (np.maximum(abs(x - columns), abs(y - rows)) > _STILL)
    new = cv2.remap(photo, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    if layers is not None:
        alpha = cv2.remap(layers.alpha, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        mixed = moves & (alpha < 1)
        behind = layers.background[part][mixed].astype(np.float32)  # (N, 3)
        share = alpha[mixed][:, None]
        new[mixed] = np.rint(behind + share * (new[mixed] - behind)).astype(np.uint8)
    out = photo.copy()
    out[part][moves] = new[moves]
    return out


def _moving_box(rest: Float, seen: Float, shape: tuple[int, ...]) -> tuple[Pixel, Pixel]:
    """Corners (2,) of the part of the picture in which anything moves."""
    moving = np.abs(seen[:, :2] - rest).max(1) > _STILL / 2
    if not moving.any():
        return np.zeros(2, int), np.zeros(2, int)
    reach = np.concatenate([rest[moving], seen[moving, :2]])
    size = (shape[1], shape[0])
    low = np.clip(np.floor(reach.min(0)).astype(int) - _MARGIN, 0, size)
    return low, np.clip(np.ceil(reach.max(0)).astype(int) + _MARGIN, 0, size)


def _source_map(sheet: Sheet, seen: Float, low: Pixel, high: Pixel) -> tuple[Float, Float, Bool]:
    """For each pixel of a box: column and row of the photo that is seen there, and whether one is.

    Large boxes are rasterised smaller: the map is smooth but where something hides another.
    """
    width, height = (int(n) for n in high - low)
    scale = min(1.0, _FINEST / max(width, height))
    small = max(1, round(width * scale)), max(1, round(height * scale))
    local = seen.astype(np.float32)
    local[:, :2] = (seen[:, :2] - low) * (np.array(small) / (width, height))
    raster = rasterize(local, sheet.faces, sheet.pixels, small[1], small[0])
    found, covered = raster.image, raster.mask.astype(np.uint8)
    if scale < 1:
        found = cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR)
        covered = cv2.resize(covered, (width, height), interpolation=cv2.INTER_NEAREST)
    x, y = (np.ascontiguousarray(found[..., n]) - np.float32(0.5) for n in range(2))
    columns, rows = np.arange(low[0], high[0]), np.arange(low[1], high[1])
    size, seen_there = sheet.size, covered > 0
    x = within(x.T, columns, size[0], seen_there.T).T
    return x, within(y, rows, size[1], seen_there), seen_there


def within(source: Float, places: Pixel, size: int, covered: Bool) -> Float:
    """Rows of the photo that are seen at rows `places` (N,), drawn out where they lie beyond it.

    What was cut off by the photo's edge is not known: the nearest that is known is stretched, by
    less than twice, and so is neither mirrored nor repeated.

    Args:
        source: (N, M) rows of the photo, for M columns.
        places: (N,) the rows of the picture; the photo's own edges matter alone.
        size: rows of the photo.
        covered: (N, M) where `source` counts.
    """
    for edge, inward in ((0, 1), (size - 1, -1)):
        at = int(edge - places[0])
        if not 0 <= at < len(places):
            continue
        beyond = np.where(covered[at], np.maximum(inward * (edge - source[at]), 0), 0)  # (M,)
        beyond = cv2.blur(beyond[None].astype(np.float32), (_EVEN, 1))[0]
        away = inward * (places - edge)[:, None] / np.maximum(_DRAWN_OUT * beyond, 1e-6)
        source = source + inward * beyond * np.maximum(1 - away, 0) ** 2
    return np.ascontiguousarray(source, np.float32)


def animated_track(still: FaceTrack, sheet: Sheet, motion: HeadMotion) -> FaceTrack:
    """The track of the animation: known, not measured.

    Args:
        still: track of the photo, one frame.
        sheet: the photo's surface.
        motion: T frames.

    Returns:
        T frames at the motion's rate; eyes are closed as the motion says.
    """
    count = len(motion)
    marks = sheet.at(still.landmarks[0])
    translation = np.empty((count, 3), np.float32)
    landmarks = np.empty((count, *still.landmarks.shape[1:]), np.float32)
    turns = turn_matrices(motion.turn)
    rotation = axis_angle(turns.astype(np.float64) @ rotation_matrix(still.rotation[0]))
    for index, (matrix, shift) in enumerate(zip(turns, motion.shift, strict=True)):
        translation[index] = rigid(still.translation[:1], sheet.joint, matrix, shift)[0]
        moved = rigid(marks, sheet.joint, matrix, shift)
        landmarks[index] = project(moved, still.focal, still.width, still.height)[:, :2]
    expression = np.repeat(still.expression[:1], count, 0)
    for name in _BLINKS:
        if name in still.expression_names:
            eye = expression[:, still.expression_names.index(name)]
            eye[...] = np.maximum(eye, motion.blink)
    return replace(
        still,
        fps=motion.fps,
        expression=expression,
        rotation=rotation.astype(np.float32),
        translation=translation,
        light=np.repeat(still.light[:1], count, 0),
        confidence=np.repeat(still.confidence[:1], count, 0),
        landmarks=landmarks,
        shot=None,
        people=None,
        exposed=None,
        picture=None,
        sway=None,
    )
