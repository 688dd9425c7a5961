"""What a video or image file is, exact to the frame: its description and its packet list."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from gsmooth_core.errors import MediaError
from gsmooth_core.media.reading.description import (
    Description,
    Picture,
    check_readable,
    describe,
    unreadable,
)
from gsmooth_core.media.reading.packets import (
    KEY,
    MOST_PICTURES,
    Packets,
    Spent,
    read_packets,
    too_many,
)
from gsmooth_core.media.reading.still import is_picture_format, is_still, still_size
from gsmooth_core.media.reading.timing import (
    DEFAULT_FPS,
    LONGEST_GAP,
    Ticks,
    Timing,
    check_length,
    make_timing,
)
from gsmooth_core.types import Clip

_MOST_IMAGES = 2  # of a HEIC or AVIF: the picture and what can be seen through it
_UNSET = -(1 << 63)
_WITH_LENGTHS = ("mov,mp4", "matroska")
_PICTURES = ("0:V:0", MOST_PICTURES)


@dataclass(frozen=True)
class Source:
    """Everything known about a source file.

    Attributes:
        clip: the summary that other rooms use.
        picture: how its pictures are stored.
        timing: when they are shown; None for a still image.
        container: ffmpeg's names of the container.
        start: the container's own start time in seconds (of its earliest stream).
        coding: libavcodec's name of how the pictures are coded, "" for a still image.
        profile: of that coding.
        bit_rate: bits a second of the pictures, as far as the file tells; 0 where it does not.
        resized: the first frame whose picture has another size; None where all have one.
        spent: bytes of its pictures; None where that is not known of each.
    """

    clip: Clip
    picture: Picture
    timing: Timing | None
    container: str
    start: float
    coding: str = ""
    profile: str = ""
    bit_rate: int = 0
    resized: int | None = None
    spent: Spent | None = None

    @property
    def decoder(self) -> str:
        """The decoder that must be asked for, "" where any does."""
        known = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
        return known.get(self.coding, "") if self.picture.alpha_beside else ""


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
    pictures = is_picture_format(path)
    if pictures and sum(s.kind == "video" for s in file.streams) > _MOST_IMAGES:
        raise MediaError(
            f"'{path.name}' is stored as many tiles, which cannot be joined here.",
            "Save it as a JPEG or PNG image.",
        )
    timing, there, troubled, spent = _timing(path, file)
    if pictures and len(timing.pts) == 1:
        return _still(path, stamp, picture, file.container)
    clip = Clip(
        path=path,
        width=picture.width,
        height=picture.height,
        fps=timing.fps,
        frame_count=len(timing.source_index),
        has_audio=file.sound is not None,
        sample_aspect=picture.sample_aspect,
        stamp=stamp,
        missing_frames=_missing(_stated(file, troubled=troubled), there, timing),
    )
    video = file.video
    coding = (video.coding, video.profile) if video else ("", "")
    rate = (video.bit_rate if video else 0) or _rate(stamp[0], clip, file)
    at = file.resized
    resized = None if at is None else int(np.searchsorted(timing.source_index, at))
    return Source(clip, picture, timing, file.container, file.start, *coding, rate, resized, spent)


def _rate(size: int, clip: Clip, file: Description) -> int:
    """Bits a second of the pictures, where only the whole file's are known."""
    rest = sum(sound.bit_rate for sound in file.sounds)
    return max(0, round(8 * size / max(clip.duration, 1e-3)) - rest)


def _still(path: Path, stamp: tuple[int, int], picture: Picture, container: str) -> Source:
    clip = Clip(
        path, picture.width, picture.height, DEFAULT_FPS, 1, still=True,
        sample_aspect=picture.sample_aspect, stamp=stamp,
    )  # fmt: skip
    return Source(clip, picture, None, container, 0.0)


def _picture(path: Path, file: Description) -> Picture:
    if file.picture is not None:
        return file.picture
    if not file.streams:
        raise unreadable(path)
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


