"""What a media file holds: streams and the look of its first picture, as numbers and known names.

The description is made by `describe.py` in a process of its own. Nothing that stands in a file,
its name included, comes back as text: every word in here is one of ours or out of the lists of
ffmpeg's libraries, so that it may go into a filter.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from gsmooth_core.errors import MediaError
from gsmooth_core.media import ffmpeg
from gsmooth_core.storage.files import check_file

log = logging.getLogger(__name__)

MOST_PIXELS = 1 << 27
"""Pixels of the largest picture that is read: 134 million, four times 8K."""
LIMIT = ("-max_pixels", str(MOST_PIXELS))
"""The same as an option of ffmpeg's, for a stream whose pictures grow."""
PROBE_SECONDS = 60.0

# Code points of ITU-T H.273, by the names that ffmpeg's filters take.
MATRICES = {
    0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "ycgco",
    9: "bt2020nc", 10: "bt2020c", 11: "smpte2085", 12: "chroma-derived-nc",
    13: "chroma-derived-c", 14: "ictcp",
}  # fmt: skip
PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film",
    9: "bt2020", 10: "smpte428", 11: "smpte431", 12: "smpte432", 22: "jedec-p22",
}  # fmt: skip
TRANSFERS = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "linear",
    9: "log100", 10: "log316", 11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1",
    14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084", 17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip
_MOST_LIGHT = 100_000.0  # cd/m2; PQ ends at 10,000
HDR_TRANSFERS = ("smpte2084", "arib-std-b67")
_FULL_RANGE = 2


@dataclass(frozen=True)
class Picture:
    """How the pictures of a stream are stored.

    Attributes:
        width: displayed width in pixels, after rotation.
        height: displayed height in pixels, after rotation.
        pixel_format: ffmpeg's name, for example "yuv420p10le".
        sample_aspect: width of a pixel over its height.
        matrix: colour matrix tag ("bt709", ..., "unknown").
        primaries: colour primaries tag.
        transfer: transfer curve tag.
        full_range: whether luma spans 0..255 instead of 16..235.
        interlaced: whether frames hold two fields.
        depth: bits of a sample.
        alpha: whether it can be seen through in places.
        alpha_beside: whether that lies in a second stream that only libvpx reads (WebM).
        beside: libavutil's names of what comes with each picture, "A53_CC" for captions.
        mastering: of HDR, 10 numbers: x and y of red, green, blue and white of the display it was
            mastered on, then its least and most light in cd/m2; empty where none are stated.
        light_level: of HDR, the most light of a pixel and of a picture's mean, in cd/m2; or empty.
        turned: degrees, 0..359 anticlockwise, by which a tag turns them when they are shown.
        own_tags: matrix, primaries and transfer as the pictures themselves say; the file may say
            more.
    """

    width: int
    height: int
    pixel_format: str
    sample_aspect: Fraction = Fraction(1)
    matrix: str = "unknown"
    primaries: str = "unknown"
    transfer: str = "unknown"
    full_range: bool = False
    interlaced: bool = False
    depth: int = 8
    alpha: bool = False
    alpha_beside: bool = False
    beside: tuple[str, ...] = ()
    mastering: tuple[float, ...] = ()
    light_level: tuple[int, ...] = ()
    turned: int = 0
    own_tags: tuple[str, str, str] = ("unknown", "unknown", "unknown")

    @property
    def hdr(self) -> bool:
        """Whether light is stored by the curve of PQ or HLG."""
        return self.transfer in HDR_TRANSFERS


