"""What a video, sound or image file is: from ffmpeg's own report and its packet list."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from gsmooth_core.data import Clip
from gsmooth_core.errors import MediaError
from gsmooth_core.media import ffmpeg
from gsmooth_core.media.still import is_still, still_size
from gsmooth_core.media.timing import DEFAULT_FPS, Timing, make_timing

# These readers take any text or open other files; nothing they give is footage.
_NOT_FOOTAGE = {"tty", "concat", "hls", "dash", "lavfi", "ass", "srt", "webvtt", "subviewer", "lrc"}
_DISCARD = 0x4  # AV_PKT_FLAG_DISCARD: outside the file's edit list, decoded but not shown
_KEY = 0x1
_UNSET = -(1 << 63)


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
        MediaError: missing, empty, unreadable, damaged, or without a picture.
    """
    return probe_source(Path(path)).clip


def probe_source(path: Path) -> Source:
    """Like `probe`, with everything that decoding and encoding need (remembered per file)."""
    path = Path(path).absolute()
    check_readable(path)
    stat = path.stat()
    return _probe(path, stat.st_size, stat.st_mtime_ns)


def check_readable(path: Path) -> None:
    """Refuse what cannot be a media file before any decoder sees it.

    Raises:
        MediaError: missing, a folder, empty, or no permission.
    """
    try:
        if path.is_dir():
            raise MediaError(f"'{path.name}' is a folder, not a file.", "Choose a file in it.")
        with path.open("rb") as file:
            if not file.read(1):
                raise MediaError(f"'{path.name}' is empty (0 bytes).", "Export or copy it again.")
    except FileNotFoundError as error:
        raise MediaError(f"There is no file '{path}'.", "Check the path.") from error
    except PermissionError as error:
        raise MediaError(
            f"'{path.name}' may not be read (no permission).", "Change the file's permissions."
        ) from error
    except (OSError, ValueError) as error:
        raise MediaError(f"'{path.name}' cannot be opened: {error}.", "Check the path.") from error


@lru_cache(maxsize=64)
def _probe(path: Path, size: int, mtime: int) -> Source:
    if is_still(path):
        width, height = still_size(path)
        return _still(path, Picture(width, height, "rgb24", matrix="gbr", full_range=True), "image")
    report = _report(path)
    container = describe_container(path, report)
    picture = _picture(path, report)
    if container.endswith("_pipe") or container == "image2":
        return _still(path, picture, container)
    nominal = _fraction(_find(r"frame_rate: (\d+/\d+)", report))
    timing = _timing(path, nominal)
    clip = Clip(
        path=path,
        width=picture.width,
        height=picture.height,
        fps=timing.fps,
        frame_count=len(timing.source_index),
        has_audio=has_sound(report),
        sample_aspect=picture.sample_aspect,
    )
    return Source(clip, picture, timing, container, container_start(report))


def _still(path: Path, picture: Picture, container: str) -> Source:
    clip = Clip(
        path, picture.width, picture.height, DEFAULT_FPS, 1, still=True,
        sample_aspect=picture.sample_aspect,
    )  # fmt: skip
    return Source(clip, picture, None, container, 0.0)


def _report(path: Path) -> str:
    """What ffmpeg says about the file and its first decoded picture."""
    arguments = ffmpeg.command(
        *("-copyts", *ffmpeg.input_arguments(path), "-map", "0:V:0"),
        *("-vf", "showinfo", "-frames:v", "1", "-f", "null", "-"),
        loglevel="info",
    )
    return ffmpeg.run(arguments, timeout=120)[2]


def sound_report(path: Path) -> str:
    """What ffmpeg says about a file of which only the sound matters."""
    arguments = ffmpeg.command(*ffmpeg.input_arguments(path), loglevel="info")
    return ffmpeg.run(arguments, timeout=120)[2]


def describe_container(path: Path, report: str) -> str:
    """The container's names out of ffmpeg's report.

    Raises:
        MediaError: the file is no media file.
    """
    container = _find(r"^Input #0, (.+?), from '", report)
    if container is None or container in _NOT_FOOTAGE:
        raise _unreadable(path, report)
    return container


def has_sound(report: str) -> bool:
    """Whether ffmpeg's report lists a sound stream."""
    return bool(re.search(r"^ +Stream #0:\d+.*?: Audio: ", report, re.MULTILINE))


def container_start(report: str) -> float:
    """Start time of the file's earliest stream in seconds."""
    return float(_find(r"^  Duration: .*?start: (-?[\d.]+)", report) or 0.0)


def _picture(path: Path, report: str) -> Picture:
    if not re.search(r"^ +Stream #0:\d+.*?: Video: ", report, re.MULTILINE):
        raise MediaError(f"'{path.name}' has no picture, only sound.", "Choose a video or image.")
    first = re.search(r"showinfo.*? n: *0 .*? fmt:(\S+) .*?sar:(\S+) s:(\d+)x(\d+) i:(\S)", report)
    if first is None:
        if "attached pic" in report:
            raise MediaError(f"'{path.name}' has no picture but a cover.", "Choose a video.")
        raise _unreadable(path, report)
    pixel_format, sar, width, height, field = first.groups()
    picture = Picture(
        int(width), int(height), pixel_format, _fraction(sar) or Fraction(1),
        interlaced=field in "TB",
    )  # fmt: skip
    return _with_colours(picture, report)


