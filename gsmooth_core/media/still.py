"""Still images: read whole, turned upright by their EXIF tag, any depth brought to 8 bits."""

from __future__ import annotations

import warnings
from pathlib import Path

import cv2
import numpy as np
import PIL.Image

from gsmooth_core.data import Image
from gsmooth_core.errors import MediaError
from gsmooth_core.media.description import MOST_PIXELS, too_large

_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM", b"II*\x00", b"MM\x00*")


def is_still(path: Path) -> bool:
    """Whether the file's first bytes are those of a png, jpeg, bmp, tiff or webp image."""
    with path.open("rb") as file:
        head = file.read(12)
    return head.startswith(_MAGIC) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def read_still(path: Path) -> Image:
    """Decode an image file; transparency is left out.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        MediaError: damaged, or far too large.
    """
    _check_size(path)
    data = np.fromfile(path, np.uint8)  # not cv2.imread: it cannot open every name on Windows
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    if image is None:
        raise _damaged(path)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # type: ignore[no-any-return]


def _check_size(path: Path) -> None:
    """Refuse by its header an image that would fill the memory."""
    try:
        with warnings.catch_warnings(action="ignore"), PIL.Image.open(path) as image:
            width, height = image.size
    except PIL.Image.DecompressionBombError as error:
        raise MediaError(
            f"The image '{path.name}' is far too large.",
            f"Make it smaller: {MOST_PIXELS // 10**6} million pixels are the limit.",
        ) from error
    except (PIL.UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise _damaged(path) from error
    if width * height > MOST_PIXELS:
        raise too_large(path, width, height)


def _damaged(path: Path) -> MediaError:
    return MediaError(
        f"The image '{path.name}' is damaged.", "Open it in an image program and save it again."
    )


def still_size(path: Path) -> tuple[int, int]:
    """(width, height) of an image after it is turned upright."""
    height, width = read_still(path).shape[:2]
    return width, height
