"""Whether an image file goes on to its end: one that was cut off is shown in part, or left out."""

from __future__ import annotations

import os
import struct
import warnings
from pathlib import Path
from typing import BinaryIO

import PIL.Image

_TAIL = 4096  # bytes in which a PNG's last chunk begins
_MAGIC = b"\x76\x2f\x31\x01"
_OTHERWISE = 0x1A00  # flags of an EXR: tiles, deep samples or several parts, which lie otherwise
_LINES = {0: 1, 1: 1, 2: 1, 3: 16, 4: 32, 5: 16, 6: 32, 7: 32, 8: 32, 9: 256}
_LONGEST = 1 << 20  # bytes of an EXR's header


def is_whole(path: Path) -> bool:
    """Whether an image that can be opened has all of its data, as far as its kind tells.

    Raises:
        OSError: it cannot be read.
    """
    suffix = path.suffix.lower()
    if suffix in (".jpg", ".jpeg"):
        return _decodes(path)
    with path.open("rb") as file:
        if suffix == ".png":
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            return b"IEND" in file.read()
        return _exr_is_whole(file) if suffix == ".exr" else True


def _decodes(path: Path) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"), PIL.Image.open(path) as image:
            image.load()
    except (OSError, ValueError, SyntaxError):
        return False
    return True


def _exr_is_whole(file: BinaryIO) -> bool:
    """Whether the last block of lines ends within the file.

    Where the blocks lie is written when all of them are: after a crash it says 0.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(_LONGEST)
    if head[:4] != _MAGIC or struct.unpack_from("<I", head, 4)[0] & _OTHERWISE:
        return True
    try:
        blocks, at = _blocks(head)
        places = struct.unpack_from(f"<{blocks}Q", head, at)
    except (struct.error, ValueError):
        return False
    if not blocks or min(places) == 0:
        return False
    file.seek(min(max(places), size))
    block = file.read(8)
    return len(block) == 8 and max(places) + 8 + struct.unpack("<ii", block)[1] <= size


def _blocks(head: bytes) -> tuple[int, int]:
    """Number of an EXR's blocks of lines, and where the list of their places begins."""
    at, lines, height = 8, 1, 0
    while head[at]:
        name = head.index(b"\0", at)
        kind = head.index(b"\0", name + 1)
        (length,) = struct.unpack_from("<I", head, kind + 1)
        if head[at:name] == b"compression":
            lines = _LINES.get(head[kind + 5], 1)
        if head[at:name] == b"dataWindow":
            _, top, _, bottom = struct.unpack_from("<4i", head, kind + 5)
            height = bottom - top + 1
        at = kind + 5 + length
        if at >= len(head):
            raise ValueError("the header does not end")
    return -(-height // lines), at + 1