def _with_colours(picture: Picture, report: str) -> Picture:
    tags = re.search(
        r"color_range:(\S+) color_space:(\S+) color_primaries:(\S+) color_trc:(\S+)", report
    )
    if tags is None:
        return picture
    span, matrix, primaries, transfer = tags.groups()
    full = span == "pc" or picture.pixel_format.startswith("yuvj")
    return replace(picture, matrix=matrix, primaries=primaries, transfer=transfer, full_range=full)


def _timing(path: Path, nominal: Fraction | None) -> Timing:
    timing = _packet_timing(path, nominal)
    return timing or _decoded_timing(path, nominal)


def _packet_timing(path: Path, nominal: Fraction | None) -> Timing | None:
    """Time stamps without decoding; None when only decoding can tell which pictures come out."""
    copied = ffmpeg.run(_framecrc(path, "-c", "copy"), timeout=600)
    time_base, rows = _parse_framecrc(copied[1])
    if copied[0] or copied[2].strip() or not rows or not rows[0][1] & _KEY:
        return None
    stamps = np.array(sorted(pts for pts, flags in rows if not flags & _DISCARD), np.int64)
    if not len(stamps) or stamps[0] == _UNSET or (np.diff(stamps) <= 0).any():
        return None
    return make_timing(stamps, time_base, nominal)


def _decoded_timing(path: Path, nominal: Fraction | None) -> Timing:
    """Time stamps of the pictures that the decoder really gives."""
    decoded = ffmpeg.run(
        _framecrc(
            path, "-fps_mode", "passthrough", "-enc_time_base", "demux", "-vf", "scale=16:16"
        ),
        timeout=3600,
    )
    time_base, rows = _parse_framecrc(decoded[1])
    stamps = np.array([pts for pts, _ in rows], np.int64)
    if not len(stamps):
        raise _unreadable(path, decoded[2])
    if (np.diff(stamps) <= 0).any():  # broken clock: the pictures count, their stamps do not
        ticks = 1 / ((nominal or DEFAULT_FPS) * time_base)
        stamps = np.array([round(k * ticks) for k in range(len(stamps))], np.int64)
    return make_timing(stamps, time_base, nominal)


def _framecrc(path: Path, *options: str) -> list[str]:
    return ffmpeg.command(
        *("-copyts", *ffmpeg.input_arguments(path), "-map", "0:V:0", *options),
        *("-f", "framecrc", "-"),
    )


def _parse_framecrc(text: str) -> tuple[Fraction, list[tuple[int, int]]]:
    """Time base, and (pts, flags) of every packet, from ffmpeg's framecrc listing."""
    time_base = _fraction(_find(r"^#tb 0: (\d+/\d+)", text)) or Fraction(1, 1000)
    rows = []
    for line in text.splitlines():
        if line.startswith("0,"):
            fields = line.split(",")
            flags = next((f for f in fields[6:] if f.strip().startswith("F=")), "F=0x1")
            rows.append((int(fields[2]), int(flags.strip()[2:], 16)))
    return time_base, rows


def _unreadable(path: Path, report: str) -> MediaError:
    """The person's words for what ffmpeg says."""
    causes: tuple[tuple[str, str, str], ...] = (
        ("moov atom not found", "is incomplete: its index is missing (cut off while it was "
         "recorded or copied)", "Copy or record it again."),
        ("Decoder .* not found|Unknown decoder|no decoder found|could not find codec parameters",
         "is stored in a way that this ffmpeg cannot decode", "Convert it to H.264 (mp4)."),
        ("Permission denied", "may not be read (no permission)", "Change its permissions."),
    )  # fmt: skip
    for pattern, what, hint in causes[0 if _begins_like_mp4(path) else 1 :]:
        if re.search(pattern, report, re.IGNORECASE):
            return MediaError(f"'{path.name}' {what}.", hint)
    return MediaError(
        f"'{path.name}' is not a video that can be read, or it is damaged.",
        "Play it in a video player; if that fails, export or copy it again.",
    )


def _begins_like_mp4(path: Path) -> bool:
    """Whether a missing index means an mp4 that was cut off, and not just a misleading name."""
    with path.open("rb") as file:
        return b"ftyp" in file.read(32)


def _find(pattern: str, text: str) -> str | None:
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1) if found else None


def _fraction(text: str | None) -> Fraction | None:
    """'30000/1001' as a number; None for nothing and for 0/x or x/0."""
    if not text:
        return None
    top, _, bottom = text.partition("/")
    return Fraction(int(top), int(bottom)) if int(top) and int(bottom or 1) else None
