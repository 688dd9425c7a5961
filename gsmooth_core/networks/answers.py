"""Answers of networks, kept in a file while a stage runs: one that was stopped goes on at once.

To follow faces is to ask small networks about every frame, one after the other, and each frame
depends on the one before. So the answers are kept by what was asked: a second run asks the same,
and waits for nothing until it comes to the frame at which the first one was stopped.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from io import RawIOBase
from pathlib import Path
from threading import Lock

import numpy as np

from gsmooth_core.errors import MediaError
from gsmooth_core.types import Float, Image

_KEY = 16  # bytes
_HEAD = struct.Struct(f"<{_KEY}sII")  # key, bytes and their CRC
_LARGEST = 1 << 20  # bytes of an answer
_MOST = 1 << 32  # bytes of the file; later answers are not kept

Shapes = dict[str, tuple[int, ...]]
Answer = dict[str, Float]


class Answers:
    """The answers in one file.

    Args:
        file: open for reading and writing, without a buffer, which would still try to write to a
            full disk when it is closed; what is damaged at its end is cut off.
    """

    def __init__(self, file: RawIOBase) -> None:
        self._file = file
        self._places: dict[bytes, tuple[int, int, int]] = {}
        self._end = 0
        self._lock = Lock()  # of the file: several threads may ask
        self._scan()

    def ask(self, key: bytes, shapes: Shapes, answer: Callable[[], Answer]) -> Answer:
        """What is kept under a key, else what `answer` gives, which is then kept.

        Args:
            key: 16 bytes that stand for the question.
            shapes: of the arrays of an answer, by name; all of float32.
            answer: asks the network.
        """
        with self._lock:
            known = self._read(key, shapes)
        if known is not None:
            return known
        made = answer()
        content = b"".join(made[name].astype(np.float32).tobytes() for name in shapes)
        with self._lock:
            self._keep(key, content)
        return made

    def _read(self, key: bytes, shapes: Shapes) -> Answer | None:
        if key not in self._places:
            return None
        place, size, crc = self._places[key]
        self._file.seek(place)
        content = self._file.read(size)
        values = np.frombuffer(content, np.float32) if size % 4 == 0 else np.zeros(0, np.float32)
        counts = [int(np.prod(shape)) for shape in shapes.values()]
        if zlib.crc32(content) != crc or len(values) != sum(counts):
            return None
        parts = np.split(values, np.cumsum(counts)[:-1])
        each = zip(shapes.items(), parts, strict=True)
        return {name: part.reshape(shape).copy() for (name, shape), part in each}

    def _keep(self, key: bytes, content: bytes) -> None:
        if self._end > _MOST:
            return
        self._file.seek(self._end)
        data = _HEAD.pack(key, len(content), zlib.crc32(content)) + content
        try:
            whole = self._file.write(data) == len(data)
        except OSError:
            whole = False
        if not whole:  # the disk is full: the work itself goes on
            self._file.truncate(self._end)
            self._end = _MOST + 1
            return
        self._end += len(data)

    def _scan(self) -> None:
        size = self._file.seek(0, os.SEEK_END)
        while self._end + _HEAD.size <= size:
            self._file.seek(self._end)
            key, length, crc = _HEAD.unpack(self._file.read(_HEAD.size))
            place = self._end + _HEAD.size
            if length > _LARGEST or place + length > size:
                break
            self._places[key] = place, length, crc
            self._end = place + length
        self._file.truncate(self._end)


_current: ContextVar[Answers | None] = ContextVar("answers", default=None)


@contextmanager
def kept_answers(path: Path | None) -> Iterator[None]:
    """Keep what networks answer within the block in a file, or nowhere.

    Raises:
        MediaError: the file cannot be written.
    """
    if path is None:
        yield
        return
    with _opened(path) as file:
        token = _current.set(Answers(file))
        try:
            yield
        finally:
            _current.reset(token)


def _opened(path: Path) -> RawIOBase:
    """The file, made where there is none; what another name leads to is nobody's to write to."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        if os.path.lexists(path):
            there = path.lstat()
            if not stat.S_ISREG(there.st_mode) or there.st_nlink > 1:
                path.unlink()
        return os.fdopen(os.open(path, flags, 0o666), "r+b", buffering=0)
    except OSError as error:
        text = f"'{path.name}' cannot be written ({error.strerror})."
        raise MediaError(text, "Free some space, or remove what stands in its place.") from error


def answered(
    name: str, value: Float | Image, shapes: Shapes, answer: Callable[[], Answer]
) -> Answer:
    """What a network answers, from the file of the block around it where that knows.

    Args:
        name: of the network and its weights.
        value: what it is asked.
        shapes: of the arrays of an answer, by name.
        answer: asks the network itself.
    """
    answers = _current.get()
    if answers is None:
        return answer()
    question = hashlib.sha256(name.encode())  # which processors have instructions for
    question.update(np.ascontiguousarray(value).data)
    return answers.ask(question.digest()[:_KEY], shapes, answer)