def _stated(file: Description, *, troubled: bool) -> int:
    """How many pictures the container states, hidden ones included; 0 where it does not.

    A length of the whole file may be that of a longer sound, so it counts only where the reader
    stumbled.
    """
    video = file.video
    if video is None or video.pictures or not video.fps:
        return video.pictures if video else 0
    return round((video.seconds or (file.seconds if troubled else 0.0)) * video.fps)


def _missing(stated: int, there: int, timing: Timing) -> int:
    """Pictures that are stated and not there, but for those in whose place another one stands."""
    holes = max(0, len(timing.source_index) - len(timing.pts))
    return max(1, stated - there - holes) if stated > there else 0


def _timing(path: Path, file: Description) -> tuple[Timing, int, bool, Spent | None]:
    """When pictures are shown, how many there are with hidden ones, if reading stumbled, sizes."""
    nominal = file.video.fps if file.video else None
    if file.video and file.video.pictures > MOST_PICTURES:
        raise too_many(path, MOST_PICTURES)
    packets = read_packets(path, *_PICTURES, "-c", "copy", "-copyts")
    shown = packets.shown
    stamps = packets.stamps[shown]
    startable = len(packets) > 0 and bool(packets.flags[0] & KEY)
    whole = startable and (file.video is None or file.video.pictures <= len(packets))
    if packets.troubled or not whole or not _distinct(stamps):
        timing = _decoded_timing(path, nominal)
        hidden = len(packets) - len(stamps) + _empty(packets, file)
        return timing, len(timing.pts) + hidden, packets.troubled, None
    check_length(path.name, stamps, packets.time_base)
    held = _held(packets, stamps, file)
    spent = Spent(packets.sizes[shown], packets.flags[shown] & KEY != 0)
    return make_timing(stamps, packets.time_base, nominal, held), len(packets), False, spent


def _empty(packets: Packets, file: Description) -> int:
    """Places without a picture, as beside B-frames, that AVI counts among its pictures."""
    return max(0, packets.length - len(packets)) if file.container == "avi" else 0


def _held(packets: Packets, stamps: Ticks, file: Description) -> int:
    """Ticks for which the last picture is shown, as the container has it; 0 where it does not.

    The lengths of all packets together are the stream's own, in whatever order they are decoded.
    """
    if not file.container.startswith(_WITH_LENGTHS) or len(stamps) < len(packets):
        return 0
    if packets.stamps[-1] != stamps[-1] and not file.container.startswith("mov"):
        return 0  # lengths of blocks are those of their own pictures
    held = packets.length - int(stamps[-1] - stamps[0])
    # An edit list may end within the last picture: then the whole file is shorter.
    end = file.seconds + file.start if file.seconds else 0.0
    left = int((end - float(stamps[-1] * packets.time_base)) / packets.time_base)
    held = min(held, left)
    return held if 0 < held * packets.time_base <= LONGEST_GAP else 0


def _distinct(stamps: Ticks) -> bool:
    """Whether sorted time stamps tell when each picture is shown."""
    return len(stamps) > 0 and stamps[0] != _UNSET and bool((np.diff(stamps) > 0).all())


def _decoded_timing(path: Path, nominal: Fraction | None) -> Timing:
    """Time stamps of the pictures that the decoder really gives."""
    options = ("-copyts", "-fps_mode", "passthrough", "-enc_time_base", "demux")
    decoded = read_packets(path, *_PICTURES, *options, "-vf", "scale=16:16", timeout=3600)
    stamps = decoded.stamps
    if not len(stamps):
        raise unreadable(path)
    if not _distinct(stamps):  # broken clock: the pictures count, their stamps do not
        ticks = 1 / ((nominal or DEFAULT_FPS) * decoded.time_base)
        stamps = np.array([round(k * ticks) for k in range(len(stamps))], np.int64)
    check_length(path.name, stamps, decoded.time_base)
    return make_timing(stamps, decoded.time_base, nominal)
