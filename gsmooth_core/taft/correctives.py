"""Personal correctives: where this person's face moves differently from the model's.

A mesh is fitted to the clip, but every face bends a little differently, and the fit errs in its
own way with every pose. Only the difference of that error between two frames can be seen, and only
it matters: a reference is misplaced by as much as the mesh is off in it by more than in the frame.
The error is taken to be linear in expression and pose, like an animator's corrective shapes, and
is learned from self-reconstruction samples (`calibrate`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gsmooth_core.storage.arrays import load_arrays, save_arrays
from gsmooth_core.storage.layout import ArrayLayout, Layout, check_arrays, damaged
from gsmooth_core.types import FaceTrack, Float

KIND = "correctives"
_LAYOUT: Layout = {
    **{name: ArrayLayout(("F",), 1e4) for name in ("centre", "spread", "low", "high")},
    "weights": ArrayLayout(("F", "W"), 10.0),
}
_TURN = 5.0  # a radian of head rotation counts as much as five full expressions


def regressors(track: FaceTrack, expression: Float) -> Float:
    """What the mesh's errors are regressed on: expression and head rotation.

    Args:
        track: T frames.
        expression: (T, E) that their faces make.

    Returns:
        (T, F)
    """
    x: Float = np.concatenate([expression, _TURN * track.rotation], 1).astype(np.float32)
    return x


@dataclass(frozen=True)
class Correctives:
    """How far one person's mesh is off the face; V vertices, F regressors.

    The fields' names are those of the arrays in the file.

    Attributes:
        centre: (F,) mean of the regressors in training.
        spread: (F,) their standard deviation.
        low: (F,) their smallest values.
        high: (F,) their largest values.
        weights: (F, 2 V) error of each vertex (x and y, in sides of the crop) per standard
            deviation of a regressor.
    """

    centre: Float
    spread: Float
    low: Float
    high: Float
    weights: Float

    def standard(self, x: Float) -> Float:
        """(..., F) regressors (..., F), standardised and clipped to the range seen in training."""
        z: Float = ((x.clip(self.low, self.high) - self.centre) / self.spread).astype(np.float32)
        return z

    def offset(self, x: Float, references: Float) -> Float:
        """By how much more the mesh is off in a frame than in its references.

        Args:
            x: (F,) regressors of the frame.
            references: (R, F) regressors of the references.

        Returns:
            (R, V, 2) in sides of the crop.
        """
        apart = self.standard(x) - self.standard(references)
        more: Float = (apart @ self.weights).reshape(len(references), -1, 2)  # x and y of a vertex
        return more


@dataclass(frozen=True)
class Personal:
    """The correctives of a clip's K parts (see `adapt`), and their weights in each frame.

    Attributes:
        parts: K correctives; None where a part has learned nothing.
        shares: (T, K) weight of each part's correctives in each frame.
    """

    parts: tuple[Correctives | None, ...]
    shares: Float

    def offset(self, frame: int, x: Float, references: Float) -> Float:
        """How far references lie from where the mesh puts them, relative to a frame.

        Args:
            frame: number of the frame that is made.
            x: (F,) regressors of that frame.
            references: (R, F) regressors of its references.

        Returns:
            (R, V or 1, 2) in sides of the crop, to be added to their displacement.
        """
        moved = np.zeros((len(references), 1, 2), np.float32)
        for share, part in zip(self.shares[frame], self.parts, strict=True):
            if share and part:
                moved = moved + share * part.offset(x, references)
        return moved


def save_personal(path: Path, made: Personal) -> None:
    """Write the correctives of a clip, in one atomic step; their weights in half precision."""
    arrays = {"shares": made.shares}
    for number, part in enumerate(made.parts):
        for name, array in vars(part).items() if part else ():
            kept = array.astype(np.float16) if name == "weights" else array
            arrays[f"{number}.{name}"] = kept
    save_arrays(path, KIND, arrays, {})


def load_personal(path: Path) -> Personal:
    """Read a file that `save_personal` wrote.

    Raises:
        InputError: no such file, damaged, or of another kind.
    """
    arrays, _ = load_arrays(path, KIND)
    shares = arrays.get("shares", np.zeros(0))
    count = shares.shape[1] if shares.ndim == 2 else 0  # K
    learned = [k for k in range(count) if f"{k}.weights" in arrays]
    layout = {f"{k}.{name}": each for k in learned for name, each in _LAYOUT.items()}
    check_arrays(path, arrays, {"shares": ArrayLayout(("T", "K"), 1.0, 0.0), **layout})
    if any(not (arrays[f"{k}.spread"] > 0).all() for k in learned):
        raise damaged(path, "a 'spread' is not above 0")
    parts = {
        k: Correctives(**{name: arrays[f"{k}.{name}"].astype(np.float32) for name in _LAYOUT})
        for k in learned
    }
    return Personal(tuple(parts.get(k) for k in range(count)), shares)
