"""The values that flow along the way: each stage takes one of these and returns the next.

    Clip -> FaceTrack -> Expression -> RenderedFace -> Blend -> frame

All arrays are float32 unless said otherwise. T = frames, V = vertices, E = expression
components, H x W = pixels. Pixel coordinates have x right, y down, and (0.5, 0.5) is the
centre of the first pixel. Camera space is Blender's: x right, y up, the camera at the origin
looks along -z; units are decimetres.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Int = NDArray[np.int32]
Bool = NDArray[np.bool_]
Image = NDArray[np.uint8]
Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels of a picture."""


@dataclass(frozen=True)
class Clip:
    """What a video (or a still image) is, before a frame of it is decoded.

    Attributes:
        path: the source file.
        width: displayed width in pixels, after rotation.
        height: displayed height in pixels, after rotation.
        fps: exact frame rate.
        frame_count: number of frames, as they will be decoded.
        has_audio: whether it carries a sound stream.
        still: a single image (which may stand for any number of frames).
        sample_aspect: width of a pixel over its height.
        stamp: size in bytes and time of change in nanoseconds of the file that was looked at,
            by which a replaced one is noticed; None for a clip that is no file.
        missing_frames: frames that the file states and does not hold, because it was cut off.
        sound_track: which of its sounds holds the speech, from 0.
        paced: whether its rate varies, and each picture is one frame: then `fps` is a mean.
    """

    path: Path
    width: int
    height: int
    fps: Fraction
    frame_count: int
    has_audio: bool = False
    still: bool = False
    sample_aspect: Fraction = Fraction(1)
    stamp: tuple[int, int] | None = None
    missing_frames: int = 0
    sound_track: int = 0
    paced: bool = False

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return float(self.frame_count / self.fps)


@dataclass(frozen=True)
class Expression:
    """Expression curves: one value a component and frame (beta of eq. 1).

    Attributes:
        names: E component names; ARKit names for the default face model.
        values: (T, E) coefficients.
        fps: frame rate of the curves.
    """

    names: tuple[str, ...]
    values: Float
    fps: Fraction

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names):
            raise ValueError(f"values {self.values.shape} do not fit {len(self.names)} names")

    def __len__(self) -> int:
        return int(self.values.shape[0])


FrameSource = Callable[[int], Image]
"""Frame number -> (H, W, 3) uint8 RGB."""

Opened = Callable[[], AbstractContextManager[FrameSource]]
"""Opens a clip, whose frames are then asked for in ascending order."""


_EACH = ("expression", "rotation", "translation", "light", "confidence", "landmarks")
_EACH_IF_KNOWN = ("shot", "people", "exposed", "area", "sway", "hair")
"""What a track has of each frame, beside its picture."""


