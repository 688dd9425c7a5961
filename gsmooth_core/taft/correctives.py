"""Personal correctives: where this person's face moves in another way than the model's.

A mesh is fitted to the clip, but a person's own face bends a little differently, and a fit errs
in its own way with every pose. Of that only the difference between two frames can be seen, and
only it matters: a reference is off where the mesh misses it by more than it misses the frame. The
misses are taken as linear in expression and pose, as in the correctives of an animator, and are
learned from frames that were reconstructed (`calibrate`).
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
_TURN = 5.0  # a radian of the head's turn counts as much as five whole expressions


def circumstances(track: FaceTrack, expression: Float) -> Float:
    """(T, F) what misses depend on, when the track's faces make `expression` (T, E)."""
    x: Float = np.concatenate([expression, _TURN * track.rotation], 1).astype(np.float32)
    return x


@dataclass(frozen=True)
class Correctives:
    """How far the mesh of one person misses the face; V vertices, F circumstances.

    Attributes:
        centre: (F,) mean of the circumstances that it was learned from.
        spread: (F,) their deviation.
        low: (F,) the smallest of them.
        high: (F,) the largest.
        weights: (F, 2 V) miss of each vertex, x and y in sides of the crop, a deviation.
    """

    centre: Float
    spread: Float
    low: Float
    high: Float
    weights: Float

    def standard(self, x: Float) -> Float:
        """(..., F) circumstances (..., F) in deviations, kept within what was learned from."""
        z: Float = ((x.clip(self.low, self.high) - self.centre) / self.spread).astype(np.float32)
        return z

    def off(self, x: Float, references: Float) -> Float:
        """(R, V, 2) by how much more the mesh misses a frame than references, in sides of the crop.

        Args:
            x: (F,) circumstances of the frame.
            references: (R, F) theirs.
        """
        apart = self.standard(x) - self.standard(references)
        more: Float = (apart @ self.weights).reshape(len(references), -1, 2)  # x and y of a vertex
        return more


@dataclass(frozen=True)
class Personal:
    """The correctives of a clip's K parts, and how much of each a frame is made with.

    Attributes:
        parts: of each part, see `adapt`; None to change nothing.
        shares: (T, K) of each part's in each frame.
    """

    parts: tuple[Correctives | None, ...]
    shares: Float

    def nearer(self, frame: int, x: Float, references: Float) -> Float:
        """How far references lie from where the mesh has them, as seen from a frame.

        Args:
            frame: number of the frame that is made.
            x: (F,) its circumstances.
            references: (R, F) theirs.

        Returns:
            (R, V or 1, 2) in sides of the crop, to be added to their displacement.
        """
        moved = np.zeros((len(references), 1, 2), np.float32)
        for share, part in zip(self.shares[frame], self.parts, strict=True):
            if share and part:
                moved = moved + share * part.off(x, references)
        return moved


def save_personal(path: Path, made: Personal) -> None:
    """Write what was learned of a clip in one atomic step; the weights in half precision."""
    arrays = {"shares": made.shares}
    for number, part in enumerate(made.parts):
        for name, array in vars(part).items() if part else ():
            kept = array.astype(np.float16) if name == "weights" else array
            arrays[f"{number}.{name}"] = kept
    save_arrays(path, KIND, arrays, {})


def load_personal(path: Path) -> Personal:
    """Read what `save_personal` wrote.

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
