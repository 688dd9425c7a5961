"""Pictures of a face that one pass over a clip has read, for who looks at some of them again.

Captions are looked for in all frames, and many of these lend their pixels later: what lies around
the face in them is kept in a file, so that no second pass decodes the clip.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.job.frames import OpenFrames
from gsmooth_core.mafb.crop import crop_transforms, in_frame
from gsmooth_core.mafb.occlusion.watching import watched
from gsmooth_core.taft.lending.shelf import Shelf
from gsmooth_core.types import Bool, FaceTrack, Image, Opened

ROOM = 512 << 20
"""Bytes that the file has at most, or half of what its disk has left; more is not begun."""

_SIZE = 256
_BESIDE = 3  # pixels beside a crop: it is rounded, as is the way from the frame before


class KeptPictures:
    """Keeps what lies around a face in some frames.

    Args:
        track: the track of the clip, T frames.
        model: its face model.
        wanted: (T,) frames that are likely to be looked at again.
        folder: where the file lies, which has no name and goes with this object.
        room: see `ROOM`.
    """

    def __init__(
        self,
        track: FaceTrack,
        model: MorphableModel,
        wanted: Bool,
        folder: Path | None = None,
        room: int = ROOM,
    ) -> None:
        self._shape = track.height, track.width, 3
        self._boxes = _around(crop_transforms(track, model, _SIZE), track.width, track.height)
        sizes = 3 * (self._boxes[:, 2:] - self._boxes[:, :2]).prod(1)
        self._wanted = wanted & (sizes[wanted].sum() <= min(room, _free(folder) // 2))
        self._folder, self._parts = folder, dict[int, Image]()
        self._shelf = Shelf(folder, 0)

    def watched(self, opened: Opened) -> Opened:
        """The clip; what is read of it is kept where it is wanted."""

        def look(frame: int, picture: Image) -> None:
            if self._wanted[frame] and frame not in self._parts:
                self._keep(frame, picture)

        return watched(opened, look)

    def first(self, frames: OpenFrames) -> OpenFrames:
        """Frames of which only those are read that were not kept."""
        return _KeptFirst(self.picture, frames)

    def picture(self, frame: int) -> Image | None:
        """(H, W, 3) a frame, black where its crop is not; None for one that was not kept."""
        part = self._parts.get(frame)
        if part is None:
            return None
        picture = np.zeros(self._shape, np.uint8)
        picture[self._box(frame)] = part
        self._shelf.looked()
        return picture

    def _keep(self, frame: int, picture: Image) -> None:
        part = np.ascontiguousarray(picture[self._box(frame)])
        kept = self._shelf.keep(part)
        if kept is part:  # the disk is full: others need what room there is
            self._wanted[:] = False
            self._parts.clear()
            self._shelf = Shelf(self._folder, 0)
            return
        self._parts[frame] = kept
        self._shelf.looked()

    def _box(self, frame: int) -> tuple[slice, slice]:
        x0, y0, x1, y1 = self._boxes[frame].tolist()
        return slice(y0, y1), slice(x0, x1)


def _free(folder: Path | None) -> int:
    """Bytes that a folder's disk has room for; None is the system's folder for such files."""
    try:
        return shutil.disk_usage(folder or tempfile.gettempdir()).free
    except OSError:
        return 0


class _KeptFirst:
    def __init__(self, kept: Callable[[int], Image | None], others: OpenFrames) -> None:
        self._kept, self._others = kept, others

    def __call__(self, index: int) -> Image:
        kept = self._kept(index)
        return self._others(index) if kept is None else kept

    def close(self) -> None:
        self._others.close()


def _around(transforms: NDArray[Any], width: int, height: int) -> NDArray[np.int64]:
    """(T, 4) x0, y0, x1, y1 of the crops of a clip (T, 2, 3), each with that of the frame before.

    That one is moved along with the face: so far grain is looked for in two frames.
    """
    ends = np.array([[0, 0], [_SIZE, 0], [0, _SIZE], [_SIZE, _SIZE]], np.float64)
    corners = in_frame(transforms, ends)
    middle = corners.mean(1, keepdims=True)
    apart = corners - middle
    before = np.concatenate([apart[:1], apart[:-1]])
    both = np.concatenate([apart, before], 1) + middle
    limit = np.array([width, height])
    low = (np.floor(both.min(1)) - _BESIDE).clip(0, limit)
    high = (np.ceil(both.max(1)) + _BESIDE).clip(0, limit)
    return np.asarray(np.concatenate([low, high], 1), np.int64)
