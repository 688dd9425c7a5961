"""One eye closed by a given amount, in its close-up: skin, lashes and lower lid are moved rows.

In each column the fold stays, the lash band moves down with the lid's edge, and the skin
between them is drawn out. What would become stripes there (lashes, folds, make-up) is evened
out, lit like the skin around the eye and given fine texture. The lower lid comes up a little
and hides its moist rim.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.portrait.eye import Eye, at_rows
from gsmooth_core.portrait.gaze import Shift, move_iris
from gsmooth_core.portrait.lid_skin import LidSkin
from gsmooth_core.types import Float


@dataclass(frozen=True)
class LidSettings:
    """How a lid closes; lengths are parts of the eye's width.

    Attributes:
        rise: part of the way that the lower lid comes up.
        rim: height of the lower lid's moist rim, which closing hides.
        reach: height of the skin below the eye that moves.
        fringe: how far the lashes' shadow reaches below the lid's edge.
        clean: how soon, as the skin is drawn out, it is evened.
        lit: how far the evened skin takes the tone of the lit skin around the eye.
        line: thickness of the line where the lids meet, as a part of the opening.
        dark: how far that line takes the lashes' dark tone.
    """

    rise: float = 0.15
    rim: float = 0.035
    reach: float = 0.3
    fringe: float = 0.03
    clean: float = 5.0
    lit: float = 0.5
    line: float = 0.15
    dark: float = 0.8


_HIGHEST = 0.12
"""Skin up to this far above the lid's edge, in eye widths, always moves."""


@dataclass(frozen=True)
class _Way:
    """One level. Rows (w,): where the moving skin begins and ends, and the lids, old and new."""

    top: Float
    bottom: Float
    upper: Float
    new_upper: Float
    lower: Float
    new_lower: Float

    @property
    def shift(self) -> Float:
        """(w,) how far the upper lid has moved."""
        return self.new_upper - self.upper


class EyePainter:
    """Closes one eye of a photo.

    Args:
        eye: where it is.
        patch: (h, w, 3) its close-up, 0..255.
        settings: how it closes.
    """

    def __init__(self, eye: Eye, patch: Float, settings: LidSettings | None = None) -> None:
        self._eye = eye
        self._patch = patch
        self._settings = settings or LidSettings()
        self._skin = LidSkin.of(eye, patch)

    def closed(self, amount: float, gaze: Shift = (0.0, 0.0)) -> tuple[Float, Float]:
        """The eye closed by `amount`, 0..1, with its iris moved by `gaze` behind the lids.

        Returns:
            (h, w, 3) close-up, and (h, w) how much of it is to be seen, 0..1.
        """
        if amount == 0:  # nothing but the iris moves
            return move_iris(self._eye, self._patch, gaze)
        way = self._way(amount)
        below = self._eye.rows - way.new_upper
        soft = 0.75 * self._eye.scale
        fringe = max(self._settings.fringe * self._eye.width, soft)
        over = np.where(below < 0, 1, np.exp(-((below / fringe) ** 2)))
        under = np.clip((self._eye.rows - way.new_lower) / (2 * soft) + 0.5, 0, 1)
        result = _mix(self._eyeball(gaze), self._lower(way), under)
        result = _mix(result, self._upper(way), over)
        result = self._meet(result, way, amount)
        return result, self._share(result, way)

    def _eyeball(self, gaze: Shift) -> Float:
        """(h, w, 3) the open eye, with its iris moved."""
        if not any(gaze):
            return self._patch
        return _mix(self._patch, *move_iris(self._eye, self._patch, gaze))

    def _way(self, amount: float) -> _Way:
        eye, s = self._eye, self._settings
        gap = np.maximum(eye.lower - eye.upper, 0)
        rim = s.rim * np.minimum(10 * gap, eye.width)
        shut = eye.lower - s.rise * gap
        return _Way(
            top=np.minimum((eye.crease + eye.brow) / 2, eye.upper - _HIGHEST * eye.width),
            bottom=eye.lower + s.reach * eye.width,
            upper=eye.upper,
            new_upper=eye.upper + amount * (shut - eye.upper),
            lower=eye.lower + amount * rim,
            new_lower=eye.lower - amount * s.rise * gap,
        )

    def _upper(self, way: _Way) -> Float:
        """(h, w, 3) the upper lid, moved down."""
        y, s, skin = self._eye.rows, self._settings, self._skin
        short = np.maximum(way.upper - skin.band - way.top, 1)
        place = np.clip((y - way.top) / (short + way.shift), 0, 1)
        skin_rows = np.where(y < way.top, y, way.top + short * place)
        rows = np.where(place < 1, skin_rows, y - way.shift)
        drawn = self._across(np.clip(s.clean * way.shift / short, 0, 1))
        cleaned = np.where(place < 1, np.clip(4 * place - 0.1, 0, 1), 0) * drawn
        even = _mix(at_rows(skin.even, rows), skin.light, s.lit * np.clip(2 * place, 0, 1) * drawn)
        even *= skin.grain(self._eye, way.new_upper)[..., None]
        lid = _mix(at_rows(self._patch, rows), even, self._softened(cleaned))
        lash = np.clip((y - way.new_upper) / (0.3 * skin.band) + 1, 0, 1) * np.clip(2 * drawn, 0, 1)
        return _mix(lid, at_rows(skin.lashes, np.minimum(rows, way.upper)), lash)

    def _lower(self, way: _Way) -> Float:
        """(h, w, 3) the lower lid, come up."""
        y = self._eye.rows
        place = (way.bottom - y) / np.maximum(way.bottom - way.new_lower, 1)
        rows = np.where(place > 0, way.bottom - place * (way.bottom - way.lower), y)
        return at_rows(self._patch, np.maximum(rows, way.lower))

    def _meet(self, picture: Float, way: _Way, amount: float) -> Float:
        """Draw the line where the lids meet, at least as dark as the lashes."""
        s, eye = self._settings, self._eye
        ends = np.clip((0.55 - np.abs(eye.along - 0.5)) / 0.25, 0, 1)
        thick = max(s.line * eye.opening * eye.width, eye.scale)
        share = np.exp(-(((eye.rows - way.new_upper) / thick) ** 2))
        darker = np.minimum(picture, self._skin.dark)
        return _mix(picture, darker, s.dark * amount**2 * ends * share)

    def _share(self, result: Float, way: _Way) -> Float:
        """Seen is what differs, between the fold and the lower lid and within the corners."""
        eye, edge = self._eye, 0.04 * self._eye.width
        inside = np.clip(np.minimum(eye.rows - way.top, way.bottom - eye.rows) / edge, 0, 1)
        ends = np.clip((0.7 - np.abs(eye.along - 0.5)) / 0.1, 0, 1)
        return np.asarray(self._eye.changed(self._patch, result) * inside * ends, np.float32)

    def _across(self, values: Float) -> Float:
        """Values of the columns (w,), smoothed."""
        row = values.astype(np.float32)[None]
        return np.asarray(cv2.GaussianBlur(row, (0, 0), 0.07 * self._eye.width)[0])

    def _softened(self, share: Float) -> Float:
        return np.asarray(
            cv2.GaussianBlur(share.astype(np.float32), (0, 0), 0.02 * self._eye.width)
        )


def _mix(under: Float, over: Float, share: NDArray[Any]) -> Float:
    """`over` (h, w, 3) laid over `under` by a share (h, w)."""
    part = share.astype(np.float32)[..., None]
    return under + (over - under) * part
