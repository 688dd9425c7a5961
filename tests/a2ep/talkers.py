"""Made speakers, whose way of speaking is known."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from gsmooth_core.a2ep.lesson import Lesson

E = 5
OPENING = np.array([0.4, 0.05, 0.0, -0.02, 0.0], np.float32)
REST = np.zeros(E, np.float32)
GRAM = np.diag([2.0, 1.0, 0.7, 0.5, 1.0]).astype(np.float32)
MEAN = np.array([0.35, 0.4, 0.5, 0.45, 0.5], np.float32)
USUAL = 0.1


def heard(frames: int, seed: int = 0) -> np.ndarray:
    """(frames, E) movement as speech has it: smooth, never all still."""
    noise = np.random.default_rng(seed).normal(size=(frames, E))
    smooth = gaussian_filter1d(noise, 1.5, axis=0)
    return (0.06 * smooth / smooth.std() + 0.05).astype(np.float32)


def ways(seed: int = 1, strange: float = 0.5) -> np.ndarray:
    """(E, E) how a person differs from the average: the identity and something of their own."""
    own = np.random.default_rng(seed).normal(size=(E, E)).astype(np.float32)
    return np.eye(E, dtype=np.float32) + strange * own


def lesson(
    frames: int = 500, weights: np.ndarray | None = None, noise: float = 0.0, seed: int = 0
) -> Lesson:
    """A person whose mouth does MEAN + (M - mean of M) W, and some noise; sounds say as much."""
    moved = heard(frames, seed)
    weights = ways() if weights is None else weights
    shown = MEAN + (moved - moved.mean(axis=0)) @ weights
    shown = shown + noise * np.random.default_rng(seed + 9).normal(size=shown.shape)
    shown = shown.astype(np.float32)
    return Lesson(moved, shown, np.ones(frames, bool), shown @ OPENING, 25.0, moved)
