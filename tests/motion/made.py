"""Libraries and tracks whose movements are known."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from scipy.spatial.transform import Rotation

from gsmooth_core.motion.head import ATLAS
from gsmooth_core.motion.library import MotionLibrary
from gsmooth_core.types import FaceTrack

REST = Rotation.from_rotvec([0.1, -0.3, 0.05])
PLACE = np.array([0.4, -0.2, -9.0])


def waves(count: int, degrees: float, seed: int) -> np.ndarray:
    """(count, 6) smooth movements of a deviation of so many degrees, and of .05 dm."""
    random, time = np.random.default_rng(seed), np.arange(count) / 25
    curves = []
    for _ in range(6):
        hertz, phase = random.uniform(0.2, 1.2, 4), random.uniform(0, 6.3, 4)
        curves.append(np.sin(2 * np.pi * hertz * time[:, None] + phase).sum(axis=1) / 2**0.5)
    size = np.append(np.full(3, np.deg2rad(degrees)), np.full(3, 0.05))
    return (np.stack(curves, axis=1) * size).astype(np.float32)


def library(degrees: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0), count: int = 600) -> MotionLibrary:
    """Clips from calm to lively; each is loud in every second half of four seconds."""
    motion = np.concatenate([waves(count, size, n) for n, size in enumerate(degrees)])
    energy = (np.arange(len(motion)) % 100 >= 50).astype(np.float32)
    brow = (0.2 * np.sin(np.arange(len(motion)) / 9)).astype(np.float32)
    return MotionLibrary(motion, energy, np.arange(len(degrees) + 1, dtype=np.int32) * count, brow)


def track(
    turn: np.ndarray,
    shift: np.ndarray,
    fps: Fraction = Fraction(25),
    shot: np.ndarray | None = None,
) -> FaceTrack:
    """A face that turns by (T, 3) pitch, yaw, roll about the atlas, and shifts by (T, 3).

    Three elementary rotations, written out by hand: yaw of pitch of roll, in camera axes.
    """
    rotations, places = [], []
    for (pitch, yaw, roll), moved in zip(turn, shift, strict=True):
        about = [Rotation.from_rotvec(v) for v in ([0, yaw, 0], [pitch, 0, 0], [0, 0, -roll])]
        now = about[0] * about[1] * about[2] * REST
        joint = REST.apply(ATLAS) + PLACE + moved
        rotations.append(now.as_rotvec())
        places.append(joint - now.apply(ATLAS))
    count = len(turn)
    return FaceTrack(
        width=64, height=48, fps=fps, model="face", focal=100.0,
        identity=np.zeros(2, np.float32), expression_names=("jawOpen",),
        expression=np.zeros((count, 1), np.float32),
        rotation=np.array(rotations, np.float32), translation=np.array(places, np.float32),
        light=np.zeros((count, 9, 3), np.float32), confidence=np.ones(count, np.float32),
        landmarks=np.zeros((count, 478, 2), np.float32), shot=shot,
    )  # fmt: skip
