"""What a media file holds, as JSON: an ffprobe of our own, on PyAV.

    python gsmooth_core/media/describe.py FILE

runs in a process of its own, so that a decoder that crashes on a hostile file, or never ends,
costs a message and not the job. It imports nothing of GSmooth, so it starts in a tenth of a
second. What it prints are numbers and names out of the library's own lists; the file's text
(its name, titles, tags) is never part of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

MOST_PACKETS = 5000
"""How many packets may pass before the first picture that can be decoded."""
MEMORY = 6 << 30
"""Bytes that this process may take, where the system can hold it to that."""
SECONDS = 120
"""Seconds of work, all threads together, after which it ends even when its parent has died."""


def main(path: str, formats: str, most_pixels: str) -> int:
    """Print the description of `path`, or why there is none.

    Args:
        path: the file.
        formats: the demuxers that may open it, by ffmpeg's names.
        most_pixels: size of a picture that is decoded at all.
    """
    _limit()
    options = {"protocol_whitelist": "file", "format_whitelist": formats}
    try:
        with av.open(_source(path), options=options, metadata_errors="replace") as file:
            said = _describe(file, int(most_pixels))
    except (FFmpegError, MemoryError) as error:
        said = {"error": type(error).__name__}
    json.dump(said, sys.stdout)
    return 0


def _limit() -> None:
    """Have the system end this process where nobody is left to do so."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))


def _source(path: str) -> Any:
    """The file by its name, or opened where its name is none that ffmpeg's libraries take."""
    try:
        return f"file:{path.encode().decode()}"
    except UnicodeEncodeError:
        return Path(path).open("rb")


def _describe(file: Any, most_pixels: int) -> dict[str, Any]:
    pictures = [stream for stream in file.streams.video if not _cover(stream)]
    return {
        "format": file.format.name,
        "start": _seconds(file.start_time, Fraction(1, av.time_base)),
        "duration": _seconds(file.duration, Fraction(1, av.time_base)),
        "streams": [_stream(stream) for stream in file.streams],
        "picture": _first_picture(file, pictures[0], most_pixels) if pictures else None,
    }


def _cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _stream(stream: Any) -> dict[str, Any]:
    coder = stream.codec_context
    video = stream.type == "video"
    return {
        "kind": stream.type,
        "codec": coder.name if coder is not None else None,
        "cover": _cover(stream),
        "start": _seconds(stream.start_time, stream.time_base),
        "duration": _seconds(stream.duration, stream.time_base),
        "pictures": stream.frames if video else 0,
        "fps": _ratio(stream.guessed_rate) if video else None,
        **_sound(stream),
    }


def _sound(stream: Any) -> dict[str, int]:
    coder = stream.codec_context
    known = stream.type == "audio" and coder is not None
    return {
        "sample_rate": coder.sample_rate if known else 0,
        "channels": coder.channels if known else 0,
    }


def _first_picture(file: Any, stream: Any, most_pixels: int) -> dict[str, Any] | None:
    """How the first picture that can be decoded is stored; None when none can be."""
    coder = stream.codec_context
    if coder is None:
        return None
    if coder.width * coder.height > most_pixels:
        return {"width": coder.width, "height": coder.height, "too_large": True}
    coder.options = {"max_pixels": str(most_pixels)}
    # A decoder writes what it finds over what the container says, which may be nothing.
    stated = (coder.color_range, coder.colorspace, coder.color_primaries, coder.color_trc)
    frame = next(_frames(file, stream), None)
    if frame is None:
        return None
    return {
        "width": frame.width,
        "height": frame.height,
        "rotation": frame.rotation,
        "pixel_format": frame.format.name,
        "sample_aspect": _ratio(stream.sample_aspect_ratio),
        "interlaced": bool(frame.interlaced_frame),
        "range": int(frame.color_range) or int(stated[0]),
        "matrix": _tag(frame.colorspace, stated[1]),
        "primaries": _tag(frame.color_primaries, stated[2]),
        "transfer": _tag(frame.color_trc, stated[3]),
    }


def _frames(file: Any, stream: Any) -> Iterator[Any]:
    for number, packet in enumerate(file.demux(stream)):
        if number == MOST_PACKETS:
            return
        try:
            yield from packet.decode()
        except FFmpegError:  # a damaged packet: the next ones may do
            continue


def _tag(of_picture: int, of_stream: int) -> int:
    """A code point of ITU-T H.273: the picture's own, else its stream's, else 2 (unknown)."""
    return int(of_stream) if int(of_picture) == 2 else int(of_picture)


def _seconds(ticks: int | None, tick: Fraction | None) -> float | None:
    return None if ticks is None or tick is None else float(ticks * tick)


def _ratio(value: Fraction | None) -> list[int] | None:
    return None if not value else [value.numerator, value.denominator]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
