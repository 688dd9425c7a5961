"""The faces that are found in a clip, in a file: an hour of them would fill a gigabyte."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.storage.spool import Spool
from gsmooth_core.tracking.following.landmarks import LANDMARKS
from gsmooth_core.types import Bool, Float, Int

Row = NDArray[Any]
"""What an observer makes of a face beside its landmarks, of one shape for all faces."""


@dataclass(frozen=True)
class FollowedFace:
    """The face in one frame: points (478, 3), scores (52,), presence; NaN and 0 where lost."""

    points: Float
    scores: Float
    presence: float


class FoundFaces:
    """Faces of a clip's frames by their number, in the order in which they were found.

    Args:
        folder: where they lie, see `Spool`.

    Attributes:
        points: (478, 3) of each.
        scores: (52,) of each.
        presence: of each.
        seen: what the observer made of each; None where it makes nothing.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self.points = Spool(np.float32, (LANDMARKS, 3), folder)
        self.scores = Spool(np.float32, (52,), folder)
        self.presence = Spool(np.float32, (), folder)
        self.seen: Spool[Any] | None = None

    def add(self, face: FollowedFace, seen: Row | None) -> int:
        """Keep a face; returns its number."""
        if seen is not None:
            if self.seen is None:
                self.seen = Spool(seen.dtype.type, seen.shape, self._folder)
            self.seen.add(seen)
        self.scores.add(face.scores)
        self.presence.add(np.array(face.presence, np.float32))
        return self.points.add(face.points)


@dataclass(frozen=True)
class FoundPoints:
    """The landmarks of one face in T frames, read from the file where they are asked for.

    Attributes:
        faces: all that were found.
        numbers: (T,) which of them is the face in each frame; -1 for none.
    """

    faces: FoundFaces = field(repr=False)
    numbers: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, frames: slice | Int | Bool) -> Float:
        """(K, 478, 3) pixels x, y and relative depth in pixels; NaN without a face."""
        return gathered(self.faces.points, self.numbers[frames], np.nan)


def gathered(spool: Spool[Any], numbers: NDArray[np.int64], otherwise: float = 0) -> Row:
    """(K, ...) rows by their numbers; `otherwise` where these are -1."""
    there = numbers >= 0
    if there.all():
        return spool[numbers]
    out = np.full((len(numbers), *spool.shape), otherwise, spool.kind)
    if there.any():
        out[there] = spool[numbers[there]]
    return out
