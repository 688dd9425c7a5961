"""Still images: read whole, turned upright by their EXIF tag, any depth brought to 8 bits."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from gsmooth_core.data import Image
from gsmooth_core.errors import MediaError

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
        MediaError: damaged.
    """
    data = np.fromfile(path, np.uint8)  # not cv2.imread: it cannot open every name on Windows
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    except cv2.error:
        image = None
    if image is None:
        raise MediaError(
            f"The image '{path.name}' is damaged.", "Open it in an image program and save it again."
        )
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)  # type: ignore[no-any-return]


def still_size(path: Path) -> tuple[int, int]:
    """(width, height) of an image after it is turned upright."""
    height, width = read_still(path).shape[:2]
    return width, height
