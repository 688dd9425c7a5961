"""Frames and exact track of a photo that moves: what a dub is then made of, unchanged."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gsmooth_core.face.camera import axis_angle, project, rotation_matrix
from gsmooth_core.motion.head import HeadMotion, turn_matrices
from gsmooth_core.portrait.eyes import Eyes
from gsmooth_core.portrait.layers import Layers
from gsmooth_core.portrait.sheet import Sheet, rigid
from gsmooth_core.portrait.warp import warped
from gsmooth_core.types import FaceTrack, Image

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
        sway, hair = (
            None if each is None else each[index] for each in (self.motion.sway, self.motion.hair)
        )
        photo = self.eyes.at(float(self.motion.blink[index]), turn) if self.eyes else self.photo
        if not any(each is not None and each.any() for each in (turn, shift, sway, hair)):
            return photo.copy()
        return warped(photo, self.sheet, self.sheet.moved(turn, shift, sway, hair), self.layers)


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
        area=None if still.area is None else np.repeat(still.area[:1], len(motion), 0),
        picture=None,
        sway=None,
        hair=None,
    )
