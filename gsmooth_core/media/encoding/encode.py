"""Pictures into a segment: a short file that later joins others without being encoded again."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from gsmooth_core.errors import InputError, MediaError
from gsmooth_core.media import ffmpeg
from gsmooth_core.media.encoding.coding import Coding, coding_of, kept_by_images, travels_as
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.encoding.frames import ImageFolder
from gsmooth_core.media.encoding.losses import Kept
from gsmooth_core.media.pictures import colour
from gsmooth_core.media.pictures.images import SUFFIXES
from gsmooth_core.media.pictures.planes import Layout, Planes
from gsmooth_core.media.reading.description import Picture
from gsmooth_core.media.reading.probe import Source, probe_source
from gsmooth_core.storage.files import cannot_write, fresh, partial_path, sync
from gsmooth_core.types import Clip, Image

_LARGEST_TERM = 1 << 16  # of a pixel shape; the filter rounds to terms of at most 100 else
# The other coder takes twice the time; at this rate it has 3 to 14 dB more noise below 6 kHz
# (speech, music, noise), and up to 2.5 dB less above 16 kHz (noise itself: 5 dB above 6 kHz).
_AAC = 192, ("-c:a", "aac", "-aac_coder", "fast")
_OPUS = 160, ("-c:a", "libopus")


@dataclass(frozen=True)
class Container:
    """What an output's suffix stands for.

    Attributes:
        muxer: ffmpeg's name of the container.
        video: whether it is a video, no image sequence.
        kilobits: thousands of bits a second for each pair of a sound's channels.
        audio: the other arguments of the sound encoder.
    """

    muxer: str
    video: bool
    kilobits: int
    audio: tuple[str, ...]

    def sound_coder(self, channels: int) -> tuple[str, ...]:
        """Arguments that code a sound of so many channels; one alone gets as much as a pair."""
        return (*self.audio, "-b:a", f"{self.kilobits * max(channels, 2) // 2}k")


CONTAINERS = {
    ".mp4": Container("mp4", True, *_AAC),
    ".m4v": Container("mp4", True, *_AAC),
    ".mov": Container("mov", True, *_AAC),
    ".mkv": Container("matroska", True, *_AAC),
    ".webm": Container("webm", True, *_OPUS),
    **dict.fromkeys(SUFFIXES, Container("image2", False, 0, ())),
}


def container_for(output: Path) -> Container:
    """The container an output path asks for: by suffix; a name without suffix is a PNG folder.

    Raises:
        InputError: a suffix that cannot be written.
    """
    suffix = output.suffix.lower() or ".png"
    if suffix not in CONTAINERS:
        raise InputError(
            f"Output of the kind '{output.suffix}' cannot be written.",
            f"End the name in {', '.join(CONTAINERS)}, or name a folder for PNG frames.",
        )
    return CONTAINERS[suffix]


def kept_by(output: Path, source: Source, wish: Wish | None = None) -> Kept:
    """What an output can hold of a source's pictures.

    Raises:
        InputError: a suffix that cannot be written, or a codec that it cannot hold.
    """
    container = container_for(output)
    if not container.video:
        return kept_by_images(source, output)
    return coding_of(source, container.muxer, wish).kept


def travels_into(source: Source, output: Path) -> Layout | None:
    """The planes in which a source's pictures travel to an output; None where as 8-bit RGB."""
    return travels_as(source, images=not container_for(output).video)


class FrameSink(Protocol):
    """What takes the frames of one segment."""

    def write(self, frame: Image | Planes) -> None:
        """Add one (H, W, 3) uint8 RGB frame, or one picture as it is stored."""

    def close(self) -> None:
        """Make the segment whole and put it in its place."""

    def abandon(self) -> None:
        """Leave no trace of an unfinished segment."""


