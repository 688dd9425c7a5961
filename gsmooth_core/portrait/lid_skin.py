"""What an open eye tells about the lid that it hides: its skin, its light, its lashes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gsmooth_core.portrait.eye import Eye, at_rows
from gsmooth_core.types import Float

# Lengths are parts of the eye's width.
_HAIR = 0.2
"""Lashes, their shadows and folds up to this thickness are no part of the skin's own tone."""

_EVEN_WIDTH = 90.0
"""Width of the eye, in pixels, at which the even skin is looked for."""

_LASH = 0.04
"""Thickness of the lash line, along which highlights of the eye are taken out."""

_BAND = (0.04, 0.1)
"""The lash band is at least and at most so high."""

_RECOVERED = 0.8
"""The band ends where this part of the way from lash to skin is made."""

_CHEEK = 0.25
"""Below the eye by this much is the skin that shows the light."""

_GRAIN_FROM, _GRAIN_HEIGHT, _GRAIN_SIZE = 0.18, 0.2, 0.035
"""Where the fine texture is taken from, below the eye; coarser things are no texture."""

_GRAIN_DEPTH = 0.5
"""Logarithm of the strongest contrast of that texture: deeper furrows are pressed below it."""


@dataclass(frozen=True)
class LidSkin:
    """The parts of a lid in an eye's close-up of h x w pixels.

    Attributes:
        even: (h, w, 3) the skin without lashes, folds and texture.
        light: (h, w, 3) tone of the lit skin around the eye, one for a column.
        texture: (h, w) fine texture, about 1.
        lashes: (h, w, 3) the picture with the bright parts of the lash line taken out.
        dark: (3,) dark tone of the lashes.
        band: height of the lash band in close-up pixels.
    """

    even: Float
    light: Float
    texture: Float
    lashes: Float
    dark: Float
    band: float

    @classmethod
    def of(cls, eye: Eye, patch: Float) -> LidSkin:
        """Look at an eye's close-up (h, w, 3)."""
        even = _even(patch, eye.width)
        band = _band(eye, patch)
        fine = cv2.GaussianBlur(patch, (0, 0), _GRAIN_SIZE * eye.width).mean(2)
        contrast = np.log((patch.mean(2) + 8) / (fine + 8)) / _GRAIN_DEPTH
        texture = np.exp(_GRAIN_DEPTH * np.tanh(contrast)).astype(np.float32)
        thick = max(round(_LASH * eye.width), 3)
        lashes = cv2.erode(patch, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3 * thick, thick)))
        near = (np.abs(eye.rows - eye.upper) < band / 2) & (np.abs(eye.along - 0.5) < 0.4)
        dark = np.percentile(patch[near], 15, axis=0).astype(np.float32)
        return cls(even, _light(eye, even), texture, lashes, dark, band)

    def grain(self, eye: Eye, edge: Float) -> Float:
        """(h, w) texture that hangs on a lid's edge (w,), continued upwards by mirroring."""
        height = _GRAIN_HEIGHT * eye.width
        away = np.abs((edge - eye.rows) % (2 * height) - height)
        return at_rows(self.texture, eye.lower + _GRAIN_FROM * eye.width + away)


def _even(patch: Float, width: float) -> Float:
    """Dark lines closed, then smoothed along the lid more than across it."""
    height, length = patch.shape[:2]
    part = min(_EVEN_WIDTH / width, 1.0)  # nothing fine is left: a small picture will do
    small = cv2.resize(patch, None, None, part, part, cv2.INTER_AREA)
    size = max(round(_HAIR * width * part), 3)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel)
    smooth = cv2.GaussianBlur(closed, (0, 0), 0.06 * width * part, None, 0.02 * width * part)
    return np.asarray(cv2.resize(smooth, (length, height), interpolation=cv2.INTER_LINEAR))


def _light(eye: Eye, even: Float) -> Float:
    """In each column the brighter tone of the fold above the eye and the cheek below it."""
    above, below = (_tone(eye, even, r) for r in (eye.crease, eye.lower + _CHEEK * eye.width))
    brighter = above.mean(2) > below.mean(2)
    return np.asarray(np.where(brighter[..., None], above, below), np.float32)


def _tone(eye: Eye, even: Float, rows: Float) -> Float:
    tone = at_rows(even, np.broadcast_to(rows, (eye.size[1], eye.size[0])))
    return np.asarray(cv2.GaussianBlur(tone, (0, 0), 0.1 * eye.width), np.float32)


def _band(eye: Eye, patch: Float) -> float:
    """From the lid's edge up to where the lid is nearly as bright as it gets."""
    middle = np.flatnonzero(np.abs(eye.along - 0.5) < 0.25)
    steps = np.arange(0, 1.5 * _BAND[1] * eye.width)
    rows = np.clip(eye.upper[middle] - steps[:, None], 0, eye.size[1] - 1).astype(int)
    profile = patch.mean(2)[rows, middle].mean(1)
    darkest = int(np.argmin(profile))
    limit = profile[darkest] + _RECOVERED * (profile.max() - profile[darkest])
    height = darkest + int(np.argmax(profile[darkest:] >= limit))
    return float(np.clip(height, _BAND[0] * eye.width, _BAND[1] * eye.width))
