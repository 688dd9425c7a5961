"""Movements of a head away from where it is in a photo, and how far it may go."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.spatial.transform import Rotation

from gsmooth_core.types import Float

ATLAS = (0.0, -0.45, -0.9)
"""Where the skull rests on the neck, in model space (decimetres).

Measured: the point that moves least while the training people turn their heads, with x put to 0.
"""

FREE, MOST = np.deg2rad(8.0), np.deg2rad(14.0)
"""Turns up to the first stay as they are; none reaches the second (radians; roll: `TILTED`)."""
TILTED = 0.6
"""What roll counts in how far a head is turned: it shows no other side of it."""
FREE_SHIFT, MOST_SHIFT = 0.2, 0.4
"""The same of shifts (decimetres)."""

CARRIED = 0.65
"""Of a head's shift that neck and shoulders have, where nobody knows how they sway."""

_ORDER = "YXZ"  # yaw, then pitch and roll about the axes that it has turned


@dataclass(frozen=True)
class HeadMotion:
    """How a head moves away from where it is in the photo.

    Attributes:
        turn: (T, 3) pitch, yaw, roll in radians (pitch > 0 nods down, yaw > 0 turns to the
            viewer's right, roll > 0 tilts clockwise as the viewer sees it), about the atlas
            joint; `turn_matrices` says in which order.
        shift: (T, 3) of that joint in decimetres, in camera axes (x right, y up, z towards the
            camera).
        blink: (T,) 0 open .. 1 closed.
        fps: frame rate.
        sway: (T, 4) of neck and shoulders: shift like that of the joint, and roll in radians;
            None where it is not known.
        hair: (T, 4) of hair, beside what turn and shift make of it: to the right and down in
            decimetres, logarithm of the size and roll, about the joint; None where it is not known.
        brow: (T,) how far brows are raised, see `brow_curve`; None leaves them alone.
    """

    turn: Float
    shift: Float
    blink: Float
    fps: Fraction
    sway: Float | None = None
    hair: Float | None = None
    brow: Float | None = None

    def __post_init__(self) -> None:
        count = len(self.blink)
        shapes = (self.turn.shape, self.shift.shape, self.blink.shape)
        if shapes != ((count, 3), (count, 3), (count,)):
            raise ValueError(f"turns, shifts and blinks have the shapes {shapes}")
        if self.brow is not None and self.brow.shape != (count,):
            raise ValueError(f"brow has the shape {self.brow.shape}")
        for name, known in (("sway", self.sway), ("hair", self.hair)):
            if known is not None and known.shape != (count, 4):
                raise ValueError(f"{name} has the shape {known.shape}")

    def __len__(self) -> int:
        return len(self.blink)


def turn_matrices(turn: Float) -> Float:
    """(T, 3) pitch, yaw, roll -> (T, 3, 3) rotations in camera axes: R of a new head is `M @ R`."""
    matrices = Rotation.from_euler(_ORDER, turn[:, [1, 0, 2]] * (1, 1, -1)).as_matrix()
    return np.asarray(matrices, np.float32)


def matrix_turns(matrices: Float) -> Float:
    """(T, 3, 3) rotations in camera axes -> (T, 3) pitch, yaw, roll; inverts `turn_matrices`."""
    yaw, pitch, roll = Rotation.from_matrix(matrices).as_euler(_ORDER).T
    return np.asarray(np.stack([pitch, yaw, -roll], axis=1), np.float32)


def scaled(motion: Float, amount: float) -> Float:
    """A movement made smaller or larger, and softly kept from going too far.

    Args:
        motion: (T, 6) turn and shift.
        amount: factor; 1 leaves small movements as they are.

    Returns:
        (T, 6); turns stay below `MOST` (with `TILTED` of their roll), shifts below `MOST_SHIFT`.
    """
    turn, shift = motion[:, :3] * amount, motion[:, 3:] * amount
    far = np.array([1, 1, TILTED], np.float32)
    kept = [limited(turn * far, FREE, MOST) / far, limited(shift, FREE_SHIFT, MOST_SHIFT)]
    return np.asarray(np.concatenate(kept, axis=1), np.float32)


def scaled_sway(sway: Float, amount: float) -> Float:
    """The same of (T, 4) shift and roll of neck and shoulders."""
    shift, roll = sway[:, :3] * amount, sway[:, 3:] * amount
    kept = [limited(shift, FREE_SHIFT, MOST_SHIFT), limited(roll, FREE, MOST)]
    return np.concatenate(kept, axis=1).astype(np.float32)


def limited(vectors: Float, free: float, most: float) -> Float:
    """(T, N) vectors; those longer than `free` are shortened, smoothly, to below `most`."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    beyond = np.maximum(length - free, 0) / (most - free)
    kept = np.where(beyond > 0, free + (most - free) * np.tanh(beyond), length)
    return np.asarray(vectors * kept / np.maximum(length, 1e-9))
