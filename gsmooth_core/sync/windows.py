"""The shape of the lips, independent of picture size, position and tilt of the face.

Each frame's landmarks are laid on the clip's own average face by the points that do not speak
(eyes, brow, bridge of the nose); what then moves around the mouth is speech.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.landmarks import SPEECH_POINTS, STILL_POINTS
from gsmooth_core.types import Bool, Float

FPS = 25.0
"""Rate of all windows, as in SyncNet."""

_ROUNDS = 3  # of aligning to the average and averaging again
_MOST_MISSING = 0.2  # seconds without a face over which lips are still guessed
_Complex = NDArray[np.complex128]


@dataclass(frozen=True)
class Lips:
    """What the mouth does, at 25 frames a second.

    Attributes:
        shape: (T, 96) x and y of `SPEECH_POINTS` in units of the distance of the outer eye corners.
        valid: (T,) whether there was a face.
    """

    shape: Float
    valid: Bool


def present(landmarks: Float) -> Bool:
    """(T, N, 2) -> (T,) frames that have landmarks."""
    found: Bool = np.isfinite(landmarks).all(axis=(1, 2))
    return found


def mouth_shapes(landmarks: Float) -> Float:
    """Mouth of each frame, freed of where the head is, how large, and how it leans.

    Args:
        landmarks: (T, 478, 2) pixels, all of them numbers.

    Returns:
        (T, 96)
    """
    used = (*STILL_POINTS, *SPEECH_POINTS)
    points = landmarks[:, used, 0].astype(np.float64) + 1j * landmarks[:, used, 1]  # (T, N)
    points = points - points[:, : len(STILL_POINTS)].mean(axis=1, keepdims=True)
    still = points[:, : len(STILL_POINTS)]
    average = _upright(still[0])
    for _ in range(_ROUNDS):
        average = _upright((still * _turn(still, average)).mean(axis=0))
    mouth = (points * _turn(still, average))[:, len(STILL_POINTS) :]
    shapes: Float = np.concatenate([mouth.real, mouth.imag], axis=1).astype(np.float32)
    return shapes


def _turn(points: _Complex, template: _Complex) -> _Complex:
    """(T, 1) rotation and scale, as complex numbers, that lay centred points on the template."""
    size = np.maximum((np.abs(points) ** 2).sum(axis=1, keepdims=True), 1e-12)
    turn: _Complex = (points.conj() @ template)[:, None] / size
    return turn


def _upright(points: _Complex) -> _Complex:
    """Points turned and scaled so that the outer eye corners are 1 apart, side by side."""
    across = points[3] - points[0]
    return points / across if abs(across) > 0 else points


def read_lips(landmarks: Float, fps: float) -> Lips:
    """Lips at 25 frames a second from landmarks at any rate, read at the frames' centres.

    Args:
        landmarks: (N, 478, 2) pixels; NaN where there is no face. At least one frame has one.
        fps: frames per second.
    """
    seen = np.flatnonzero(present(landmarks))
    count = max(1, round(len(landmarks) / fps * FPS))
    return lips_at(mouth_shapes(landmarks[seen]), seen, fps, (np.arange(count) + 0.5) / FPS)


def lips_at(
    shapes: Float, seen: NDArray[np.intp], fps: float, seconds: NDArray[np.float64]
) -> Lips:
    """Mouth shapes read at given times, linearly between the frames that have them.

    Args:
        shapes: (M, 96) of `mouth_shapes`.
        seen: (M,) numbers of their frames.
        fps: rate of the frames.
        seconds: (T,) when to read; frame n stands for the time (n + 0.5) / fps.
    """
    at = seconds * fps - 0.5  # in frames of the source
    columns = [np.interp(at, seen, column) for column in shapes.T]
    return Lips(np.stack(columns, axis=1).astype(np.float32), _near(seen, at, fps))


def _near(seen: NDArray[np.intp], at: NDArray[np.float64], fps: float) -> Bool:
    """(T,) whether the source frames around each time are not too far away."""
    after = np.clip(np.searchsorted(seen, at), 0, len(seen) - 1)
    before = np.maximum(after - 1, 0)
    gap = np.minimum(abs(seen[after] - at), abs(seen[before] - at))
    near: Bool = gap <= max(1.0, _MOST_MISSING / 2 * fps)
    return near
