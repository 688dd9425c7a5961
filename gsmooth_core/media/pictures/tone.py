"""HDR pictures as networks know pictures, and back.

Networks have learned from pictures whose white is that of paper. PQ (SMPTE ST 2084) stores light of
up to 10,000 cd/m2, and looks grey and flat to them. So its light is brought together by Reinhard's
curve, channel by channel, and stored with a usual gamma; the curve has an inverse. HLG was made to
look right on such displays as it is. Light as it is (OpenEXR) gets the curve of usual screens.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gsmooth_core.media.reading.description import Picture
from gsmooth_core.types import Float, Image

WHITE = 203.0
"""cd/m2 of paper's white in HDR (ITU-R BT.2408)."""
_PEAK = 1000.0  # cd/m2, where the picture does not say how bright it was mastered
_GAMMA = 2.2
_MOST = 10_000.0
_M1, _M2, _C1, _C2, _C3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
_LEVELS = 1 << 16


@dataclass(frozen=True)
class Tone:
    """The way there and back for one source.

    Attributes:
        peak: cd/m2 that become full white; None leaves values as they are.
        linear: whether light is stored as it is.
    """

    peak: float | None = None
    linear: bool = False

    @property
    def plain(self) -> bool:
        """Whether stored values are as networks know them."""
        return self.peak is None and not self.linear

    @classmethod
    def of(cls, picture: Picture) -> Tone:
        """What a source's pictures need."""
        if picture.transfer != "smpte2084":
            return cls(linear=picture.transfer == "linear" and picture.depth > 16)
        stated = picture.mastering[-1] if picture.mastering else _PEAK
        return cls(float(np.clip(stated, WHITE * 1.5, _MOST)))

    def down(self, coded: Float) -> Float:
        """Stored values (...), 0..1, as a network knows them."""
        if self.linear:
            return to_screen(coded)
        if self.peak is None:
            return coded
        light = pq_light(coded) / WHITE
        white = self.peak / WHITE
        toned = light * (1 + light / white**2) / (1 + light)
        return np.asarray(toned ** (1 / _GAMMA), np.float32)

    def up(self, toned: Float) -> Float:
        """What `down` made, as it is stored."""
        if self.linear:
            return to_light(toned)
        if self.peak is None:
            return toned
        white = self.peak / WHITE
        y = np.clip(toned, 0, None).astype(np.float64) ** _GAMMA
        light = white**2 / 2 * (y - 1 + np.sqrt((1 - y) ** 2 + 4 * y / white**2))
        power = np.clip(light * WHITE / _MOST, 0, 1) ** _M1
        return np.asarray(((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2, np.float32)

    @cached_property
    def table(self) -> Image:
        """(65536,) uint8: the level of each code of 16 bits, as a network knows it."""
        codes = np.arange(_LEVELS, dtype=np.float32) / (_LEVELS - 1)
        return np.asarray(np.rint(self.down(codes).clip(0, 1) * 255), np.uint8)


def pq_light(coded: Float) -> Float:
    """cd/m2 of PQ's values, 0..1 (SMPTE ST 2084)."""
    power = np.clip(coded, 0, 1).astype(np.float64) ** (1 / _M2)
    return np.asarray((np.maximum(power - _C1, 0) / (_C2 - _C3 * power)) ** (1 / _M1) * _MOST)


def to_screen(light: Float) -> Float:
    """Light as it is, by the curve of usual screens (IEC 61966-2-1), which goes on beyond white."""
    high = 1.055 * np.maximum(light, 0.0031308).astype(np.float64) ** (1 / 2.4) - 0.055
    return np.where(light <= 0.0031308, light * 12.92, high).astype(np.float32)


def to_light(coded: Float) -> Float:
    """What `to_screen` made, as light."""
    high = ((np.maximum(coded, 0.04045).astype(np.float64) + 0.055) / 1.055) ** 2.4
    return np.where(coded <= 0.04045, coded / 12.92, high).astype(np.float32)
