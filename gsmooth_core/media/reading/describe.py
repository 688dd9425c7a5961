"""What a media file holds, as JSON: an ffprobe of our own, on PyAV.

    python gsmooth_core/media/reading/describe.py FILE

runs in a process of its own, so that a decoder that crashes on a hostile file, or never ends,
costs a message and not the job. It imports nothing of GSmooth, so it starts in a tenth of a
second. What it prints are numbers and names out of the library's own lists; of the file's text
(its name, titles, tags) only what has the form of a language's letters or of a time code.
"""

from __future__ import annotations

import json
import re
import struct
import sys
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError
from av.sidedata.sidedata import Type

MOST_PACKETS = 5000
"""How many packets may pass before the first picture that can be decoded."""
MEMORY = 6 << 30
"""Bytes that this process may take, where the system can hold it to that."""
SECONDS = 120
"""Seconds of work, all threads together, after which it ends even when its parent has died."""
MAY_CHANGE = ("mpegts", "mpeg", "mpegvideo", "h264", "hevc")
"""Containers whose pictures may change their size: broadcasts join programmes of several."""
PATIENCE = 15.0
"""Seconds that are spent on looking for pictures of another size."""
_LANGUAGE = re.compile("[a-zA-Z]{2,3}")
_TIMECODE = re.compile(r"\d\d:\d\d:\d\d[:;.]\d\d")
_NAME = re.compile(r"[A-Za-z0-9 .,:()+/_-]{1,40}")
_APPLE = "com.apple.quicktime."
# What takes tags that are no text; PyAV 19 and later do so unasked.
_LENIENT: dict[str, Any] = (
    {"metadata_errors": "replace"} if hasattr(av.container.Container, "metadata_errors") else {}
)


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
        with av.open(_source(path), options=options, **_LENIENT) as file:
            said = _describe(file, int(most_pixels))
        if said["picture"] is not None and said["format"] in MAY_CHANGE:
            with av.open(_source(path), options=options, **_LENIENT) as file:
                said["resized"] = _resized(file, file.streams.video[0])
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
        "chapters": len(file.chapters()),
        "timecode": _timecode(file),
        "apple_tags": any(key.startswith(_APPLE) for key in file.metadata),
        "picture": _first_picture(file, pictures[0], most_pixels) if pictures else None,
        "resized": None,
    }


def _resized(file: Any, stream: Any) -> int | None:
    """How many pictures come before the first key picture of another size, as far as is looked."""
    until, size = time.monotonic() + PATIENCE, None
    places: dict[int | None, int] = {}  # clocks may begin anew, so pictures are counted
    stream.codec_context.skip_frame = "NONKEY"
    for number, packet in enumerate(file.demux(stream)):
        if time.monotonic() > until:
            return None
        if packet.is_keyframe:
            places[packet.pts] = number
        for frame in _decoded(packet):
            if size is not None and (frame.width, frame.height) != size:
                return places.get(frame.pts)
            size = (frame.width, frame.height)
    return None


def _decoded(packet: Any) -> list[Any]:
    try:
        return list(packet.decode())
    except FFmpegError:  # a damaged packet: the next ones may do
        return []


