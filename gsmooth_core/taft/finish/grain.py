"""Grain: what a camera and a codec add anew to each picture, on a patch that has too little.

References that are averaged lose their noise, and what is left of it sticks to the skin. As
compositors do, the noise of the clip is measured where it can be told from the picture, on still
bare skin beside the mask: its spectrum, how its channels go together, and its level by brightness.
Noise of that kind is drawn once, and another part of it is laid on each frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.taft.finish.still import BLOCK, StillBlocks, typical
from gsmooth_core.tracking.shots.repeats import LONGEST
from gsmooth_core.types import Float

TILE = 512
"""Side in pixels of the noise that is drawn."""

_FEWEST = 32  # blocks from which noise can be told
_KNOTS = np.linspace(0, 255, 9)  # levels of brightness
_PRIOR = 32.0  # blocks that say that brightness makes no difference
_GAINS = (0.5, 2.0)  # of the deviation, by brightness
_FREQUENCIES = (0.15, 0.30)  # cycles a pixel
_LOUD, _QUIET = np.array([0.30, 0.12]), np.array([0.40, 0.30])
_BETWEEN = 2.0  # variance that is half loud
"""How much of the noise a patch has of its own at two frequencies: references move by parts of a
pixel and change, which is more beside little noise than beside much. Measured on clips, in pictures
that are rounded: what rounding adds is among it."""


@dataclass(frozen=True)
class Film:
    """Noise of one kind.

    Attributes:
        tile: (TILE, TILE, 3) noise in levels; it goes on beyond its edges.
        gain: (9,) factor at brightness 0, 32, ... 255.
    """

    tile: Float = field(repr=False)
    gain: NDArray[np.float64]

    def on(
        self, picture: Float, number: int, at: tuple[int, int] = (0, 0), *, grey: bool = False
    ) -> Float:
        """A picture with grain.

        Args:
            picture: (h, w, 3) levels 0..255.
            number: of the picture; another one has other grain, the same one the same.
            at: row and column at which it begins, where it is a part of that picture.
            grey: let no colour into it.
        """
        rng = np.random.default_rng(number)
        y, x = rng.integers(0, TILE, 2)
        rows = (np.arange(picture.shape[0]) + y + at[0]) % TILE
        columns = (np.arange(picture.shape[1]) + x + at[1]) % TILE
        noise = self.tile[rows[:, None], columns]
        if grey:
            noise = np.repeat(noise.mean(-1, keepdims=True), 3, -1)
        level = self.level(np.arange(256)).astype(np.float32)
        brightness = picture @ np.full(3, 1 / 3, np.float32)
        noise *= level[brightness.clip(0, 255).astype(np.uint8)][..., None]
        grained: Float = picture + noise
        return grained

    def level(self, brightness: float | NDArray[np.int64]) -> NDArray[np.float64]:
        """What the noise is multiplied by at some brightness, 0..255."""
        level: NDArray[np.float64] = np.interp(brightness, _KNOTS, self.gain)
        return level


class Grain:
    """The grain of a clip.

    Args:
        frames: frame numbers that skin was looked at in, one for each of `blocks`.
        blocks: what was found in and after each.
    """

    def __init__(self, frames: Sequence[int], blocks: Sequence[StillBlocks]) -> None:
        self.frames, self.blocks = np.array(frames, np.int32), list(blocks)
        self._films: dict[tuple[int, ...], Film | None] = {}

    def film(self, frame: int, nearby: int = 0) -> Film | None:
        """What is laid on a frame; None where too little is known.

        Args:
            frame: its number.
            nearby: frames around it that may not be looked at.
        """
        last = self.frames + 1 + LONGEST  # the picture after each, however long it is held
        before, after = last < frame - nearby, self.frames > frame + nearby
        taken = tuple(np.flatnonzero(before | after | (nearby == 0)).tolist())
        if taken not in self._films:
            self._films[taken] = film_of([self.blocks[n] for n in taken])
        return self._films[taken]


def film_of(found: Sequence[StillBlocks]) -> Film | None:
    """Noise like that of some blocks, less what a patch has of its own; None of too few."""
    if sum(len(one) for one in found) < _FEWEST:
        return None
    noise = np.concatenate([one.noise for one in found])
    brightness = np.concatenate([one.brightness for one in found])
    blocks = typical(StillBlocks(noise, brightness))
    return Film(_tile(missing(spectrum(blocks))), level_by_brightness(blocks))


def spectrum(blocks: StillBlocks) -> NDArray[np.complex128]:
    """(BLOCK, BLOCK, 3, 3) mean of the channels' cross spectra, in squared levels."""
    waves = np.fft.fft2(blocks.noise.astype(np.float64), axes=(1, 2)) / BLOCK
    mean: NDArray[np.complex128] = np.einsum("nyxi,nyxj->yxij", waves, waves.conj()) / len(blocks)
    return mean


def missing(whole: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """What a patch lacks of a spectrum."""
    axis, channels = np.fft.fftfreq(BLOCK), whole.shape[-1]
    frequency = np.hypot(axis[:, None], axis)
    variance = np.einsum("yxii->", whole).real / BLOCK**2 / channels
    quiet = _BETWEEN / (_BETWEEN + variance)
    own = np.interp(frequency, _FREQUENCIES, _LOUD + quiet * (_QUIET - _LOUD))
    lacking: NDArray[np.complex128] = whole * (1 - own)[..., None, None]
    return lacking


def level_by_brightness(blocks: StillBlocks) -> NDArray[np.float64]:
    """(9,) deviation of the noise at each of nine levels, over the mean one."""
    variance = blocks.variance.mean(1)
    mean = max(float(variance.mean()), 1e-9)
    near = np.exp(-(((_KNOTS[:, None] - blocks.brightness) / (_KNOTS[1] - _KNOTS[0])) ** 2) / 2)
    local = (near @ variance + _PRIOR * mean) / (near.sum(1) + _PRIOR)
    gain: NDArray[np.float64] = np.sqrt(local / mean).clip(*_GAINS)
    return gain


def _tile(wanted: NDArray[np.complex128]) -> Float:
    """(TILE, TILE, 3) Gaussian noise of a spectrum (BLOCK, BLOCK, 3, 3)."""
    power, axes = np.linalg.eigh(wanted)
    root = (axes * np.sqrt(power.clip(0))[..., None, :]) @ axes.conj().swapaxes(-1, -2)
    kernel = np.fft.fftshift(np.fft.ifft2(root, axes=(0, 1)).real, axes=(0, 1))
    white = np.random.default_rng(0).standard_normal((TILE, TILE, 3))
    response = np.fft.rfft2(kernel, (TILE, TILE), axes=(0, 1))
    waves = np.einsum("yxij,yxj->yxi", response, np.fft.rfft2(white, axes=(0, 1)))
    tile: Float = np.fft.irfft2(waves, (TILE, TILE), axes=(0, 1)).astype(np.float32)
    return tile
