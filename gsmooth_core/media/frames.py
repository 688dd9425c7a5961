"""A segment as lossless PNG files, 8 or 16 bits a sample, with what can be seen through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.errors import MediaError
from gsmooth_core.media.description import Picture
from gsmooth_core.media.pixels import Pixels
from gsmooth_core.media.planes import Planes
from gsmooth_core.storage.files import PARTIAL, cannot_write, remove_folder
from gsmooth_core.types import Image


class ImageFolder:
    """A folder of one PNG file a frame; it appears under its name only when it is whole.

    Args:
        path: the folder.
        picture: how the source's pictures are stored.
    """

    def __init__(self, path: Path, picture: Picture) -> None:
        self._path, self._pixels = path, Pixels(picture)
        self._partial = path.with_name(path.name + PARTIAL)
        remove_folder(self._partial)
        self._partial.mkdir()
        self._count = 0

    def write(self, frame: Image | Planes) -> None:
        """Add a frame.

        Raises:
            MediaError: it cannot be written.
        """
        if isinstance(frame, Planes):
            pixels = self._packed(frame)
        else:
            pixels = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        ok, data = cv2.imencode(".png", pixels)
        if not ok:
            raise MediaError("A frame could not be stored as PNG.", "Choose a video output.")
        try:
            (self._partial / f"{self._count:05d}.png").write_bytes(data.tobytes())
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self._count += 1

    def close(self) -> None:
        """Put the folder in its place."""
        remove_folder(self._path)
        self._partial.rename(self._path)

    def abandon(self) -> None:
        """Leave no trace."""
        remove_folder(self._partial)

    def _packed(self, frame: Planes) -> NDArray[Any]:
        """(H, W, 3 or 4) BGR and alpha, as OpenCV stores them."""
        layout, (height, width) = frame.layout, frame.planes[0].shape
        kind, most = (np.uint8, 255) if layout.depth == 8 else (np.uint16, 65535)
        rgb = self._pixels.rgb(frame, (0, 0, width, height)).astype(np.float64)
        channels = [rgb[..., k] for k in (2, 1, 0)]
        if layout.alpha:
            full = 1.0 if layout.depth == 32 else float((1 << layout.depth) - 1)
            channels.append(frame.planes[-1] / full)
        packed = np.rint(np.stack(channels, -1) * most).clip(0, most)
        return np.asarray(packed, kind)
