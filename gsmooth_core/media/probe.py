"""What a video or image file is, exact to the frame: its description and its packet list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from gsmooth_core.data import Clip
from gsmooth_core.errors import MediaError
from gsmooth_core.media import ffmpeg
from gsmooth_core.media.description import (
    Description,
    Picture,
    check_readable,
    describe,
    unreadable,
)
from gsmooth_core.media.still import is_still, still_size
from gsmooth_core.media.timing import DEFAULT_FPS, Ticks, Timing, check_length, make_timing

_DISCARD = 0x4  # AV_PKT_FLAG_DISCARD: outside the file's edit list, decoded but not shown
_KEY = 0x1
_UNSET = -(1 << 63)


@dataclass(frozen=True)
class Source:
    """Everything known about a source file.

    Attributes:
        clip: the summary that other rooms use.
        picture: how its pictures are stored.
        timing: when they are shown; None for a still image.
        container: ffmpeg's names of the container.
        start: the container's own start time in seconds (of its earliest stream).
    """

    clip: Clip
    picture: Picture
    timing: Timing | None
    container: str
    start: float


def probe(path: Path | str) -> Clip:
    """Find out what a video or image file is.

    The frame count and rate are exact and are those `read_frames` delivers. A source of
    variable frame rate is described as it will be read: at one constant rate (see `timing`).

    Args:
        path: a video, or a still image (`still=True`, one frame, 25 fps).

    Raises:
        MediaError: missing, empty, unreadable, damaged, too large, or without a picture.
    """
    return probe_source(Path(path)).clip


def probe_source(path: Path) -> Source:
    """Like `probe`, with everything that decoding and encoding need (remembered per file)."""
    path = Path(path).absolute()
    return _probe(path, check_readable(path))


@lru_cache(maxsize=64)
def _probe(path: Path, stamp: tuple[int, int]) -> Source:
    if is_still(path):
        width, height = still_size(path)
        picture = Picture(width, height, "rgb24", matrix="gbr", full_range=True)
        return _still(path, stamp, picture, "image")
    file = describe(path)
    picture = _picture(path, file)
    if file.container.endswith("_pipe"):
        return _still(path, stamp, picture, file.container)
    timing, packets = _timing(path, file)
    clip = Clip(
        path=path,
        width=picture.width,
        height=picture.height,
        fps=timing.fps,
        frame_count=len(timing.source_index),
        has_audio=file.sound is not None,
        sample_aspect=picture.sample_aspect,
        stamp=stamp,
        missing_frames=_missing(file, packets),
    )
    return Source(clip, picture, timing, file.container, file.start)


def _still(path: Path, stamp: tuple[int, int], picture: Picture, container: str) -> Source:
    clip = Clip(
        path, picture.width, picture.height, DEFAULT_FPS, 1, still=True,
        sample_aspect=picture.sample_aspect, stamp=stamp,
    )  # fmt: skip
    return Source(clip, picture, None, container, 0.0)


def _picture(path: Path, file: Description) -> Picture:
    if file.picture is not None:
        return file.picture
    if file.video is None:
        covers = any(stream.cover for stream in file.streams)
        but = "but a cover" if covers else "only sound"
        raise MediaError(f"'{path.name}' has no picture, {but}.", "Choose a video or image.")
    if not file.video.decodable:
        raise MediaError(
            f"'{path.name}' is stored in a way that cannot be decoded here.",
            "Convert it to H.264 (mp4).",
        )
    raise unreadable(path)


def _missing(file: Description, packets: int) -> int:
    """Pictures that the container states and that are not there: the file was cut off."""
    stated = file.video.pictures if file.video else 0
    if not stated and file.video and file.video.fps and file.video.seconds:
        stated = round(file.video.seconds * file.video.fps)
    return max(0, stated - packets)


def _timing(path: Path, file: Description) -> tuple[Timing, int]:
    """When the pictures are shown, and how many packets the stream really holds."""
    nominal = file.video.fps if file.video else None
    copied = ffmpeg.run(_framecrc(path, "-c", "copy"), timeout=600)
    time_base, rows = _parse_framecrc(copied[1])
    stamps = np.array(sorted(pts for pts, flags in rows if not flags & _DISCARD), np.int64)
    troubled = copied[0] or copied[2].strip() or not rows or not rows[0][1] & _KEY
    if troubled or not _distinct(stamps):
        return _decoded_timing(path, nominal), len(rows)
    check_length(path.name, stamps, time_base)
    return make_timing(stamps, time_base, nominal), len(rows)


def _distinct(stamps: Ticks) -> bool:
    """Whether sorted time stamps tell when each picture is shown."""
    return len(stamps) > 0 and stamps[0] != _UNSET and bool((np.diff(stamps) > 0).all())


def _decoded_timing(path: Path, nominal: Fraction | None) -> Timing:
    """Time stamps of the pictures that the decoder really gives."""
    options = ("-fps_mode", "passthrough", "-enc_time_base", "demux", "-vf", "scale=16:16")
    decoded = ffmpeg.run(_framecrc(path, *options), timeout=3600)
    time_base, rows = _parse_framecrc(decoded[1])
    stamps = np.array([pts for pts, _ in rows], np.int64)
    if not len(stamps):
        raise unreadable(path)
    if not _distinct(stamps):  # broken clock: the pictures count, their stamps do not
        ticks = 1 / ((nominal or DEFAULT_FPS) * time_base)
        stamps = np.array([round(k * ticks) for k in range(len(stamps))], np.int64)
    check_length(path.name, stamps, time_base)
    return make_timing(stamps, time_base, nominal)


def _framecrc(path: Path, *options: str) -> list[str]:
    return ffmpeg.command(
        *("-copyts", *ffmpeg.input_arguments(path), "-map", "0:V:0", *options),
        *("-f", "framecrc", "-"),
    )


def _parse_framecrc(text: str) -> tuple[Fraction, list[tuple[int, int]]]:
    """Time base, and (pts, flags) of every packet, from ffmpeg's framecrc listing.

    The listing holds numbers alone; nothing that stands in the file gets into it.
    """
    found = re.search(r"^#tb 0: (\d+)/(\d+)$", text, re.MULTILINE)
    time_base = Fraction(int(found[1]), int(found[2])) if found else Fraction(1, 1000)
    rows = []
    for line in text.splitlines():
        if line.startswith("0,"):
            fields = line.split(",")
            flags = next((f for f in fields[6:] if f.strip().startswith("F=")), "F=0x1")
            rows.append((int(fields[2]), int(flags.strip()[2:], 16)))
    return time_base, rows