@dataclass(frozen=True)
class Stream:
    """One stream of a file.

    Attributes:
        kind: "video", "audio", "subtitle", "data" or "attachment".
        decodable: whether there is a decoder for it.
        cover: whether its one picture is the cover of a sound.
        fps: rate that the container states, if any.
        reordered: whether pictures may be decoded in another order than they are shown in.
        pictures: number of pictures that the container states, 0 where it does not.
        seconds: length that the container states, 0 where it does not.
        sample_rate: of a sound in Hz.
        channels: of a sound.
        layout: libavutil's name of how they are meant ("stereo", "5.1"), "" where unknown.
        coding: libavcodec's name of how it is coded, "" where unknown.
        profile: of that coding, "" where there is none.
        bit_rate: bits a second that the container states, or 0.
        language: two or three letters, or "".
        default: whether it is played unless the viewer says otherwise.
    """

    kind: str
    decodable: bool
    cover: bool = False
    fps: Fraction | None = None
    reordered: bool = False
    pictures: int = 0
    seconds: float = 0.0
    sample_rate: int = 0
    channels: int = 0
    layout: str = ""
    coding: str = ""
    profile: str = ""
    bit_rate: int = 0
    language: str = ""
    default: bool = False


@dataclass(frozen=True)
class Description:
    """What a media file holds.

    Attributes:
        container: ffmpeg's names of the container.
        start: start of its earliest stream on the file's own clock, in seconds.
        seconds: length that the container states, 0 where it does not.
        streams: in the file's order.
        picture: how the first picture is stored; None where there is none.
        chapters: number of chapters.
        timecode: of the first picture, "01:00:00:00", or "".
        apple_tags: whether it carries tags by Apple's keys, as phones write.
        resized: how many pictures come before the first of another size; None where all have
            one, as far as was looked.
    """

    container: str
    start: float
    seconds: float
    streams: tuple[Stream, ...]
    picture: Picture | None
    chapters: int = 0
    timecode: str = ""
    apple_tags: bool = False
    resized: int | None = None

    @property
    def video(self) -> Stream | None:
        """The first stream of moving pictures."""
        return next((s for s in self.streams if s.kind == "video" and not s.cover), None)

    @property
    def sound(self) -> Stream | None:
        """The first stream of sound."""
        return next(iter(self.sounds), None)

    @property
    def sounds(self) -> tuple[Stream, ...]:
        """All streams of sound, in the file's order."""
        return tuple(s for s in self.streams if s.kind == "audio")


def describe(path: Path) -> Description:
    """Find out what a file holds (remembered as long as it is not changed).

    Raises:
        MediaError: missing, empty, no media file, damaged, or far too large.
    """
    path = path.absolute()
    status = check_readable(path)
    return _describe(path, *status)


def check_readable(path: Path) -> tuple[int, int]:
    """Refuse what cannot be a media file before any decoder sees it.

    Returns:
        its size in bytes and the time of its last change in nanoseconds.

    Raises:
        MediaError: missing, a folder, a pipe or device, empty, or no permission.
    """
    status = check_file(path, MediaError)
    if not status.st_size:
        raise MediaError(f"'{path.name}' is empty (0 bytes).", "Export or copy it again.")
    return status.st_size, status.st_mtime_ns


def too_large(path: Path, width: int, height: int) -> MediaError:
    """The error for pictures that are larger than anybody means."""
    return MediaError(
        f"The pictures of '{path.name}' are too large ({width} x {height} pixels).",
        f"Make them smaller first: {MOST_PIXELS // 10**6} million pixels are the limit.",
    )


@lru_cache(maxsize=64)
def _describe(path: Path, _size: int, _changed: int) -> Description:
    script = Path(__file__).with_name("describe.py")
    # -P: the script's own folder is no place to import from.
    command = [sys.executable, "-P", str(script), str(path), ffmpeg.FORMATS, str(MOST_PIXELS)]
    status, said, errors = ffmpeg.run(command, timeout=PROBE_SECONDS)
    if status:
        log.error("describing '%s' ended with %d: %s", path.name, status, errors[-2000:])
        raise unreadable(path)
    content = json.loads(said)
    if "error" in content:
        raise unreadable(path)
    return Description(
        container=content["format"],
        start=content["start"] or 0.0,
        seconds=max(content["duration"] or 0.0, 0.0),
        streams=tuple(_stream(stream) for stream in content["streams"]),
        picture=_picture(path, content["picture"]) if content["picture"] else None,
        chapters=content["chapters"],
        timecode=content["timecode"] or "",
        apple_tags=content["apple_tags"],
        resized=content["resized"],
    )


