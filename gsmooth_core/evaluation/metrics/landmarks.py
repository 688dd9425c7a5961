"""Distance of mouths, and how they move, from the 478 landmarks of the face mesh."""

from __future__ import annotations

import numpy as np

from gsmooth_core.face.landmarks import LIPS
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.mafb.crop import crop_transforms
from gsmooth_core.types import Bool, FaceTrack, Float

SIZE = 256
"""Side of the face crop in whose pixels distances are given; it shows 1.8 dm."""


def in_crop(landmarks: Float, track: FaceTrack, model: MorphableModel) -> Float:
    """Landmarks of a video in face crops that follow the tracked head of the original.

    Both videos of a comparison are seen through the original's crops, which keeps head
    movement, image size and distance to the camera out of every figure.

    Args:
        landmarks: (T, N, 2) pixels in the frame.
        track: the original's track, T frames.
        model: the face model that it was fitted with.

    Returns:
        (T, N, 2) pixels of the crop; NaN where there is no face.
    """
    matrices = crop_transforms(track, model, SIZE)
    linear, offset = matrices[:, :, :2], matrices[:, None, :, 2]
    moved: Float = (np.einsum("tij,tnj->tni", linear, landmarks) + offset).astype(np.float32)
    return moved


def lip_shape(landmarks: Float) -> Float:
    """(T, 40, 2) the lips with their own mean at the origin, frame by frame."""
    lips = landmarks[:, list(LIPS), :2]
    shape: Float = lips - lips.mean(axis=1, keepdims=True)
    return shape


def lip_distance(truth: Float, made: Float) -> Float:
    """LMD, frame by frame: mean distance of the 40 lip landmarks (Chen et al. 2018).

    In each frame and each video the mean of the lips is moved to the origin; nothing is scaled
    or turned. With landmarks from `in_crop` the unit is a pixel of a 256-pixel face crop.

    Args:
        truth: (T, 478, 2)
        made: (T, 478, 2)

    Returns:
        (T,) NaN where either has no face.
    """
    difference = lip_shape(truth) - lip_shape(made)
    distance: Float = np.linalg.norm(difference, axis=-1).mean(axis=1)
    return distance


def jerk(landmarks: Float, fps: float) -> float:
    """Root mean square of the third derivative of the lips' shape, in pixels / s^3.

    Args:
        landmarks: (T, 478, 2), from `in_crop`.
        fps: frames per second.

    Returns:
        NaN with fewer than four frames in a row.
    """
    third = np.diff(lip_shape(landmarks).astype(np.float64), 3, axis=0) * fps**3
    squared = (third**2).sum(axis=-1)  # (T - 3, 40)
    squared = squared[np.isfinite(squared).all(axis=1)]
    return float(np.sqrt(squared.mean())) if squared.size else float("nan")


def silence_motion(aperture: Float, silent: Bool, fps: float) -> float:
    """Mean absolute speed of the mouth's opening in silence over that in all other frames.

    A step between two frames counts as silent when both are.

    Args:
        aperture: (T,) of `mouth.aperture`.
        silent: (T,) frames in which nobody is heard.
        fps: frames per second.

    Returns:
        0 is a still mouth, 1 one that moves as in speech; NaN with less than 0.2 s of silence
        or of speech.
    """
    speed = np.abs(np.diff(aperture)) * fps
    quiet, known = silent[1:] & silent[:-1], np.isfinite(speed)
    calm, lively = speed[quiet & known], speed[~quiet & known]
    if min(len(calm), len(lively)) < 0.2 * fps or lively.mean() == 0:
        return float("nan")
    return float(calm.mean() / lively.mean())
