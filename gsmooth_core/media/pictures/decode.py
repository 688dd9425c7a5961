"""Pictures of a source as RGB arrays, streamed one by one, each exactly the frame asked for."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, Self, TypeVar

import cv2
import numpy as np

from gsmooth_core.errors import MediaError
from gsmooth_core.media import ffmpeg
from gsmooth_core.media.pictures import colour
from gsmooth_core.media.pictures.images import packed_number
from gsmooth_core.media.pictures.planes import Planes, layout_of
from gsmooth_core.media.pictures.tone import Tone
from gsmooth_core.media.reading.description import LIMIT, Picture, check_readable
from gsmooth_core.media.reading.probe import Source, probe_source
from gsmooth_core.media.reading.still import is_still, read_still
from gsmooth_core.media.reading.timing import Ticks, Timing
from gsmooth_core.types import Box, Clip, Image

# Only these containers have an index that brings a seek to or before the asked time.
_SEEKABLE = ("mov,mp4", "matroska")
_SEEK_MARGIN = 2.0  # seconds; lands before the wanted picture, the time stamp does the rest


class _Copied(Protocol):
    def copy(self) -> Self: ...


_QUARTERED = ("yuv410", "yuv411", "yuvj411", "uyyvyy411", "yvu9")

P = TypeVar("P", bound=_Copied)


@dataclass(frozen=True)
class _Form(Generic[P]):
    """The form in which ffmpeg is to give pictures.

    Attributes:
        filters: from those of the source.
        pixel_format: ffmpeg's name of it.
        size: bytes of one.
        made: makes one of its bytes.
    """

    filters: list[str]
    pixel_format: str
    size: int
    made: Callable[[bytearray], P]


def _rgb(picture: Picture, box: Box | None = None) -> _Form[Image]:
    x0, y0, x1, y1 = box or (0, 0, picture.width, picture.height)
    shape, tone = (y1 - y0, x1 - x0, 3), Tone.of(picture)
    count = shape[0] * shape[1] * 3
    if tone.plain and colour.is_rgb(picture):
        filters = colour.to_rgb(picture, part=box)
        return _Form(filters, "rgb24", count, lambda d: np.frombuffer(d, np.uint8).reshape(shape))
    if tone.plain:
        # The same bits as rgb24, which the scaler takes twice as long for.
        filters = colour.to_rgb(picture, "gbrp", box)
        return _Form(filters, "gbrp", count, partial(_interleaved, shape))
    table, filters = tone.table, colour.to_rgb(picture, "rgb48le", box)

    def toned(data: bytearray) -> Image:
        return np.asarray(table[np.frombuffer(data, "<u2")].reshape(shape))

    return _Form(filters, "rgb48le", 2 * count, toned)


def _interleaved(shape: tuple[int, ...], data: bytearray) -> Image:
    """(H, W, 3) RGB of planes of green, blue and red."""
    green, blue, red = np.frombuffer(data, np.uint8).reshape(3, *shape[:2])
    return np.asarray(cv2.merge([red, green, blue]))


def _stored(picture: Picture) -> _Form[Planes]:
    layout, height, width = layout_of(picture), picture.height, picture.width
    if layout is None:
        raise ValueError(f"pictures of the kind '{picture.pixel_format}' travel as RGB")

    def made(data: bytearray) -> Planes:
        return Planes.read(layout, data, height, width)

    # Under its older name full range is not taken for something to be converted.
    name = picture.pixel_format if picture.pixel_format.startswith("yuvj") else layout.name
    filters = [*colour.progressive(picture), f"format={name}"]
    return _Form(filters, name, layout.size(height, width), made)


def read_planes(clip: Clip, start: int = 0, count: int | None = None) -> Iterator[Planes]:
    """As `read_frames`, with the pictures as they are stored; not for stills.

    Only for clips that have such (`planes.layout_of`).

    Raises:
        MediaError: the range lies outside the clip, or the file is damaged or was replaced.
    """
    count = clip.frame_count - start if count is None else count
    source = probe_source(clip.path)
    see_unchanged(clip)
    see_one_size(source, start, count)
    if count and source.timing is not None:
        wanted = _wanted(clip, source.timing, start, count)
        yield from _scheduled(source, wanted, _stored(source.picture))
    see_unchanged(clip)


def read_frames(
    clip: Clip, start: int = 0, count: int | None = None, box: Box | None = None
) -> Iterator[Image]:
    """Decode frames `start` .. `start + count - 1` of a clip.

    Args:
        clip: from `probe`.
        start: first frame, 0-based.
        count: how many; None means to the end. A still image is repeated `count` times.
        box: left, top, and the first column and row behind what is wanted of each frame, all even,
            which costs less; the rest is black. None for all. Still images, those of an odd
            size, whose colour has no pixels of its own at the end, and those with one pixel of
            colour to four are always whole.

    Yields:
        (H, W, 3) uint8 RGB, upright, progressive, in the source's pixel size.

    Raises:
        MediaError: the range lies outside the clip, or the file is damaged or was replaced.
    """
    count = clip.frame_count - start if count is None else count
    if start < 0 or count < 0 or (start + count > clip.frame_count and not clip.still):
        raise MediaError(
            f"Frames {start} to {start + count - 1} were asked of '{clip.path.name}', "
            f"which has {clip.frame_count}.",
            "Check the start frame and frame count.",
        )
    source = probe_source(clip.path)
    see_unchanged(clip)
    see_one_size(source, start, count)
    if clip.width % 2 or clip.height % 2 or source.picture.pixel_format.startswith(_QUARTERED):
        box = None
    if clip.still:
        yield from _repeat(_still_picture(source), count)
    elif count and source.timing is not None:
        wanted = _wanted(clip, source.timing, start, count)
        parts = _scheduled(source, wanted, _rgb(source.picture, box))
        yield from parts if box is None else (_placed(part, box, clip) for part in parts)
    see_unchanged(clip)


def _placed(part: Image, box: Box, clip: Clip) -> Image:
    """(H, W, 3) a part of a frame in its place."""
    x0, y0, x1, y1 = box
    frame: Image = np.zeros((clip.height, clip.width, 3), np.uint8)
    frame[y0:y1, x0:x1] = part
    return frame


def see_one_size(source: Source, start: int, count: int) -> None:
    """See that all of some frames have one size: others would be stretched to it.

    Raises:
        MediaError: they have not; it names the place.
    """
    at = source.resized
    if at is None or start + count <= at:
        return
    name, seconds = source.clip.path.name, float(at / source.clip.fps)
    raise MediaError(
        f"The pictures of '{name}' change their size at frame {at} ({seconds:.2f} s).",
        f"Dub the part before it (--frame-count {at}), or convert the video to one size first.",
    )


def see_unchanged(clip: Clip) -> None:
    """See that a clip's file is still the one that was probed.

    Raises:
        MediaError: it was replaced, changed or removed.
    """
    if clip.stamp is not None and check_readable(clip.path) != clip.stamp:
        raise MediaError(
            f"'{clip.path.name}' was replaced while it was being read.", "Start the job again."
        )


def in_words(clip: Clip) -> str | None:
    """What a person should know about a clip before it is used; None where there is nothing."""
    if not clip.missing_frames:
        return None
    return (
        f"'{clip.path.name}' is damaged or was cut off: {clip.frame_count} of "
        f"{clip.frame_count + clip.missing_frames} frames can be read, and only those are used."
    )


def _still_picture(source: Source) -> Image:
    if is_still(source.clip.path):
        return read_still(source.clip.path)
    with _opened(source, 0, 1, _rgb(source.picture)) as pictures:
        return next(pictures)


def _repeat(image: Image, count: int) -> Iterator[Image]:
    for _ in range(count):
        yield image.copy()


def _wanted(clip: Clip, timing: Timing, start: int, count: int) -> Ticks:
    """(count,) picture of each frame: each one, or by a constant rate repeated or skipped."""
    pictures = np.arange(len(timing.pts)) if clip.paced else timing.source_index
    return pictures[start : start + count]


def _scheduled(source: Source, wanted: Ticks, form: _Form[P]) -> Iterator[P]:
    """Pictures by their ascending numbers, of which some may come twice or not at all."""
    first, last = int(wanted[0]), int(wanted[-1])
    # Deinterlacing looks at the picture before: start one early for the same result anywhere.
    position = first - 1 if source.picture.interlaced and first > 0 else first
    opened = _opened(source, position, last - position + 1, form)
    with closing(_ahead(opened)) as pictures:
        picture = next(pictures)
        for index, following in zip(wanted, [*wanted[1:], -1], strict=True):
            while position < index:
                picture, position = next(pictures), position + 1
            yield picture.copy() if following == index else picture


def _ahead(opened: AbstractContextManager[Iterator[P]]) -> Generator[P]:
    """The pictures of what is opened; the next one is read while the caller is at work on one."""
    # What hangs is closed first, and its reader waited for then: not the other way round.
    with ThreadPoolExecutor(1, "read") as thread, opened as pictures:
        coming = thread.submit(next, pictures, None)
        while (picture := coming.result()) is not None:
            coming = thread.submit(next, pictures, None)
            yield picture


@contextmanager
def _opened(source: Source, first: int, count: int, form: _Form[P]) -> Iterator[Iterator[P]]:
    """`count` decoded pictures from the `first` on, whatever their time stamps."""
    with ffmpeg.Pipe(_decode_command(source, first, count, form), write=False) as pipe:
        yield (_read(pipe, source, first + k, form) for k in range(count))


def _read(pipe: ffmpeg.Pipe, source: Source, number: int, form: _Form[P]) -> P:
    data = pipe.read(form.size)
    if len(data) < form.size:
        raise _broken_off(source, number, pipe)
    return form.made(data)


def _decode_command(source: Source, first: int, count: int, form: _Form[P]) -> list[str]:
    opened, select = located(source, first)
    # An image that cannot be decoded would be left out, and the next one stand in its place.
    strict = ["-xerror"] if packed_number(source.clip.path) is not None else []
    opened = ffmpeg.input_arguments(source.clip.path, *strict, *opened, *LIMIT)
    return ffmpeg.command(
        *("-copyts", *opened, "-map", "0:V:0"),
        *("-vf", ",".join([*select, *form.filters]), "-fps_mode", "passthrough"),
        *("-frames:v", str(count), "-f", "rawvideo", "-pix_fmt", form.pixel_format, "-"),
    )


def located(source: Source, first: int) -> tuple[list[str], list[str]]:
    """Options that open a source, and filters, so that picture `first` is the first one out."""
    timing, decoder = source.timing, ["-c:v", source.decoder] if source.decoder else []
    if timing is None or first == 0:
        return decoder, []
    if not source.container.startswith(_SEEKABLE):
        return decoder, [rf"select=gte(n\,{first})"]
    stamp = int(timing.pts[first])
    target = float(stamp * timing.time_base) - _SEEK_MARGIN
    seek = ["-seek_timestamp", "1", "-noaccurate_seek", "-ss", f"{target:.6f}"]
    seek = seek if target > float(timing.start) else []
    return [*seek, *decoder], [rf"select=gte(pts\,{stamp})"]


def travelling(picture: Picture, *, stored: bool) -> tuple[list[str], str]:
    """Filters that give a source's pictures as they travel, and their pixel format.

    Args:
        picture: how they are stored.
        stored: whether they travel as they are stored, not as 8-bit RGB.
    """
    if stored:
        form = _stored(picture)
        return form.filters, form.pixel_format
    return colour.to_rgb(picture), "rgb24"


def _broken_off(source: Source, frame: int, pipe: ffmpeg.Pipe) -> MediaError:
    name = source.clip.path.name
    if pipe.stalled:
        return MediaError(f"Reading '{name}' hung at frame {frame}.", "Check the disk.")
    first = packed_number(source.clip.path)
    if first is not None:
        text = f"The image of number {first + frame}, or one close to it, is damaged or was cut off"
        return MediaError(f"{text}.", "Render it again, or copy it again.")
    return MediaError(
        f"'{name}' breaks off at frame {frame} of {source.clip.frame_count}: it is damaged "
        "or was changed while it was being read.",
        "Export or copy it again, or dub only the part before that frame.",
    )
