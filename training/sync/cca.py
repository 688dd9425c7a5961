"""The baseline: a linear CCA between lip shapes and MFCCs, behind the expert's own interface.

Ten components of the mouth's shape, seven frames of them, against four rows of 13 MFCCs a frame,
seven frames of those. Both are projected on the directions in which they correlate most.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.sync.face import Face
from gsmooth_core.sync.mfcc import COEFFICIENTS, mfcc
from gsmooth_core.sync.windows import Lips, read_lips
from gsmooth_core.types import Bool, Float
from training.prepare import load_speech
from training.sync.data import Pair, centred

COMPONENTS = 10
REACH = 3
ROWS = 4
"""MFCC rows a frame."""
DIRECTIONS = 12
RIDGE = 1e-2
"""Share of the mean variance that is added to each side's covariance."""


def windows(values: Float) -> Float:
    """(T, C) -> (T, 7 C): each frame with three before and three after it; the ends repeat."""
    padded = np.pad(values, ((REACH, REACH), (0, 0)), mode="edge")
    return np.concatenate([padded[i : i + len(values)] for i in range(2 * REACH + 1)], axis=1)


def sound_rows(audio: Float) -> Float:
    """(S,) samples -> (S // 640, 52) standardised MFCCs, four rows a frame."""
    rows = mfcc(audio)
    rows = (rows - rows.mean(axis=0)) / (rows.std(axis=0) + 1e-6)
    count = len(audio) // 640
    padded = np.pad(rows, ((0, max(0, count * ROWS - len(rows))), (0, 0)), mode="edge")
    return padded[: count * ROWS].reshape(count, ROWS * COEFFICIENTS)  # (T, 52)


@dataclass(frozen=True)
class LipSoundCCA:
    """Projections onto correlated directions, at unit length.

    Attributes:
        basis: (96, 10) components of the mouth's shape.
        spread: (10,) their usual size.
        lips: (70, D) directions, weighted by how well they correlate.
        sound: (364, D)
    """

    basis: Float
    spread: Float
    lips: Float
    sound: Float
    name: str = "cca"
    wants_pictures: bool = False

    def embed_face(self, face: Face) -> tuple[Float, Bool]:
        """(T, D), and (T,) where a face was seen."""
        lips = read_lips(face.landmarks, face.fps)
        return unit(windows(movement(lips, self.basis, self.spread)) @ self.lips), lips.valid

    def embed_sound(self, audio: Float) -> Float:
        """(S,) samples at 16 kHz -> (T, D)."""
        return unit(windows(sound_rows(audio)) @ self.sound)

    def threshold(self, frames: int) -> float:
        """Unknown."""
        return 0.0


def unit(values: Float) -> Float:
    """Rows at unit length."""
    out: Float = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9)
    return out.astype(np.float32)


def movement(lips: Lips, basis: Float, spread: Float) -> Float:
    """(T, 10) components around the clip's mean."""
    out: Float = (lips.shape - lips.shape[lips.valid].mean(axis=0)) @ basis / spread
    return out.astype(np.float32)


def correlated_directions(x: Float, y: Float, count: int) -> tuple[Float, Float, Float]:
    """Canonical correlation analysis with a ridge.

    Args:
        x: (N, P) of zero mean.
        y: (N, Q) of zero mean.
        count: D directions.

    Returns:
        (P, D) and (Q, D) directions of unit variance, and the (D,) correlations.
    """
    xx, yy, xy = x.T @ x / len(x), y.T @ y / len(x), x.T @ y / len(x)
    left, right = (_inverse_root(_with_ridge(c)) for c in (xx, yy))
    u, correlations, v = np.linalg.svd(left @ xy @ right)
    return left @ u[:, :count], right @ v[:count].T, correlations[:count]


def _with_ridge(covariance: Float) -> Float:
    ridge = RIDGE * np.trace(covariance) / len(covariance)
    out: Float = covariance + ridge * np.eye(len(covariance), dtype=covariance.dtype)
    return out


def _inverse_root(matrix: Float) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix.astype(np.float64))
    root: NDArray[np.float64] = vectors / np.sqrt(np.maximum(values, 1e-12)) @ vectors.T
    return root


def fit_cca(pairs: list[Pair], cache: Path) -> LipSoundCCA:
    """Fit on clips as they are; their sound is read from the cache, re-aligned."""
    values, vectors = np.linalg.eigh(
        np.cov(np.concatenate([centred(p.takes[0].lips) for p in pairs]).T)
    )
    basis = vectors[:, ::-1][:, :COMPONENTS].astype(np.float32)
    spread = np.sqrt(values[::-1][:COMPONENTS]).astype(np.float32)
    x, y = [], []
    for pair in pairs:
        lips = pair.takes[0].lips
        heard = sound_rows(load_speech(cache / "speech" / f"{pair.sample.stem}.safetensors"))
        count = min(len(heard), len(lips.valid))
        valid = lips.valid[:count]
        x.append(windows(movement(lips, basis, spread))[:count][valid])
        y.append(windows(heard)[:count][valid])
    seen, heard = (part - part.mean(axis=0) for part in map(np.concatenate, (x, y)))
    left, right, correlations = correlated_directions(seen, heard, DIRECTIONS)
    return LipSoundCCA(
        basis,
        spread,
        (left * correlations).astype(np.float32),
        (right * correlations).astype(np.float32),
    )
