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

_TOGETHER = 8  # frames after which what they looked at is let go

_BLOCK = 64 << 20  # bytes of the file that one map shows: each map is an open file, of which
# systems allow 256 to 1,024


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
        self._begin = self._used = self._frames = 0

    def keep(self, picture: Picture) -> Picture:
        """The same pixels, read-only where they are in the file; all in memory where it fails."""
        self._room -= picture.nbytes
        if self._room >= 0 or not picture.nbytes:
            return picture
        try:
            at = self._written(np.ascontiguousarray(picture))
        except OSError:  # no room, or no folder
            self._room = 1 << 62
            return picture
        found = np.frombuffer(self._maps[-1], picture.dtype, picture.size, at)
        return found.reshape(picture.shape)

    def looked(self) -> None:
        """A frame has been made: what it looked at, the next ones are likely to look at, too."""
        self._frames += 1
        if self._frames % _TOGETHER == 0:
            self.rest()

    def rest(self) -> None:
        """Let go of what was looked at; it is read again when it is looked at again."""
        if hasattr(mmap, "MADV_DONTNEED"):
            for mapped in self._maps:
                mapped.madvise(mmap.MADV_DONTNEED)

    def _written(self, picture: Image | Bool) -> int:
        """Write a picture into the last block; returns its place there."""
        if not self._maps or self._used + picture.nbytes > len(self._maps[-1]):
            self._begin_block(picture.nbytes)
        at = self._used
        self._file.seek(self._begin + at)
        if self._file.write(picture.data) < picture.nbytes:
            raise OSError("the disk is full")
        self._used += picture.nbytes
        return at

    def _begin_block(self, least: int) -> None:
        """Map another block, which begins where a map may begin."""
        if not self._maps:
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
        begin = self._begin + (len(self._maps[-1]) if self._maps else 0)
        grain = mmap.ALLOCATIONGRANULARITY
        size = max(_BLOCK, -(-least // grain) * grain)
        self._file.truncate(begin + size)
        self._maps.append(
            mmap.mmap(self._file.fileno(), size, access=mmap.ACCESS_READ, offset=begin)
        )
        self._begin, self._used = begin, 0
