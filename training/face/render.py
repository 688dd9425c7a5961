"""Plausible pictures of the bare face model, for finding where a tracker sees its landmarks.

The model has no skin texture. Brows, irises and a hairline are painted by place on the mean
face; that is enough for a landmark network, and needs no photographs.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.camera import pose, project
from gsmooth_core.face.morphable import MorphableModel, Region
from gsmooth_core.face.rasterizer import Raster, rasterize
from gsmooth_core.face.shading import shade, vertex_normals
from gsmooth_core.types import Float, Image

TINTS = {
    Region.LIPS: (0.78, 0.42, 0.42),
    Region.INNER_MOUTH: (0.35, 0.12, 0.12),
    Region.TEETH: (0.95, 0.93, 0.88),
    Region.TONGUE: (0.75, 0.38, 0.38),
    Region.EYES: (0.93, 0.92, 0.92),
}
# Middle line of the brow at the model's left (x > 0) on the mean face, and its half height.
BROW = np.array([[0.11, 0.50], [0.22, 0.56], [0.35, 0.575], [0.46, 0.54], [0.54, 0.47]])
BROW_HEIGHT = 0.035
IRIS, PUPIL = 0.058, 0.022  # dm
HAIRLINE = 1.02


@dataclass(frozen=True)
class View:
    """One picture to take.

    Attributes:
        identity: (I,).
        expression: (E,).
        rotation: (3,) axis-angle.
        translation: (3,).
        focal: pixels.
        light: (9, 3).
        skin: (3,) albedo of the skin.
        background: (3,) colour behind the head.
    """

    identity: Float
    expression: Float
    rotation: Float
    translation: Float
    focal: float
    light: Float
    skin: Float
    background: Float


@dataclass(frozen=True)
class Picture:
    """A rendered view.

    Attributes:
        image: (H, W, 3) RGB.
        raster: which face each pixel shows.
        facing: (H, W) cosine between the surface and the viewing direction; 0 outside.
    """

    image: Image
    raster: Raster
    facing: Float


def take(model: MorphableModel, view: View, size: int) -> Picture:
    """Render a view as a square picture of `size` pixels."""
    placed = pose(model.shape(view.identity, view.expression), view.rotation, view.translation)
    normals = vertex_normals(placed, model.faces)
    tints = region_tints(model, view.skin)
    attributes = np.concatenate([model.mean, normals, tints], axis=1)  # (V, 9)
    raster = rasterize(project(placed, view.focal, size, size), model.faces, attributes, size, size)
    pixels = raster.image[raster.mask]
    unit = pixels[:, 3:6] / np.maximum(np.linalg.norm(pixels[:, 3:6], axis=1, keepdims=True), 1e-6)
    albedo = paint(model, pixels[:, :3], pixels[:, 6:9], view.skin)
    image = np.empty((size, size, 3), np.float32)
    image[:] = view.background
    image[raster.mask] = shade(albedo, unit.astype(np.float32), view.light)
    facing = np.zeros((size, size), np.float32)
    facing[raster.mask] = unit[:, 2]
    soft = cv2.GaussianBlur(np.clip(image, 0, 1), (0, 0), 0.7)  # cameras do not show hard edges
    return Picture((soft * 255).astype(np.uint8), raster, facing)


def region_tints(model: MorphableModel, skin: Float) -> Float:
    """(V, 3) albedo of each vertex; lips are mixed with the skin's own colour."""
    tints = np.tile(skin, (len(model.mean), 1))
    for region, colour in TINTS.items():
        tints[model.regions == region] = np.asarray(colour)
    lips = model.regions == Region.LIPS
    tints[lips] = tints[lips] * (0.4 + 0.6 * skin)
    return tints.astype(np.float32)


def paint(model: MorphableModel, places: Float, albedo: Float, skin: Float) -> Float:
    """Add brows, irises and hair to pixels.

    Args:
        model: gives the centres of the eyes.
        places: (P, 3) places of the pixels on the mean face.
        albedo: (P, 3) colours without them.
        skin: (3,) albedo of the skin.
    """
    painted = albedo.copy()
    x, y, z = np.abs(places[:, 0]), places[:, 1], places[:, 2]
    middle = np.interp(x, BROW[:, 0], BROW[:, 1])
    inside = (x > BROW[0, 0]) & (x < BROW[-1, 0]) & (np.abs(y - middle) < BROW_HEIGHT) & (z > 0)
    painted[inside] = 0.35 * skin
    painted[(y > HAIRLINE - 0.3 * np.clip(0.3 - z, 0, None)) | (z < -0.65)] = 0.18 * skin
    centre = eye_centre(model)
    radius = np.hypot(x - centre[0], y - centre[1])
    on_eye = (np.abs(z - centre[2]) < 0.16) & (albedo.min(1) > 0.85)
    painted[on_eye & (radius < IRIS)] = (0.25, 0.17, 0.1)
    painted[on_eye & (radius < PUPIL)] = 0.02
    return painted


def eye_centre(model: MorphableModel) -> NDArray[np.float32]:
    """(3,) centre of the eyeball at positive x on the mean face."""
    eye = model.in_regions(Region.EYES) & (model.mean[:, 0] > 0)
    return np.asarray(model.mean[eye].mean(0), np.float32)


def random_view(
    model: MorphableModel, random: np.random.Generator, size: int, open_mouth: bool
) -> View:
    """A random person, seen from a random side, in random light.

    Args:
        model: the face model.
        random: source of randomness.
        size: pixels of the square picture.
        open_mouth: open the jaw, so that the inner edges of the lips part.
    """
    identity = random.normal(0, 0.7, len(model.identity_basis))
    focal = size * random.uniform(1.5, 4)
    distance = focal * 1.6 / (size * random.uniform(0.5, 0.65))
    turn = np.radians(random.normal(0, (9, 16, 6))).clip(-0.7, 0.7)
    light = np.zeros((9, 3))
    light[0] = random.uniform(2.0, 3.0)
    light[1:4] = random.normal((0.35, 0.6, 0.0), 0.4)[:, None]
    light *= random.uniform(0.92, 1.08, 3)
    skin = np.array([0.85, 0.63, 0.53]) * random.uniform(0.5, 1.05)
    return View(
        identity=np.asarray(identity, np.float32),
        expression=random_expression(model, random, open_mouth),
        rotation=np.asarray(turn, np.float32),
        translation=np.asarray([*random.uniform(-0.15, 0.15, 2), -distance], np.float32),
        focal=focal,
        light=np.asarray(light, np.float32),
        skin=np.asarray(skin, np.float32),
        background=random.uniform(0, 1, 3).astype(np.float32),
    )


def random_expression(
    model: MorphableModel, random: np.random.Generator, open_mouth: bool
) -> Float:
    """(E,) a mild expression, symmetric, with the jaw shut or open."""
    index = model.expression_names.index
    values = np.zeros(len(model.expression_names), np.float32)
    if open_mouth:
        values[index("jawOpen")] = random.uniform(0.05, 0.6)
    for name in random.choice(["mouthSmile", "mouthFunnel", "browInnerUp", "mouthStretch"], 2):
        sides = (name,) if name in model.expression_names else (f"{name}Left", f"{name}Right")
        strength = random.uniform(0, 0.4)
        for side in sides:
            values[index(side)] = strength
    return values
