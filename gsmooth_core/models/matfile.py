"""Tables of numbers out of a MAT file of MATLAB 5 to 7, whatever its bytes say.

Only full tables of real numbers are read, and only those that are asked for; a table is unpacked
when its size is known to be allowed, and never further than that. MathWorks describes the format
in "MAT-File Level 5".
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Tables = dict[str, NDArray[Any]]

_HEADER = 128
_MATRIX, _PACKED = 14, 15  # kinds of elements
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8",
            12: "i8", 13: "u8"}  # fmt: skip
_FULL = range(6, 16)  # classes of tables: double, single, and the whole numbers
_COMPLEX = 0x800
_FRONT = 1024  # bytes that hold a table's flags, size and name
_MOST_AXES = 8
_HDF5 = b"\x89HDF\r\n\x1a\n"


class MatError(ValueError):
    """It is no MAT file that can be read; the text says why."""


@dataclass(frozen=True)
class _Table:
    """What stands before a table's numbers.

    Attributes:
        name: of the variable.
        real: whether it is a full table of real numbers.
        shape: its size.
        start: place of the element that holds its numbers.
    """

    name: str
    real: bool
    shape: tuple[int, ...]
    start: int


class _Stream:
    """Bytes that are unpacked only as far as they are taken."""

    def __init__(self, content: memoryview, packed: bool) -> None:
        self._left: memoryview | bytes = content
        self._engine = zlib.decompressobj() if packed else None

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        taken = self._some(count)
        if len(taken) < count:
            raise MatError("it is cut off")
        return taken

    def end(self) -> None:
        """See that nothing follows, and that the checksum is right."""
        if self._some(1) or (self._engine and not self._engine.eof):
            raise MatError("it is damaged")

    def _some(self, count: int) -> bytes:
        if self._engine is None:
            taken, self._left = bytes(self._left[:count]), self._left[count:]
            return taken
        if not count:
            return b""  # zlib takes 0 for no limit
        try:
            taken = self._engine.decompress(self._left, count)
        except zlib.error as error:
            raise MatError(f"it is damaged: {error}") from error
        self._left = self._engine.unconsumed_tail
        return taken


def read_tables(content: bytes, names: Collection[str], largest: int) -> Tables:
    """Read some of a file's tables.

    Args:
        content: the file.
        names: the tables that are read where they are there.
        largest: bytes that they may have together.

    Returns:
        the tables by name, of the types in which the file holds them.

    Raises:
        MatError: no MAT file, a damaged one, or a table is too large or none of real numbers.
    """
    order, view = _byte_order(content), memoryview(content)
    found: Tables = {}
    at = _HEADER
    while at < len(view):
        kind, size = _tag(view[at : at + 8], order)
        end = at + 8 + size
        if end > len(view):
            raise MatError("it is cut off")
        packed = kind == _PACKED
        stream = _Stream(view[at + 8 * packed : end], packed)
        left = largest - sum(table.nbytes for table in found.values())
        found |= _read(stream, order, names, left)
        at = end
    return found


def _byte_order(content: bytes) -> str:
    if content.startswith((_HDF5, b"MATLAB 7.3")) or content[512:520] == _HDF5:
        raise MatError("it is an HDF5 file, as MATLAB 7.3 writes; save it with the option '-v7'")
    order = {b"IM": "<", b"MI": ">"}.get(content[126:_HEADER])
    if order is None:
        raise MatError("it is no MAT file")
    return order


def _tag(content: memoryview | bytes, order: str) -> tuple[int, int]:
    if len(content) < 8:
        raise MatError("it is cut off")
    kind, size = struct.unpack(order + "II", content)
    return kind, size


def _read(stream: _Stream, order: str, names: Collection[str], left: int) -> Tables:
    """The table in a stream, when it is asked for."""
    kind, size = _tag(stream.take(8), order)
    if kind != _MATRIX:
        raise MatError(f"it holds an element of kind {kind}")
    front = stream.take(min(size, _FRONT))
    table = _described(front, order)
    if table.name not in names:
        return {}
    if not table.real:
        raise MatError(f"'{table.name}' is no table of real numbers")
    if max(size, 8 * math.prod(table.shape)) > left:
        raise MatError(f"'{table.name}' is far too large")
    content = front + stream.take(size - len(front))
    stream.end()
    return {table.name: _numbers(content, table, order)}


def _described(front: bytes, order: str) -> _Table:
    flags, at = _element(front, 0, order)
    shape, at = _element(front, at, order)
    name, at = _element(front, at, order)
    if len(flags) != 8 or not 8 <= len(shape) <= 4 * _MOST_AXES or len(shape) % 4:
        raise MatError("it is damaged: a table has no size")
    word = struct.unpack(order + "I", flags[:4])[0]
    axes = struct.unpack(f"{order}{len(shape) // 4}i", shape)
    if min(axes) < 0:
        raise MatError("it is damaged: a table has a negative size")
    real = word & 0xFF in _FULL and not word & _COMPLEX
    return _Table(bytes(name).decode("latin-1"), real, axes, at)


def _numbers(content: bytes, table: _Table, order: str) -> NDArray[Any]:
    kind = _kind(content, table.start, order)
    stored, _ = _element(content, table.start, order)
    if kind not in _NUMBERS:
        raise MatError(f"'{table.name}' holds no numbers")
    dtype = np.dtype(order + _NUMBERS[kind])
    if len(stored) != dtype.itemsize * math.prod(table.shape):
        raise MatError(f"'{table.name}' has not as many numbers as it says")
    flat = np.frombuffer(stored, dtype).astype(dtype.newbyteorder("="), copy=False)
    return flat.reshape(table.shape, order="F")


def _kind(content: bytes, at: int, order: str) -> int:
    return _tag(content[at : at + 8], order)[0] & 0xFFFF  # a short one has its size above


def _element(content: bytes, at: int, order: str) -> tuple[memoryview, int]:
    """Bytes of the part that begins at `at`, and where the next one begins."""
    kind, size = _tag(content[at : at + 8], order)
    short = kind >> 16  # then at most four bytes, in the place of the size
    start, size = (at + 4, short) if short else (at + 8, size)
    if short > 4 or start + size > len(content):
        raise MatError("it is damaged: a part of a table is longer than the table")
    step = 8 if short else 8 + size + -size % 8
    return memoryview(content)[start : start + size], at + step
