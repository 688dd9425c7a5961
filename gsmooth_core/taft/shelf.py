"""Pictures that lend, kept in a file where they are many and large.

240 faces that fill a 1080p frame are 0.9 GB, of which a frame needs six. The system keeps of the
file in memory what there is room for; of what was not looked at just now, nothing is this
program's.
"""

from __future__ import annotations

import mmap
import tempfile
from pathlib import Path
from typing import TypeVar

import numpy as np

from gsmooth_core.types import Bool, Image

Picture = TypeVar("Picture", Image, Bool)

ROOM = 64 << 20
"""Bytes that are kept in memory before the file is begun."""


class Shelf:
    """Keeps pictures that do not change.

    Args:
        folder: where the file lies, which has no name and goes with this object; None for the
            system's folder for such files.
        room: bytes of pictures that stay in memory.
    """

    def __init__(self, folder: Path | None = None, room: int = ROOM) -> None:
        self._folder, self._room = folder, room
        self._maps: list[mmap.mmap] = []
        self._end = 0

    def keep(self, picture: Picture) -> Picture:
        """The same pixels, read-only where they are in the file; all in memory where it fails."""
        self._room -= picture.nbytes
        if self._room >= 0 or not picture.nbytes:
            return picture
        try:
            mapped = self._written(np.ascontiguousarray(picture))
        except OSError:  # no room, or no folder
            self._room = 1 << 62
            return picture
        self._maps.append(mapped)
        return np.frombuffer(mapped, picture.dtype, picture.size).reshape(picture.shape)

    def rest(self) -> None:
        """Let go of what was looked at; it is read again when it is looked at again."""
        if hasattr(mmap, "MADV_DONTNEED"):
            for mapped in self._maps:
                mapped.madvise(mmap.MADV_DONTNEED)

    def _written(self, picture: Image | Bool) -> mmap.mmap:
        """A picture in the file, whose places begin where a map may begin."""
        if not self._maps:
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
        self._file.seek(self._end)
        self._file.write(picture.data)
        mapped = mmap.mmap(
            self._file.fileno(), picture.nbytes, access=mmap.ACCESS_READ, offset=self._end
        )
        grain = mmap.ALLOCATIONGRANULARITY
        self._end += -(-picture.nbytes // grain) * grain
        return mapped