class SegmentWriter:
    """Writes one segment of the output; it appears under its name only when it is whole.

    Args:
        path: the segment; its folder must exist. `segment_path` gives a fitting name.
        clip: the source, whose size, rate, pixel shape, colours and codec the segment takes.
        output: the final output, whose suffix decides which codecs there are.
        wish: which codec and quality.
        stored: whether pictures come as they are stored (`read_planes`), not as 8-bit RGB.

    Attributes:
        muxer: ffmpeg's name of the segment's container.

    Raises:
        InputError: the output's suffix cannot be written.
        MediaError: the encoder fails, or the disk is full.
    """

    def __init__(
        self,
        path: Path,
        clip: Clip,
        output: Path,
        *,
        wish: Wish | None = None,
        stored: bool = False,
    ) -> None:
        self.path = path
        self.frames = 0
        self._shape = (clip.height, clip.width, 3)
        container, source = container_for(output), probe_source(clip.path)
        coded = colour.coded_picture(source.picture)
        given = replace(coded, width=clip.width, height=clip.height)  # it may be a part of it
        picture = given
        if wish is not None and wish.like is not None:
            picture = colour.coded_like(given, probe_source(wish.like).picture)
        self._sink: FrameSink
        self._stored, self.muxer = stored, "image2"
        if not container.video:
            self._sink = ImageFolder(path, source.picture, output.suffix.lower() or ".png")
        else:
            coding = coding_of(source, container.muxer, wish)
            raw = coding.layout.name if stored and coding.layout else "rgb24"
            self.muxer = coding.muxer
            beside = wish is not None and bool(wish.number)
            tags = [colour.own_tags(source.picture)] if beside else []
            self._sink = _VideoFile(path, picture, clip.fps, coding, raw, given, tags)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._sink.close()
        else:
            self._sink.abandon()

    def write(self, frame: Image | Planes) -> None:
        """Add one (H, W, 3) uint8 RGB frame, or one picture as it is stored."""
        if isinstance(frame, Planes):
            if not self._stored:
                raise ValueError("this segment takes RGB")
        elif frame.shape != self._shape or frame.dtype != np.uint8:
            raise ValueError(f"frame {frame.shape} {frame.dtype} does not fit {self._shape} uint8")
        self._sink.write(frame)
        self.frames += 1


def segment_path(folder: Path, index: int, output: Path) -> Path:
    """Where segment `index` of an output lies in a job's folder."""
    return folder / (f"segment_{index:05d}" + (".mp4" if container_for(output).video else ""))


class _VideoFile:
    """A segment that ffmpeg encodes."""

    def __init__(
        self,
        path: Path,
        picture: Picture,
        fps: Fraction,
        coding: Coding,
        raw: str,
        given: Picture,
        tags: list[str],
    ) -> None:
        self._path = path
        self._partial = fresh(partial_path(path))
        filters = [*colour.into_coded(picture, coding.pixel_format, raw, given), *tags]
        self._even = colour.made_even(given, raw, coding.pixel_format)
        size = (picture.width, picture.height)
        size = (size[0] + size[0] % 2, size[1] + size[1] % 2) if self._even else size
        command = _encode_command(self._partial, picture, size, fps, coding, raw, filters)
        self._pipe = ffmpeg.Pipe(command, write=True)

    def write(self, frame: Image | Planes) -> None:
        if isinstance(frame, Planes):
            parts = (frame.even() if self._even else frame).parts()
        else:
            parts = [np.ascontiguousarray(frame).data]
        try:
            for part in parts:
                self._pipe.write(part)
        except BrokenPipeError as error:
            raise self._failed() from error

    def close(self) -> None:
        try:
            status = self._pipe.finish()
        except BrokenPipeError as error:
            raise self._failed() from error
        if status or not self._partial.is_file():
            raise self._failed()
        self._pipe.kill()
        try:
            sync(self._partial)
            self._partial.replace(self._path)
        except OSError as error:
            raise cannot_write(self._path, error) from error

    def abandon(self) -> None:
        self._pipe.kill()
        self._partial.unlink(missing_ok=True)

    def _failed(self) -> MediaError:
        self.abandon()
        return write_error(self._path, self._pipe.errors)


def write_error(path: Path, errors: str) -> MediaError:
    """The person's words for what ffmpeg says when it cannot write `path`."""
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        words = os.strerror(number)
        if words in errors and not words.startswith("Unknown"):  # Windows has no words for some
            return cannot_write(path, OSError(number, words))
    return MediaError(
        f"'{path.name}' could not be written: {ffmpeg.last_line(errors)}.",
        "Check the disk and the output's format.",
    )


def _encode_command(
    target: Path,
    picture: Picture,
    given: tuple[int, int],
    fps: Fraction,
    coding: Coding,
    raw: str,
    filters: list[str],
) -> list[str]:
    size, aspect = f"{given[0]}x{given[1]}", picture.sample_aspect
    filters = [
        *filters,
        f"setsar={aspect.numerator}/{aspect.denominator}:max={_LARGEST_TERM}",
    ]
    quicktime = coding.muxer in ("mp4", "mov")
    ticks = ["-video_track_timescale", str(fps.numerator)] if quicktime else []
    return ffmpeg.command(
        *("-y", "-f", "rawvideo", "-pix_fmt", raw, "-video_size", size),
        *("-framerate", str(fps), "-i", "pipe:0", "-vf", ",".join(filters)),
        *(*coding.encoder, *ticks),
        *("-f", coding.muxer, ffmpeg.url(target)),
    )
