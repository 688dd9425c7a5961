"""What a linear map misses of a person's speech, remembered by its sound.

Gaussian process regression: frames that sound alike look alike. The prior is the linear map drawn
to the usual movement, and a smooth function of what is heard; the mean of the posterior is closed
form. What sounds like nothing that was learned is left to the linear map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from gsmooth_core.types import Float

MOST = 800  # frames that are remembered
SURE = 0.1  # movement of some component from which memory counts in full
CHUNK = 4096  # frames that are looked up at a time


@dataclass(frozen=True)
class Memory:
    """Frames that were heard and seen, for E speech-driven components.

    Attributes:
        anchors: (N, D) sounds of N frames.
        weights: (N, E) what each adds to the expression of a frame that sounds the same.
        width: squared distance of sounds at which likeness falls to 1 / e.
    """

    anchors: Float
    weights: Float
    width: float

    def recall(self, sounds: Float) -> Float:
        """(T, D) sounds -> (T, E) what the linear map misses."""
        parts = [
            likeness(sounds[at : at + CHUNK], self.anchors, self.width) @ self.weights
            for at in range(0, len(sounds), CHUNK)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.weights.shape[1]), np.float32)


def likeness(a: Float, b: Float, width: float) -> Float:
    """(N, M) of (N, D) and (M, D): 1 for the same, 0 for what is far."""
    apart = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None] - 2 * a @ b.T
    return np.asarray(np.exp(-np.maximum(apart, 0) / width), np.float32)


def inverted(kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse of a symmetric, positive definite (N, N): half the cost of any matrix's."""
    factor, _ = lapack.dpotrf(kernel, lower=1)
    half, _ = lapack.dpotri(factor, lower=1)  # the lower triangle of it
    lower = np.tril(half)
    return np.asarray(lower + np.tril(half, -1).T)


def thinned(count: int) -> slice:
    """At most `MOST` of `count` frames, evenly spaced."""
    return slice(0, count, max(1, -(-count // MOST)))


def sureness(moved: Float) -> Float:
    """(T, E) movement -> (T,) how far memory counts: not at all where nothing moves."""
    return np.minimum(np.abs(moved).max(axis=1) / SURE, 1.0)  # type: ignore[no-any-return]


def remember(
    x: Float, y: Float, sounds: Float, sure: Float, drawn: Float, penalty: float, noise: float
) -> tuple[Float, Memory, Float]:
    """Learn the linear map and what it misses at once.

    Args:
        x: (N, D) movement around its mean.
        y: (N, E) expressions around theirs.
        sounds: (N, S)
        sure: (N,) of `sureness`.
        drawn: (D, E) where little data leaves the map.
        penalty: of the map; the less, the further it may lie from `drawn`.
        noise: variance of what no frame explains, over that of what the memory does.

    Returns:
        (D, E) the map; the memory; (N, E) what both make of each frame learned without it.
    """
    width = max(float(np.var(sounds, axis=0).sum()), 1e-9)
    left = y - x @ drawn
    alike = likeness(sounds, sounds, width).astype(float) * np.outer(sure, sure)
    kernel = alike / noise + x.astype(float) @ x.T / penalty
    inverse = inverted(kernel + np.eye(len(x)))
    dual = inverse @ left
    weights = np.asarray(drawn + x.T @ dual / penalty, np.float32)
    unheard = y - dual / np.diag(inverse)[:, None]
    answers = np.asarray(sure[:, None] * dual / noise, np.float32)
    memory = Memory(sounds.astype(np.float32), answers, width)
    return weights, memory, np.asarray(unheard, np.float32)
