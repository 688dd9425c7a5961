"""A clip that is known to the last pixel: the default face model, painted, before a background."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np

from gsmooth_core.face.camera import pose, project
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import MorphableModel, Region
from gsmooth_core.face.rasterizer import rasterize
from gsmooth_core.types import FaceTrack, Image

WIDTH, HEIGHT, FOCAL = 320, 288, 700.0
LIGHT = np.zeros((9, 3), np.float32)
LIGHT[0] = 3.0


@cache
def face_model() -> MorphableModel:
    return load_face_model()


def track(frames: int = 12, seed: int = 0, *, still: bool = False) -> FaceTrack:
    """A head that turns and nods a little while its mouth opens and closes."""
    model = face_model()
    rng = np.random.default_rng(seed)
    t = np.zeros(frames) if still else np.arange(frames) / max(frames, 1)
    expression = np.zeros((frames, len(model.expression_names)), np.float32)
    jaw = model.expression_names.index("jawOpen")
    smile = [model.expression_names.index(f"mouthSmile{side}") for side in ("Left", "Right")]
    expression[:, jaw] = 0.35 * (1 - np.cos(4 * np.pi * t)) / 2
    expression[:, smile] = (0.4 * np.sin(2 * np.pi * t) ** 2)[:, None]
    rotation = np.stack([0.05 * np.sin(6 * t), 0.12 * np.sin(4 * t), 0.04 * np.cos(5 * t)], 1)
    translation = np.stack([0.1 * np.sin(3 * t), 0.05 * t, -8 + 0.1 * t], 1)
    return FaceTrack(
        width=WIDTH,
        height=HEIGHT,
        fps=Fraction(25),
        model=model.name,
        focal=FOCAL,
        identity=(0.3 * rng.standard_normal(len(model.identity_basis))).astype(np.float32),
        expression_names=model.expression_names,
        expression=expression,
        rotation=rotation.astype(np.float32),
        translation=translation.astype(np.float32),
        light=np.tile(LIGHT, (frames, 1, 1)),
        confidence=np.ones(frames, np.float32),
        landmarks=np.zeros((frames, 478, 2), np.float32),
    )


def without_face(clip: FaceTrack, frame: int) -> FaceTrack:
    confidence = clip.confidence.copy()
    confidence[frame] = 0
    return replace(clip, confidence=confidence)


@cache
def _paint() -> np.ndarray:
    """(V, 3) smooth colours, with lips and mouth told apart."""
    model = face_model()
    x, y, z = model.mean.T
    colours = np.stack(
        [0.6 + 0.12 * np.sin(9 * x) * np.cos(7 * y), 0.45 + 0.1 * np.sin(8 * y), 0.4 + 0.1 * z], 1
    )
    colours[model.regions == Region.LIPS] *= (0.9, 0.5, 0.5)
    colours[model.regions == Region.TEETH] = 0.8
    colours[model.in_regions(Region.INNER_MOUTH, Region.TONGUE)] = (0.3, 0.1, 0.1)
    return colours.clip(0, 1).astype(np.float32)


def picture(clip: FaceTrack, frame: int, expression: np.ndarray | None = None) -> Image:
    """(H, W, 3) uint8: frame number `frame`, drawn at twice the size and reduced."""
    model = face_model()
    beta = clip.expression[frame] if expression is None else expression
    camera = pose(model.shape(clip.identity, beta), clip.rotation[frame], clip.translation[frame])
    seen = project(camera, 2 * clip.focal, 2 * clip.width, 2 * clip.height)
    height, width = 2 * clip.height, 2 * clip.width
    drawn = rasterize(seen, model.faces, _paint(), height, width)
    y, x = np.mgrid[0:height, 0:width] / 60
    background = np.stack([0.3 + 0.1 * np.sin(x), 0.35 + 0.1 * np.cos(y), 0.4 + 0 * x], -1)
    image = np.where(drawn.mask[..., None], drawn.image, background)
    small = image.reshape(clip.height, 2, clip.width, 2, 3).mean((1, 3))  # 2x2 -> 1 pixel
    return np.rint(small * 255).astype(np.uint8)


def pictures(clip: FaceTrack) -> list[Image]:
    """All frames of a clip, with its own expressions."""
    return [picture(clip, frame) for frame in range(len(clip.expression))]
