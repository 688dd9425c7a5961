"""The library of true head movements: what stitched ones are made of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.models import registry
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.storage.arrays import save_arrays
from gsmooth_core.types import Float, Int

KIND = "motion"
SHORTEST = 50
"""Frames of a clip at least: shorter ones hold no piece and its join."""

_HINT = "Reinstall GSmooth, or make it again with `python -m training.motion`."
_LARGEST = 1 << 24  # bytes
_WIDEST = 3.2  # radians, and decimetres
_RAISED = 2.0  # of a shape


@dataclass(frozen=True)
class MotionLibrary:
    """Movements at 25 frames a second, clip after clip.

    Attributes:
        motion: (N, 6) turn (`HeadMotion.turn`) and shift, away from each clip's median pose.
        energy: (N,) of the speech (`speech_energy`).
        brow: (N,) how far brows are raised (`brow_curve`).
        begin: (C + 1,) first frame of each clip, and N; from calm clips to lively ones.
    """

    motion: Float
    energy: Float
    begin: Int
    brow: Float

    @property
    def moves(self) -> Float:
        """(N, 7) head and brows together."""
        return np.concatenate([self.motion, self.brow[:, None]], axis=1)

    @property
    def clips(self) -> int:
        """C, how many there are: as many styles."""
        return len(self.begin) - 1

    def clip_of(self) -> Int:
        """(N,) number of each frame's clip."""
        return np.repeat(np.arange(self.clips, dtype=np.int32), np.diff(self.begin))

    def manners(self) -> Float:
        """(C, 4) how each clip's head moves: logarithms of what `manner` measures."""
        parts = zip(self.begin[:-1], self.begin[1:], strict=True)
        return np.stack([manner(self.motion[a:b]) for a, b in parts])


def manner(motion: Float) -> Float:
    """(T, 6) -> (4,) logarithms of the angles' deviations (radians) and the speed (a frame)."""
    turn = motion[:, :3]
    speed = np.linalg.norm(np.diff(turn, axis=0), axis=1).mean()
    return np.asarray(np.log(np.append(turn.std(axis=0), speed) + 1e-4), np.float32)


def save_library(path: Path, library: MotionLibrary, about: dict[str, Any]) -> None:
    """Write the library in half precision, and what its card says."""
    arrays = {
        "motion": library.motion.astype(np.float16),
        "energy": np.round(255 * library.energy).astype(np.uint8),
        "begin": library.begin.astype(np.int32),
        "brow": library.brow.astype(np.float16),
    }
    save_arrays(path, KIND, arrays, {"about": about})


def load_library(path: Path) -> MotionLibrary:
    """Read what `save_library` wrote.

    Raises:
        ModelError: missing, damaged, of another kind, or no library.
    """
    source = ModelSource(path, "library of head movements", _HINT)
    source.check(_LARGEST)
    arrays, _ = source.arrays(KIND)
    if set(arrays) - {"brow"} != {"motion", "energy", "begin"}:
        raise source.refused(f"it holds {', '.join(sorted(arrays)) or 'nothing'}")
    motion, energy, begin = arrays["motion"], arrays["energy"], arrays["begin"]
    brow = arrays.get("brow", np.zeros(len(motion), np.float16))  # made before they were known
    source.shaped("motion", motion, (None, 6))
    source.shaped("energy", energy, (len(motion),))
    source.shaped("brow", brow, (len(motion),))
    source.shaped("begin", begin, (None,))
    source.bounded("motion", motion, -_WIDEST, _WIDEST)
    source.bounded("energy", energy, 0, 255)
    source.bounded("brow", brow, -_RAISED, _RAISED)
    source.bounded("begin", begin, 0, len(motion))
    if begin.dtype.kind not in "iu" or not _parts(begin.astype(np.int64), len(motion)):
        raise source.refused("'begin' does not say where its clips begin")
    return MotionLibrary(
        motion.astype(np.float32),
        energy.astype(np.float32) / 255,
        begin.astype(np.int32),
        brow.astype(np.float32),
    )


def _parts(begin: NDArray[np.int64], count: int) -> bool:
    """Whether places (C + 1,) part so many frames into clips that are long enough."""
    whole = len(begin) > 1 and begin[0] == 0 and begin[-1] == count
    return bool(whole and np.diff(begin).min() >= SHORTEST)


def motion_library() -> MotionLibrary:
    """The library that comes with GSmooth, or the user's own in its place.

    Raises:
        ModelError: it is missing or damaged.
    """
    path = registry.locate("motion")
    return _library(path, registry.examine("motion").sha256)


@cache
def _library(path: Path, _digest: str) -> MotionLibrary:
    return load_library(path)
