"""Pictures of a source as RGB arrays, streamed one by one, each exactly the frame asked for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from gsmooth_core.errors import MediaError
from gsmooth_core.media import colour, ffmpeg
from gsmooth_core.media.description import LIMIT, check_readable
from gsmooth_core.media.probe import Source, probe_source
from gsmooth_core.media.still import is_still, read_still
from gsmooth_core.media.timing import Timing
from gsmooth_core.types import Clip, Image

# Only these containers have an index that brings a seek to or before the asked time.
_SEEKABLE = ("mov,mp4", "matroska")
_SEEK_MARGIN = 2.0  # seconds; lands before the wanted picture, the time stamp does the rest


def read_frames(clip: Clip, start: int = 0, count: int | None = None) -> Iterator[Image]:
    """Decode frames `start` .. `start + count - 1` of a clip.

    Args:
        clip: from `probe`.
        start: first frame, 0-based.
        count: how many; None means to the end. A still image is repeated `count` times.

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
    if clip.still:
        yield from _repeat(_still_picture(source), count)
    elif count and source.timing is not None:
        yield from _scheduled(source, source.timing, start, count)
    see_unchanged(clip)


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
    return next(_pictures(source, 0, 1))


def _repeat(image: Image, count: int) -> Iterator[Image]:
    for _ in range(count):
        yield image.copy()


def _scheduled(source: Source, timing: Timing, start: int, count: int) -> Iterator[Image]:
    """Frames by the clip's constant rate: a picture may be repeated or skipped."""
    wanted = timing.source_index[start : start + count]
    first, last = int(wanted[0]), int(wanted[-1])
    # Deinterlacing looks at the picture before: start one early for the same result anywhere.
    position = first - 1 if source.picture.interlaced and first > 0 else first
    pictures = _pictures(source, position, last - position + 1)
    picture = next(pictures)
    for index in wanted:
        while position < index:
            picture, position = next(pictures), position + 1
        yield picture.copy()


def _pictures(source: Source, first: int, count: int) -> Iterator[Image]:
    """`count` decoded pictures from the `first` on, whatever their time stamps."""
    height, width = source.picture.height, source.picture.width
    with ffmpeg.Pipe(_decode_command(source, first, count), write=False) as pipe:
        for k in range(count):
            data = pipe.read(width * height * 3)
            if len(data) < width * height * 3:
                raise _broken_off(source, first + k, pipe)
            yield np.frombuffer(data, np.uint8).reshape(height, width, 3)  # (H, W, 3)


def _decode_command(source: Source, first: int, count: int) -> list[str]:
    seek, select = _locate(source, first)
    filters = [*select, *colour.to_rgb(source.picture)]
    return ffmpeg.command(
        *("-copyts", *ffmpeg.input_arguments(source.clip.path, *seek, *LIMIT), "-map", "0:V:0"),
        *("-vf", ",".join(filters), "-fps_mode", "passthrough", "-frames:v", str(count)),
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "-"),
    )


def _locate(source: Source, first: int) -> tuple[list[str], list[str]]:
    """Input options and filters that make picture `first` the first one out."""
    timing = source.timing
    if timing is None or first == 0:
        return [], []
    if not source.container.startswith(_SEEKABLE):
        return [], [rf"select=gte(n\,{first})"]
    stamp = int(timing.pts[first])
    target = float(stamp * timing.time_base) - _SEEK_MARGIN
    seek = ["-seek_timestamp", "1", "-noaccurate_seek", "-ss", f"{target:.6f}"]
    return seek if target > float(timing.start) else [], [rf"select=gte(pts\,{stamp})"]


def _broken_off(source: Source, frame: int, pipe: ffmpeg.Pipe) -> MediaError:
    name = source.clip.path.name
    if pipe.stalled:
        return MediaError(f"Reading '{name}' hung at frame {frame}.", "Check the disk.")
    return MediaError(
        f"'{name}' breaks off at frame {frame} of {source.clip.frame_count}: it is damaged "
        "or was changed while it was being read.",
        "Export or copy it again, or dub only the part before that frame.",
    )
