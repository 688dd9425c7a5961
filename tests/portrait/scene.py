"""A drawn portrait: stripes behind a shaded head of the face model, whose pose is known."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import cv2
import numpy as np

from gsmooth_core.face.camera import pose, project
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.face.rasterizer import rasterize
from gsmooth_core.motion.head import HeadMotion
from gsmooth_core.types import FaceTrack, Image

WIDTH, HEIGHT, FOCAL = 260, 300, 420.0


@cache
def face_model() -> MorphableModel:
    return load_face_model("face_model")


def still() -> FaceTrack:
    """The track of the portrait."""
    model = face_model()
    rotation, translation = np.array([[-0.05, 0.1, 0.0]]), np.array([[0.1, 0.1, -7.0]])
    camera = pose(model.mean, rotation[0], translation[0])
    marks = project(model.landmarks(camera), FOCAL, WIDTH, HEIGHT)[:, :2]
    return FaceTrack(
        width=WIDTH,
        height=HEIGHT,
        fps=Fraction(25),
        model=model.name,
        focal=FOCAL,
        identity=np.zeros(len(model.identity_basis), np.float32),
        expression_names=model.expression_names,
        expression=np.zeros((1, len(model.expression_names)), np.float32),
        rotation=rotation.astype(np.float32),
        translation=translation.astype(np.float32),
        light=np.zeros((1, 9, 3), np.float32),
        confidence=np.ones(1, np.float32),
        landmarks=marks[None].astype(np.float32),
    )


@cache
def photo() -> Image:
    """The head in smooth colours of its own, before stripes."""
    model, track = face_model(), still()
    seen = project(
        pose(model.mean, track.rotation[0], track.translation[0]), FOCAL, WIDTH, HEIGHT
    ).astype(np.float32)
    colours = (0.5 + 0.4 * np.sin(model.mean * 5)).astype(np.float32)
    raster = rasterize(seen, model.faces.astype(np.int32), colours, HEIGHT, WIDTH)
    stripes = np.where(np.arange(WIDTH) // 12 % 2, 60, 190).astype(np.uint8)
    picture = np.repeat(np.tile(stripes, (HEIGHT, 1))[..., None], 3, 2)
    picture[raster.mask] = np.rint(255 * raster.image[raster.mask]).astype(np.uint8)
    picture = cv2.GaussianBlur(picture, (3, 3), 0)
    picture.setflags(write=False)
    return picture


def motion(*turns: tuple[float, float, float], blink: float = 0.0) -> HeadMotion:
    """Frames of pitch, yaw and roll in degrees."""
    turn = np.deg2rad(np.array(turns)).astype(np.float32)
    count = len(turns)
    still_there = np.zeros((count, 3), np.float32)
    return HeadMotion(turn, still_there, np.full(count, blink, np.float32), Fraction(30))