@dataclass(frozen=True)
class FaceTrack:
    """The face of one person in one clip, as parameters of a morphable model (the R-Net role).

    Attributes:
        width: frame width in pixels.
        height: frame height in pixels.
        fps: frame rate.
        model: name of the face model the coefficients belong to.
        focal: focal length in pixels; the principal point is the frame's centre.
        identity: (I,) alpha of eq. 1, one for the clip.
        expression_names: E names.
        expression: (T, E) beta of eq. 1.
        rotation: (T, 3) axis-angle in radians, model to camera space.
        translation: (T, 3) in decimetres, model to camera space; z is negative.
        light: (T, 9, 3) spherical-harmonics light, bands 0..2, RGB.
        confidence: (T,) 0..1; 0 means no usable face in that frame.
        landmarks: (T, 478, 2) pixels in the frame; NaN where there is no face.
        shot: (T,) number of the shot, below 0 where two are mixed; None where it is not known.
        people: (T, P) whether person 1, 2, ... is seen; None where it is not known.
        person: number of the person whose face this is; 0 where it is not known.
        exposed: (T,) share of the skin that is neither white nor black, 0..1; None where it is not
            known.
        picture: (T,) number of the picture that each frame shows, where some are shown again, by
            the file or by the job, or left out: that of the filmed frame that shows it first, so
            that numbers are as far apart as pictures were filmed; None where each has its own.
        area: (T, 4) pixels x0, y0, x1, y1 between the bars around the picture; None where there are
            none, or it is not known.
        sway: (T, 4) how neck and shoulders are moved from where they are in one frame of the shot:
            shift in decimetres in camera space, and roll in radians, clockwise as the viewer sees
            it; None where it is not known.
        hair: (T, 4) how hair is moved, beside what the pose of the head makes of it, from where it
            is in one frame of the shot: to the right and down in decimetres, logarithm of the size
            and roll as above, both about the atlas joint; None where it is not known.
    """

    width: int
    height: int
    fps: Fraction
    model: str
    focal: float
    identity: Float
    expression_names: tuple[str, ...]
    expression: Float
    rotation: Float
    translation: Float
    light: Float
    confidence: Float
    landmarks: Float
    shot: Int | None = None
    people: Bool | None = None
    person: int = 0
    exposed: Float | None = None
    area: Int | None = None
    picture: Int | None = None
    sway: Float | None = None
    hair: Float | None = None

    def __len__(self) -> int:
        return int(self.expression.shape[0])

    @property
    def usable(self) -> Bool:
        """(T,) whether a frame's face can be replaced."""
        return self.confidence > 0

    @property
    def pictures(self) -> Int:
        """(T,) number of the picture that each frame shows."""
        return np.arange(len(self), dtype=np.int32) if self.picture is None else self.picture

    def area_of(self, frame: int) -> Box:
        """x0, y0, x1, y1 of what is picture in a frame, and no bar."""
        x0, y0, x1, y1 = (
            (0, 0, self.width, self.height) if self.area is None else self.area[frame].tolist()
        )
        return x0, y0, x1, y1

    @property
    def new(self) -> Bool:
        """(T,) whether a frame shows a picture that none before it shows."""
        new = np.zeros(len(self), bool)
        new[np.unique(self.pictures, return_index=True)[1]] = True
        return new

    @property
    def following(self) -> Int:
        """(T,) the frame that shows the next new picture after each; itself where none does."""
        own, new = np.arange(len(self)), np.flatnonzero(self.new)
        after = np.append(new, -1)[np.searchsorted(new, own, "right")]
        return np.asarray(after.clip(own), np.int32)

    def gathered(self, frames: Int) -> FaceTrack:
        """The track (of N frames) of a clip that shows `frames` (T,) of this one."""
        names = [*_EACH, *(name for name in _EACH_IF_KNOWN if getattr(self, name) is not None)]
        values: dict[str, Any] = {name: getattr(self, name)[frames] for name in names}
        return replace(self, **values, picture=self.pictures[frames])

    def only(self, frames: Bool) -> FaceTrack:
        """The track with no confidence in any but `frames` (T,)."""
        confidence = np.where(frames, self.confidence, 0).astype(np.float32)
        return replace(self, confidence=confidence)

    @property
    def curves(self) -> Expression:
        """The tracked expression alone: dubbing with it is reconstruction."""
        return Expression(self.expression_names, self.expression, self.fps)


@dataclass(frozen=True)
class RenderedFace:
    """The posed mesh as seen in a face crop of H x W pixels (the paper's DR step).

    Attributes:
        image: (H, W, 3) I_r, RGB 0..1.
        depth: (H, W) distance to the camera in decimetres; inf where there is no face.
        mask: (H, W) bool, where the mesh covers the pixel.
        region: (H, W) uint8 id of the mesh region of the pixel (`face_model.Region`), 0 outside.
    """

    image: Float
    depth: Float
    mask: Bool
    region: NDArray[np.uint8]


@dataclass(frozen=True)
class Blend:
    """What the generator is given for one frame (MAFB, eq. 9).

    Attributes:
        image: (H, W, 3) I_b, RGB 0..1: the render inside the mask, the frame outside it.
        mask: (H, W) M_f, 0..1: where pixels of the frame are replaced.
        references: (K, H, W, 3) other frames of the clip, warped to this pose, RGB 0..1.
        validity: (K, H, W) 0..1, how far each reference pixel can be believed.
    """

    image: Float
    mask: Float
    references: Float
    validity: Float = field(repr=False)
