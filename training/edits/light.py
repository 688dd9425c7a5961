"""Light as real edits have it: two cameras, exposure that hunts, white balance that drifts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.types import Image

_GAMMA = 2.2
_LEVELS = np.arange(256) / 255

Gains = NDArray[np.float64]


def in_light(frame: Image, gain: Gains) -> Image:
    """A frame in another light: (3,) a gain a channel, in linear light."""
    return _through(frame, [_LEVELS * g ** (1 / _GAMMA) for g in gain])


def camera(rng: np.random.Generator) -> Callable[[Image], Image]:
    """Another camera's look: exposure, white balance, contrast and black level."""
    gain = rng.uniform(0.65, 1.5) * rng.uniform(0.85, 1.18, 3)
    contrast, black = rng.uniform(0.85, 1.15), rng.uniform(0, 0.06)
    curves = [black + (1 - black) * (_LEVELS * g ** (1 / _GAMMA)) ** contrast for g in gain]
    return lambda frame: _through(frame, curves)


def _through(frame: Image, curves: list[NDArray[np.float64]]) -> Image:
    tables = np.stack([np.clip(np.round(255 * c), 0, 255) for c in curves], -1).astype(np.uint8)
    return np.stack([tables[frame[..., c], c] for c in range(3)], -1)


def _hunting(count: int, rng: np.random.Generator) -> Gains:
    """Exposure that overshoots and settles where it was."""
    t = np.linspace(0, 1, count)
    swing = np.sin(2 * np.pi * rng.uniform(1, 2) * t) * np.sin(np.pi * t)
    gains: Gains = np.exp(rng.uniform(0.3, 0.6) * swing)[:, None].repeat(3, 1)
    return gains


def _drift(count: int, rng: np.random.Generator) -> Gains:
    """White balance that wanders off and comes back."""
    away = rng.choice([-1.0, 1.0]) * rng.uniform(0.15, 0.3) * np.array([1.0, 0.0, -1.0])
    gains: Gains = np.exp(np.sin(np.pi * np.linspace(0, 1, count))[:, None] * away)
    return gains


LIGHTS: dict[str, Callable[[int, np.random.Generator], Gains]] = {
    "exposure": _hunting,
    "balance": _drift,
}
"""Slow changes: (frames, chance) -> (T, 3) gains in linear light."""