def _stream(said: dict[str, Any]) -> Stream:
    return Stream(
        kind=said["kind"],
        decodable=said["codec"] is not None,
        cover=said["cover"],
        fps=_ratio(said["fps"]),
        reordered=said["reordered"],
        pictures=max(said["pictures"], 0),
        seconds=max(said["duration"] or 0.0, 0.0),
        sample_rate=said["sample_rate"],
        channels=said["channels"],
        layout=said["layout"] or "",
        coding=said["coding"] or "",
        profile=said["profile"] or "",
        bit_rate=max(said["bit_rate"], 0),
        language=said["language"] or "",
        default=said["default"],
    )


def _picture(path: Path, said: dict[str, Any]) -> Picture:
    if said.get("too_large"):
        raise too_large(path, said["width"], said["height"])
    format_, matrix = said["pixel_format"], MATRICES.get(said["matrix"], "unknown")
    picture = Picture(
        width=said["width"],
        height=said["height"],
        pixel_format=format_,
        sample_aspect=_ratio(said["sample_aspect"]) or Fraction(1),
        matrix=matrix,
        primaries=PRIMARIES.get(said["primaries"], "unknown"),
        transfer=TRANSFERS.get(said["transfer"], "unknown"),
        full_range=said["range"] == _FULL_RANGE or format_.startswith("yuvj"),
        interlaced=said["interlaced"],
        depth=said["depth"],
        alpha=said["alpha"] or said["alpha_beside"],
        alpha_beside=said["alpha_beside"],
        beside=tuple(said["beside"]),
        mastering=_mastering(said["mastering"] or ()),
        light_level=_light_level(said["light_level"] or ()),
        turned=said["rotation"] % 360,
        own_tags=_own_tags(said["own"]),
    )
    return _turned(picture) if abs(said["rotation"]) in (90, 270) else picture


def _own_tags(said: Sequence[int]) -> tuple[str, str, str]:
    matrix, primaries, transfer = said
    return (
        MATRICES.get(matrix, "unknown"),
        PRIMARIES.get(primaries, "unknown"),
        TRANSFERS.get(transfer, "unknown"),
    )


def _mastering(said: Sequence[float]) -> tuple[float, ...]:
    """A mastering display's numbers; none where they are no display's."""
    *points, least, most = said or (0.0, 0.0)
    possible = all(0 <= value <= 1 for value in points) and 0 <= least < most <= _MOST_LIGHT
    return tuple(said) if possible else ()


def _light_level(said: Sequence[int]) -> tuple[int, ...]:
    """Levels of light as they fit into 16 bits; none where they do not."""
    return tuple(said) if all(0 <= value < 1 << 16 for value in said) else ()


def _turned(picture: Picture) -> Picture:
    """The picture as ffmpeg shows it when a tag says that it lies on its side."""
    return replace(
        picture,
        width=picture.height,
        height=picture.width,
        sample_aspect=1 / picture.sample_aspect,
    )


def _ratio(said: list[int] | None) -> Fraction | None:
    return Fraction(*said) if said else None


def unreadable(path: Path) -> MediaError:
    """The person's words for a file that no reader takes."""
    if _cut_off(path):
        return MediaError(
            f"'{path.name}' is incomplete: its index is missing (cut off while it was recorded "
            "or copied).",
            "Copy or record it again.",
        )
    return MediaError(
        f"'{path.name}' is no video, picture or sound that can be read, or it is damaged.",
        "Open it in a player; if that fails, export or copy it again.",
    )


def _cut_off(path: Path) -> bool:
    """Whether this begins like an mp4 and ends before its index, the box "moov", does."""
    length, at = path.stat().st_size, 0
    with path.open("rb") as file:
        if file.read(8)[4:] != b"ftyp":
            return False
        for _ in range(1000):
            file.seek(at)
            head = file.read(16)
            size = int.from_bytes(head[8:] if head[:4] == b"\0\0\0\1" else head[:4], "big")
            at += size
            if head[4:8] == b"moov":
                return at > length
            if size < 8 or at > length:  # 0: up to the end of the file
                return True
    return True
