"""Head and brows of another video as the movement of a photo's."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.errors import NoFaceError
from gsmooth_core.face.camera import rotation_matrix
from gsmooth_core.motion.blink import blinks
from gsmooth_core.motion.brows import brow_curve
from gsmooth_core.motion.curves import at_rest, count_for, resampled, smoothed
from gsmooth_core.motion.head import (
    ATLAS,
    HeadMotion,
    matrix_turns,
    scaled,
    scaled_sway,
    turn_matrices,
)
from gsmooth_core.types import Bool, FaceTrack, Float, Int


def head_curves(track: FaceTrack, frames: Bool | None = None) -> Float:
    """Movement of a tracked head away from its median pose.

    Args:
        track: of N frames; those without a usable face are bridged in straight lines.
        frames: (N,) which may be looked at; None for all.

    Returns:
        (N, 6) turn and shift as in `HeadMotion`, less the tracker's noise.

    Raises:
        NoFaceError: no frame has a usable face.
    """
    known = np.flatnonzero(track.usable if frames is None else track.usable & frames)
    if not len(known):
        raise NoFaceError("No frame of the movement shows a face.", "Take another video.")
    rotation = rotation_matrix(track.rotation[known].astype(np.float64))  # (K, 3, 3)
    turns = matrix_turns(rotation @ _middle(rotation).T)
    joint = joints(track, known)
    both = np.concatenate([turns, joint - np.median(joint, axis=0)], axis=1)
    return _everywhere(both, known, track)


def joints(track: FaceTrack, frames: Int) -> NDArray[np.float64]:
    """(K, 3) where the atlas joint of the head is in camera space in the numbered frames."""
    rotation = rotation_matrix(track.rotation[frames].astype(np.float64))
    return np.asarray(np.einsum("kij,j->ki", rotation, np.array(ATLAS)) + track.translation[frames])


def _everywhere(values: Float, known: Int, track: FaceTrack) -> Float:
    """(N, C) smooth curves through the values (K, C) of the known frames."""
    columns = [np.interp(np.arange(len(track)), known, column) for column in values.T]
    return smoothed(np.stack(columns, axis=1), track.fps)


def _middle(rotation: Float) -> Float:
    """(3, 3) the pose from which turns have the median 0."""
    middle = rotation[len(rotation) // 2]
    for _ in range(3):
        typical = np.median(matrix_turns(rotation @ middle.T), axis=0)
        middle = turn_matrices(typical[None])[0] @ middle
    return np.asarray(middle)


def from_track(
    track: FaceTrack,
    count: int,
    fps: Fraction,
    blink: Float | None = None,
    amount: float = 1.0,
    brows: float = 1.0,
) -> HeadMotion:
    """The movement of a tracked head, for a photo.

    Args:
        track: of a video; the shot that shows the face longest is taken.
        count: T, frames to make; a video that is shorter runs to and fro.
        fps: their rate.
        blink: (T,) of `blinks`; None for blinks of seed 0.
        amount: factor on the movement of the head.
        brows: factor on that of the brows.

    Returns:
        T frames that begin and end at rest; the video's time is kept.

    Raises:
        NoFaceError: no frame of the track has a usable face.
    """
    shot = _longest_shot(track)
    known = np.flatnonzero(shot)
    curves = head_curves(track, shot)
    for more in (track.sway, track.hair):
        away = np.zeros((len(known), 4)) if more is None else more[known]
        away = away - np.median(away, axis=0)
        curves = np.concatenate([curves, _everywhere(away, known, track)], axis=1)
    curves = np.concatenate([curves, brow_curve(track, shot)[:, None]], axis=1)
    curves = curves[known[0] : known[-1] + 1]
    there_and_back = np.concatenate([curves, curves[-2:0:-1]])
    place = np.arange(count_for(count, fps, track.fps) + 1) % len(there_and_back)
    repeated = resampled(there_and_back[place], track.fps, count, fps)
    whole = at_rest(repeated, fps)
    moved = scaled(whole[:, :6], amount)
    sway = None if track.sway is None else scaled_sway(whole[:, 6:10], amount)
    hair = None if track.hair is None else (amount * whole[:, 10:14]).astype(np.float32)
    closed = blinks(count, fps) if blink is None else blink
    return HeadMotion(moved[:, :3], moved[:, 3:], closed, fps, sway, hair, brows * whole[:, 14])


def _longest_shot(track: FaceTrack) -> Bool:
    """(N,) the usable frames of the shot that shows the face longest."""
    usable = track.usable
    if not usable.any():
        raise NoFaceError("No frame of the movement shows a face.", "Take another video.")
    if track.shot is None:
        return usable
    numbers, counts = np.unique(track.shot[usable], return_counts=True)
    return np.asarray(usable & (track.shot == numbers[np.argmax(counts)]))
