"""Drawn eyes whose every part is known: skin, brow, lashes, eyeball and iris, with mesh points."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gsmooth_core.types import Float, Image

SKIN, BALL, IRIS, LASH, BROW = (
    (205, 160, 135),
    (235, 235, 240),
    (40, 90, 200),
    (35, 22, 18),
    (80, 55, 40),
)
HEIGHT = 0.32
"""Opening over the width of the eye."""

# Mesh points of upper lid, lower lid, fold and brow bone, from the picture's left to its right.
LEFT = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133),
    (33, 7, 163, 144, 145, 153, 154, 155, 133),
    (247, 30, 29, 27, 28, 56, 190),
    (113, 225, 224, 223, 222, 221, 189),
)
RIGHT = (
    (362, 398, 384, 385, 386, 387, 388, 466, 263),
    (362, 382, 381, 380, 374, 373, 390, 249, 263),
    (414, 286, 258, 257, 259, 260, 467),
    (413, 441, 442, 443, 444, 445, 342),
)


@dataclass(frozen=True)
class Drawn:
    """A picture, its mesh points, and what is where."""

    photo: Image
    points: Float
    width: float
    centres: tuple[Float, Float]

    def near(self, left: float, right: float, up: float, down: float) -> np.ndarray:
        """(H, W) around both eyes' middles, in eye widths."""
        y, x = np.mgrid[: self.photo.shape[0], : self.photo.shape[1]] + 0.5
        found = np.zeros(self.photo.shape[:2], bool)
        for cx, cy in self.centres:
            u, v = (x - cx) / self.width, (y - cy) / self.width
            found |= (u > -left) & (u < right) & (v > -up) & (v < down)
        return found

    def eyeball(self, picture: Image) -> int:
        """Number of pixels that look like eyeball or iris."""
        return int(cool(picture).sum())

    def between_lids(self, gap: float = HEIGHT) -> np.ndarray:
        """(H, W) the opening of both eyes, as drawn."""
        y, x = np.mgrid[: self.photo.shape[0], : self.photo.shape[1]] + 0.5
        found = np.zeros(self.photo.shape[:2], bool)
        for cx, cy in self.centres:
            u, v = np.clip((x - cx) / self.width + 0.5, 0, 1), (y - cy) / self.width
            found |= (v > -upper(u, gap)) & (v < lower(u, gap))
        return found


def cool(picture: Image) -> np.ndarray:
    """(H, W) what looks like eyeball or iris: skin and lashes are warm, these are not."""
    red, _, blue = np.moveaxis(picture.astype(int), 2, 0)
    return (blue - red > -15) & (blue > 70)


def draw(width: float = 60, hairs: bool = False, gap: float = HEIGHT, iris: float = 0.0) -> Drawn:
    """Two eyes of `width` pixels, `gap` of it open, irises moved by `iris` eye widths."""
    size = round(5 * width), round(3 * width)
    middle = size[1] * 0.55
    centres = (np.array([1.5 * width, middle]), np.array([3.5 * width, middle]))
    photo = np.full((size[1], size[0], 3), SKIN, np.float32)
    points = np.tile(np.array([size[0] / 2, middle], np.float32), (478, 1))
    points[[50, 280]] = [[1.4 * width, middle + width], [3.6 * width, middle + width]]
    for centre, names, ring in zip(centres, (LEFT, RIGHT), (468, 473), strict=True):
        _draw_eye(photo, centre, width, hairs, gap, iris)
        _place(points, centre, width, names, gap)
        points[ring] = centre + np.array([iris * width, 0])
        around = [(0.2, 0), (0, -0.2), (-0.2, 0), (0, 0.2)]
        points[ring + 1 : ring + 5] = points[ring] + width * np.array(around)
    noise = np.random.default_rng(0).normal(0, 2, photo.shape[:2])[..., None]
    return Drawn(np.clip(photo + noise, 0, 255).astype(np.uint8), points, width, centres)


def upper(u: Float, gap: float) -> Float:
    """Upper lid above the axis at u, 0..1, in eye widths."""
    return 0.65 * gap * 4 * u * (1 - u)


def lower(u: Float, gap: float) -> Float:
    """Lower lid below the axis."""
    return 0.35 * gap * 4 * u * (1 - u)


def _draw_eye(
    photo: Float, centre: Float, width: float, hairs: bool, gap: float, iris: float
) -> None:
    scale = 4 if width < 100 else 2  # antialiased
    height, length = photo.shape[:2]
    y, x = (np.mgrid[: height * scale, : length * scale] + 0.5) / scale
    u, v = (x - centre[0]) / width + 0.5, (y - centre[1]) / width
    within = (u > 0) & (u < 1)
    top, bottom = -upper(np.clip(u, 0, 1), gap), lower(np.clip(u, 0, 1), gap)
    ball = within & (v > top) & (v < bottom)
    lash = within & (v <= top) & (v > top - 0.06)
    if hairs:
        lash |= within & (v <= top) & (v > top - 0.16) & (np.sin(u * 90) > 0.2)
    brow = (np.abs(u - 0.5) < 0.6) & (np.abs(v + 0.55) < 0.06)
    round_ = ball & (np.hypot(u - 0.5 - iris, v) < 0.2)
    for mask, colour in ((brow, BROW), (lash, LASH), (ball, BALL), (round_, IRIS)):
        share = cv2.resize(mask.astype(np.float32), (length, height), interpolation=cv2.INTER_AREA)[
            ..., None
        ]
        photo += (np.array(colour, np.float32) - photo) * share


def _place(points: Float, centre: Float, width: float, names: tuple, gap: float) -> None:
    rows = (
        lambda u: -upper(u, gap),
        lambda u: lower(u, gap),
        lambda u: -upper(u, gap) - 0.17,
        lambda u: -upper(u, gap) - 0.26,
    )
    for indices, row in zip(names, rows, strict=True):
        u = np.linspace(0, 1, len(indices))
        points[list(indices)] = centre + width * np.stack([u - 0.5, row(u)], 1)
