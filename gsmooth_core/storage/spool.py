"""Rows of numbers in a file without a name: of a long clip only what is looked at is in memory."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.storage.files import cannot_write

_HELD = 1 << 20
"""Bytes of the newest rows, and of those read last, that are kept in memory."""

Row = TypeVar("Row", bound=np.generic)


class Spool(Generic[Row]):
    """Rows that are added one by one and read again some at a time.

    Args:
        kind: of the numbers in a row.
        shape: of a row.
        folder: where the file lies, which goes with this object; None for the system's folder for
            such files.

    Attributes:
        kind: of the numbers in a row.
        shape: of a row.

    Raises:
        MediaError: the disk is full, or the folder may not be written.
    """

    def __init__(self, kind: type[Row], shape: tuple[int, ...], folder: Path | None = None) -> None:
        self.kind, self.shape, self._folder = np.dtype(kind), shape, folder
        self._size = self.kind.itemsize * int(np.prod(shape))
        self._newest = bytearray()  # one object: a number of its own would take tenfold
        self._count = self._written = 0  # rows, and those of them that are in the file
        self._read, self._first = np.zeros((0, *shape), kind), 0

    def __len__(self) -> int:
        return self._count

    def add(self, row: NDArray[Any]) -> int:
        """Keep a row; returns its number."""
        if row.shape != self.shape:
            raise ValueError(f"a row of {row.shape} is none of {self.shape}")
        self._newest += row.astype(self.kind, copy=False).tobytes()
        self._count += 1
        if len(self._newest) >= _HELD:
            self._write()
        return self._count - 1

    def __getitem__(self, rows: slice | NDArray[Any]) -> NDArray[Row]:
        """(K, ...) a copy of the rows of a slice (without a step), or of these numbers."""
        self._write()
        if isinstance(rows, slice):
            first, end, _ = rows.indices(len(self))
            return self._run(first, max(end - first, 0)).copy()
        out: NDArray[Row] = np.empty((len(rows), *self.shape), self.kind)
        edges = [0, *(np.flatnonzero(np.diff(rows) != 1) + 1).tolist(), len(rows)]
        for begin, end in pairwise(edges):
            if end > begin:
                out[begin:end] = self._run(int(rows[begin]), end - begin)
        return out

    def _write(self) -> None:
        if not self._newest:
            return
        try:
            if not self._written:
                # without a buffer, which would still try to write to a full disk when it is closed
                self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115
            self._put(self._newest)
        except OSError as error:
            place = self._folder or Path(tempfile.gettempdir())
            raise cannot_write(place / "temporary file", error) from error
        self._written, self._newest = self._count, bytearray()

    def _put(self, content: bytearray) -> None:
        self._file.seek(self._written * self._size)
        left = memoryview(content)
        while left:
            left = left[self._file.write(left) :]

    def _run(self, first: int, count: int) -> NDArray[Row]:
        """Rows that follow each other, out of those read last where they are all there."""
        begin = first - self._first
        if begin < 0 or begin + count > len(self._read):
            self._fetch(first, max(count, min(_HELD // self._size, self._written - first)))
            begin = 0
        return self._read[begin : begin + count]

    def _fetch(self, first: int, count: int) -> None:
        found: NDArray[Row] = np.empty((count, *self.shape), self.kind)
        self._file.seek(first * self._size)
        left = memoryview(found.reshape(-1).view(np.uint8).data)
        while left:
            read = self._file.readinto(left)
            if not read:
                raise ValueError(f"there are no rows {first} to {first + count - 1}")
            left = left[read:]
        self._read, self._first = found, first