def _cover(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _stream(stream: Any) -> dict[str, Any]:
    coder = stream.codec_context
    video = stream.type == "video"
    return {
        "kind": stream.type,
        "codec": coder.name if coder is not None else None,
        "coding": _name(coder.codec.canonical_name) if coder is not None else None,
        "profile": _name(coder.profile) if coder is not None else None,
        "bit_rate": (coder.bit_rate or 0) if coder is not None else 0,
        "language": _matching(_LANGUAGE, stream.metadata.get("language")),
        "default": bool(stream.disposition & av.stream.Disposition.default),
        "cover": _cover(stream),
        "start": _seconds(stream.start_time, stream.time_base),
        "duration": _seconds(stream.duration, stream.time_base),
        "pictures": stream.frames if video else 0,
        "fps": _ratio(stream.guessed_rate) if video else None,
        "reordered": video and coder is not None and bool(coder.has_b_frames),
        **_sound(stream),
    }


def _sound(stream: Any) -> dict[str, Any]:
    coder = stream.codec_context
    known = stream.type == "audio" and coder is not None
    return {
        "sample_rate": coder.sample_rate if known else 0,
        "channels": coder.channels if known else 0,
        "layout": _name(coder.layout.name) if known else None,
    }


def _name(word: Any) -> str | None:
    """A word of the library's lists, None for any that has another form."""
    return _matching(_NAME, word)


def _matching(pattern: re.Pattern[str], word: Any) -> str | None:
    return word if isinstance(word, str) and pattern.fullmatch(word) else None


def _timecode(file: Any) -> str | None:
    """The time code of the first picture, as the first place that states one has it."""
    tags = (*(s.metadata for s in file.streams), file.metadata)
    said = [word for tag in tags for key, word in tag.items() if key.lower() == "timecode"]
    return next((code for word in said if (code := _matching(_TIMECODE, word))), None)


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
        "depth": max(component.bits for component in frame.format.components),
        "alpha": any(component.is_alpha for component in frame.format.components),
        # The library's own decoder of VP8 and VP9 leaves out what can be seen through.
        "alpha_beside": _alpha_mode(stream) == "1",
        "beside": sorted(_beside(frame)),
        **_light(frame),
        "sample_aspect": _ratio(stream.sample_aspect_ratio),
        "interlaced": bool(frame.interlaced_frame),
        "range": int(frame.color_range) or int(stated[0]),
        "matrix": _tag(frame.colorspace, stated[1]),
        "primaries": _tag(frame.color_primaries, stated[2]),
        "transfer": _tag(frame.color_trc, stated[3]),
        "own": [int(n) for n in (frame.colorspace, frame.color_primaries, frame.color_trc)],
    }


def _alpha_mode(stream: Any) -> str | None:
    said = (word for key, word in stream.metadata.items() if key.lower() == "alpha_mode")
    return next(said, None)


def _beside(frame: Any) -> dict[str, bytes]:
    """What comes with a picture, by the library's names.

    Nothing where a kind of it has no name, as what cameras write into TIFF files, before PyAV 19.
    It is asked for by name: going through all gives names since then, and gave values before.
    """
    try:
        beside = frame.side_data
    except ValueError:
        return {}
    return {kind.name: bytes(beside[kind.name]) for kind in Type if kind.name in beside}


def _light(frame: Any) -> dict[str, Any]:
    """HDR10's numbers: what the picture was mastered on, and how bright it becomes."""
    said = _beside(frame)
    display, level = said.get("MASTERING_DISPLAY_METADATA"), said.get("CONTENT_LIGHT_LEVEL")
    return {
        "mastering": _mastering(display) if display else None,
        "light_level": list(struct.unpack_from("=2I", level)) if level else None,
    }


def _mastering(data: bytes) -> list[float] | None:
    """Ten numbers: x and y of red, green, blue, white, then least and most light in cd/m2."""
    *terms, has_primaries, has_luminance = struct.unpack_from("=22i", data)
    pairs = list(zip(terms[::2], terms[1::2], strict=True))
    if not (has_primaries and has_luminance and all(bottom for _, bottom in pairs)):
        return None
    return [top / bottom for top, bottom in pairs]


def _frames(file: Any, stream: Any) -> Iterator[Any]:
    for number, packet in enumerate(file.demux(stream)):
        if number == MOST_PACKETS:
            return
        yield from _decoded(packet)


def _tag(of_picture: int, of_stream: int) -> int:
    """A code point of ITU-T H.273: the picture's own, else its stream's, else 2 (unknown)."""
    return int(of_stream) if int(of_picture) == 2 else int(of_picture)


def _seconds(ticks: int | None, tick: Fraction | None) -> float | None:
    return None if ticks is None or tick is None else float(ticks * tick)


def _ratio(value: Fraction | None) -> list[int] | None:
    return None if not value else [value.numerator, value.denominator]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
