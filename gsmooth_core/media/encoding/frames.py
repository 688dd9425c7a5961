"""A segment as image files, with as many bits as they hold, and with what can be seen through."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.errors import MediaError
from gsmooth_core.media import ffmpeg
from gsmooth_core.media.pictures.light import light_of
from gsmooth_core.media.pictures.pixels import Pixels
from gsmooth_core.media.pictures.planes import Planes
from gsmooth_core.media.pictures.tone import Tone
from gsmooth_core.media.reading.description import Picture
from gsmooth_core.storage.files import PARTIAL, cannot_write, remove_folder
from gsmooth_core.types import Float, Image

_JPEG = (".jpg", ".jpeg")
_FINEST = (
    *(cv2.IMWRITE_JPEG_QUALITY, 97),
    *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
)


class ImageFolder:
    """A folder of one file a frame; it appears under its name only when it is whole.

    Args:
        path: the folder.
        picture: how the source's pictures are stored.
        suffix: of the files.
    """

    def __init__(self, path: Path, picture: Picture, suffix: str = ".png") -> None:
        self._path, self._picture, self._suffix = path, picture, suffix
        self._pixels = Pixels(picture)
        self._partial = path.with_name(path.name + PARTIAL)
        remove_folder(self._partial)
        self._partial.mkdir()
        self._count = 0
        self._pipe: ffmpeg.Pipe | None = None

    def write(self, frame: Image | Planes) -> None:
        """Add a frame.

        Raises:
            MediaError: it cannot be written.
        """
        if self._suffix == ".exr":
            self._write_light(frame)
        else:
            self._write_coded(frame)
        self._count += 1

    def close(self) -> None:
        """Put the folder in its place."""
        if self._pipe is not None:
            self._end(self._pipe)
        remove_folder(self._path)
        self._partial.rename(self._path)

    def abandon(self) -> None:
        """Leave no trace."""
        if self._pipe is not None:
            self._pipe.kill()
        remove_folder(self._partial)

    def _write_coded(self, frame: Image | Planes) -> None:
        if isinstance(frame, Planes):
            pixels = self._packed(frame)
        else:
            pixels = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        options = _FINEST if self._suffix in _JPEG else ()
        ok, data = cv2.imencode(self._suffix, pixels, options)
        if not ok:
            raise MediaError("A frame could not be stored as image.", "Choose a video output.")
        try:
            (self._partial / f"{self._count:05d}{self._suffix}").write_bytes(data.tobytes())
        except OSError as error:
            raise cannot_write(self._path, error) from error

    def _packed(self, frame: Planes) -> NDArray[Any]:
        """(H, W, 3 or 4) BGR and alpha, as OpenCV stores them."""
        deep = frame.layout.depth > 8 and self._suffix not in _JPEG
        kind, most = (np.uint16, 65535) if deep else (np.uint8, 255)
        rgb, alpha = self._values(frame)
        if Tone.of(self._picture).linear:
            rgb = Tone.of(self._picture).down(rgb)
        channels = [rgb[..., k].astype(np.float64) for k in (2, 1, 0)]
        if alpha is not None and self._suffix not in _JPEG:
            channels.append(alpha)
        packed = np.rint(np.stack(channels, -1) * most).clip(0, most)
        return np.asarray(packed, kind)

    def _values(self, frame: Planes) -> tuple[Float, NDArray[np.float64] | None]:
        """(H, W, 3) RGB and (H, W) alpha, 0..1."""
        layout, (height, width) = frame.layout, frame.planes[0].shape
        rgb = self._pixels.rgb(frame, (0, 0, width, height))
        if not layout.alpha:
            return rgb, None
        full = 1.0 if layout.depth == 32 else float((1 << layout.depth) - 1)
        return rgb, frame.planes[-1] / np.float64(full)

    # -- light as it is ----------------------------------------------------------------------

    def _write_light(self, frame: Image | Planes) -> None:
        planes = self._light(frame)
        height, width = planes[0].shape
        if self._pipe is None:
            self._pipe = self._exr(width, height, alpha=len(planes) == 4)
        try:
            for plane in planes:
                self._pipe.write(np.ascontiguousarray(plane, "<f4").data.cast("B"))
        except BrokenPipeError as error:
            raise self._failed(self._pipe) from error

    def _light(self, frame: Image | Planes) -> list[NDArray[Any]]:
        """Planes of green, blue, red and maybe alpha."""
        if isinstance(frame, Planes):
            if frame.layout.depth == 32:
                return list(frame.planes)
            rgb, alpha = self._values(frame)
        else:
            rgb, alpha = frame.astype(np.float32) / np.float32(255), None
        light = light_of(rgb, self._picture)
        return [light[..., 1], light[..., 2], light[..., 0], *([] if alpha is None else [alpha])]

    def _exr(self, width: int, height: int, *, alpha: bool) -> ffmpeg.Pipe:
        half = "half" if "f16" in self._picture.pixel_format else "float"
        command = ffmpeg.command(
            *("-f", "rawvideo", "-pix_fmt", "gbrapf32le" if alpha else "gbrpf32le"),
            *("-video_size", f"{width}x{height}", "-framerate", "25", "-i", "pipe:0"),
            # What is not named linear would be taken for something else, and changed.
            *("-vf", f"setparams=color_trc=linear{_premultiplied()}"),
            *("-c:v", "exr", "-format", half, "-compression", "zip16", "-start_number", "0"),
            *("-f", "image2", f"file:{_escaped(self._partial)}/%05d.exr"),
        )
        return ffmpeg.Pipe(command, write=True)

    def _end(self, pipe: ffmpeg.Pipe) -> None:
        try:
            status = pipe.finish()
        except BrokenPipeError as error:
            raise self._failed(pipe) from error
        if status or len(list(self._partial.iterdir())) != self._count:
            raise self._failed(pipe)
        pipe.kill()

    def _failed(self, pipe: ffmpeg.Pipe) -> MediaError:
        said = ffmpeg.last_line(pipe.errors)
        self.abandon()
        return MediaError(f"'{self._path.name}' could not be written: {said}.", "Check the disk.")


@cache
def _premultiplied() -> str:
    """What tells newer versions that OpenEXR holds colours as much as can be seen of them."""
    _, said, _ = ffmpeg.run(ffmpeg.command("-h", "filter=setparams"))
    return ":alpha_mode=premultiplied" if "alpha_mode" in said else ""


def _escaped(folder: Path) -> str:
    return str(folder.absolute()).replace("%", "%%")
