"""Still images: read whole, turned upright by their EXIF tag, any depth brought to 8 bits."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from gsmooth_core.errors import MediaError
from gsmooth_core.media.reading.description import MOST_PIXELS, too_large
from gsmooth_core.types import Image

_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\x00", b"MM\x00*")
_BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis")
_MOST_BYTES = 8 * MOST_PIXELS + (1 << 20)  # four channels of 16 bits, and what is said about them
_MOST_SCANS = 300  # of a JPEG; usual are a dozen
_PNG_HEAD = 33  # bytes up to the end of its header
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a PNG, by its kind of colour
_PART = 1 << 16
_OPAQUE = 255


def is_still(path: Path) -> bool:
    """Whether the file's first bytes are those of a png, jpeg, bmp, tiff or webp image."""
    with path.open("rb") as file:
        head = file.read(12)
    return head.startswith(_MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def is_picture_format(path: Path) -> bool:
    """Whether the file is of a kind made for pictures that may also move: gif, avif or heic."""
    with path.open("rb") as file:
        head = file.read(12)
    return head.startswith((b"GIF87a", b"GIF89a")) or (
        head[4:8] == b"ftyp" and head[8:12] in _BRANDS
    )


def read_still(path: Path) -> Image:
    """Decode an image file; transparency is left out.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        MediaError: damaged, or far too large.
    """
    if path.stat().st_size > _MOST_BYTES:
        raise _far_too_large(path)
    data = np.fromfile(path, np.uint8)  # not cv2.imread: it cannot open every name on Windows
    _check_size(path, data.data)
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    if image is None:
        raise _damaged(path)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # type: ignore[no-any-return]


def is_transparent(path: Path) -> bool:
    """Whether something can be seen through an image that `read_still` reads."""
    try:
        with warnings.catch_warnings(action="ignore"), PIL.Image.open(path) as image:
            if not image.has_transparency_data:
                return False
            return int(np.asarray(image.convert("RGBA"))[..., 3].min()) < _OPAQUE
    except (PIL.Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        return False  # the decoder has its own words for it


def _check_size(path: Path, data: memoryview) -> None:
    """Refuse what would fill the memory, or be unpacked for hours."""
    png = bytes(data[:8]) == _MAGIC[0]
    width, height = _size_of_png(path, data) if png else _stated_size(path)
    if width * height > MOST_PIXELS:
        raise too_large(path, width, height)
    scans = data.tobytes().count(b"\xff\xda") if bytes(data[:3]) == _MAGIC[1] else 0
    # Each scan goes over all pixels again.
    if scans > _MOST_SCANS or (png and not _packed_well(data)):
        raise _damaged(path)


def _stated_size(path: Path) -> tuple[int, int]:
    try:
        with warnings.catch_warnings(action="ignore"), PIL.Image.open(path) as image:
            return image.size
    except PIL.Image.DecompressionBombError as error:
        raise _far_too_large(path) from error
    except (PIL.UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise _damaged(path) from error


def _size_of_png(path: Path, data: memoryview) -> tuple[int, int]:
    """As its header states it; PIL would also read, and refuse, long texts and profiles."""
    if len(data) < _PNG_HEAD or bytes(data[12:16]) != b"IHDR":
        raise _damaged(path)
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _packed_well(data: memoryview) -> bool:
    """Whether the pixels of a PNG are no more, unpacked, than its size says."""
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    row = width * min(depth, 16) * _CHANNELS.get(kind, 4) // 8 + 1
    # Interlaced, it has twice as many rows, each with a byte of its own and a part of another.
    most = height * (row + 4) + (1 << 20)
    unpacker = zlib.decompressobj()
    size = 0
    try:
        for packed in _packed(data):
            while packed and size <= most:
                size += len(unpacker.decompress(packed, 1 << 20))
                packed = unpacker.unconsumed_tail
    except zlib.error:  # the decoder says how much of it is there
        return True
    return bool(size <= most)


def _packed(data: memoryview) -> Iterator[bytes]:
    """The packed pixels of a PNG, in small parts."""
    at = 8
    while at + 8 <= len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind == b"IDAT":
            end = min(at + 8 + size, len(data))
            yield from (bytes(data[k : min(k + _PART, end)]) for k in range(at + 8, end, _PART))
        at += 12 + size


def _far_too_large(path: Path) -> MediaError:
    return MediaError(
        f"The image '{path.name}' is far too large.",
        f"Make it smaller: {MOST_PIXELS // 10**6} million pixels are the limit.",
    )


def _damaged(path: Path) -> MediaError:
    return MediaError(
        f"The image '{path.name}' is damaged.", "Open it in an image program and save it again."
    )


def still_size(path: Path) -> tuple[int, int]:
    """(width, height) of an image after it is turned upright."""
    height, width = read_still(path).shape[:2]
    return width, height
