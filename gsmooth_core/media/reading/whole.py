"""What an image file tells of itself: how large it is, and whether it goes on to its end.

One that was cut off would be shown in part, or left out.
"""

from __future__ import annotations

import os
import struct
import warnings
from pathlib import Path
from typing import BinaryIO

import PIL.Image

_TAIL = 4096  # bytes in which a PNG's last chunk begins
_MAGIC = b"\x76\x2f\x31\x01"
_DPX = {b"SDPX": ">", b"XPDS": "<"}
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


def size_of(path: Path) -> tuple[int, int] | None:
    """(width, height) of an EXR or DPX image as it is shown; None where it does not say.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_LONGEST)
    try:
        if head[:4] in _DPX:
            width, height = struct.unpack_from(_DPX[head[:4]] + "2I", head, 772)
            return width, height
        left, top, right, bottom = struct.unpack("<4i", _attributes(head)[0][b"displayWindow"])
    except (struct.error, ValueError, IndexError, KeyError):
        return None
    return right - left + 1, bottom - top + 1


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
    except (struct.error, ValueError, IndexError, KeyError):
        return False
    if not blocks or min(places) == 0:
        return False
    file.seek(min(max(places), size))
    block = file.read(8)
    return len(block) == 8 and max(places) + 8 + struct.unpack("<ii", block)[1] <= size


def _blocks(head: bytes) -> tuple[int, int]:
    """Number of an EXR's blocks of lines, and where the list of their places begins."""
    said, at = _attributes(head)
    _, top, _, bottom = struct.unpack("<4i", said[b"dataWindow"])
    lines = _LINES.get(said[b"compression"][0], 1)
    return -(-(bottom - top + 1) // lines), at


def _attributes(head: bytes) -> tuple[dict[bytes, bytes], int]:
    """What an EXR's header says, by name, and where it ends."""
    said, at = {}, 8
    while head[at]:
        name = head.index(b"\0", at)
        kind = head.index(b"\0", name + 1)
        (length,) = struct.unpack_from("<I", head, kind + 1)
        said[head[at:name]] = head[kind + 5 : kind + 5 + length]
        at = kind + 5 + length
    return said, at + 1
