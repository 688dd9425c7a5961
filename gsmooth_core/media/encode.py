"""Pictures into a segment: a short file that later joins others without being encoded again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import cv2
import numpy as np

from gsmooth_core.errors import InputError, MediaError
from gsmooth_core.media import colour, ffmpeg
from gsmooth_core.media.description import Picture
from gsmooth_core.media.probe import probe_source
from gsmooth_core.storage.files import (
    PARTIAL,
    cannot_write,
    fresh,
    partial_path,
    remove_folder,
    sync,
)
from gsmooth_core.types import Clip, Image

_H264 = ("-c:v", "libx264")
_VP9 = ("-c:v", "libvpx-vp9", "-b:v", "0", "-deadline", "good", "-cpu-used", "4", "-row-mt", "1")
_LARGEST_TERM = 1 << 16  # of a pixel shape; the filter rounds to terms of at most 100 else
_AAC = ("-c:a", "aac", "-b:a", "192k")
_STEPS, _COARSEST = 4, 51
_OPUS = ("-c:a", "libopus", "-b:a", "160k")


@dataclass(frozen=True)
class Container:
    """What an output's suffix stands for.

    Attributes:
        muxer: ffmpeg's name of the container.
        video: encoder arguments; empty for an image sequence.
        audio: sound encoder arguments.
        presets: whether the encoder knows x264's presets.
    """

    muxer: str
    video: tuple[str, ...]
    audio: tuple[str, ...]
    presets: bool = True


CONTAINERS = {
    ".mp4": Container("mp4", _H264, _AAC),
    ".m4v": Container("mp4", _H264, _AAC),
    ".mov": Container("mov", _H264, _AAC),
    ".mkv": Container("matroska", _H264, _AAC),
    ".webm": Container("webm", _VP9, _OPUS, presets=False),
    ".png": Container("image2", (), ()),
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


class FrameSink(Protocol):
    """What takes the frames of one segment."""

    def write(self, frame: Image) -> None:
        """Add one (H, W, 3) uint8 RGB frame."""

    def close(self) -> None:
        """Make the segment whole and put it in its place."""

    def abandon(self) -> None:
        """Leave no trace of an unfinished segment."""


class SegmentWriter:
    """Writes one segment of the output; it appears under its name only when it is whole.

    Args:
        path: the segment; its folder must exist. `segment_path` gives a fitting name.
        clip: the source, whose size, rate, pixel shape and colour tags the segment takes.
        output: the final output, whose suffix decides the codec.
        crf: constant rate factor of the encoder; lower is better and larger.
        preset: x264's speed preset.
        intra: whether every frame is a key frame, see `splice`.

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
        crf: int = 14,
        preset: str = "medium",
        intra: bool = False,
    ) -> None:
        self.path = path
        self.frames = 0
        self._shape = (clip.height, clip.width, 3)
        container = container_for(output)
        coded = colour.coded_picture(probe_source(clip.path).picture)
        picture = replace(coded, width=clip.width, height=clip.height)  # it may be a part of it
        self._sink: FrameSink
        if not container.video:
            self._sink = _ImageFolder(path)
        else:
            quality = ["-crf", str(crf), *(["-preset", preset] if container.presets else [])]
            quality = _alone(crf, quality, container) if intra else quality
            self._sink = _VideoFile(path, picture, clip.fps, [*container.video, *quality])

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

    def write(self, frame: Image) -> None:
        """Add one (H, W, 3) uint8 RGB frame."""
        if frame.shape != self._shape or frame.dtype != np.uint8:
            raise ValueError(f"frame {frame.shape} {frame.dtype} does not fit {self._shape} uint8")
        self._sink.write(frame)
        self.frames += 1


def segment_path(folder: Path, index: int, output: Path) -> Path:
    """Where segment `index` of an output lies in a job's folder."""
    return folder / (f"segment_{index:05d}" + (".mp4" if container_for(output).video else ""))


def _alone(crf: int, quality: list[str], container: Container) -> list[str]:
    """Arguments with which a frame is encoded alike, whatever is encoded before and after it."""
    if not container.presets:
        return [*quality, "-g", "1"]
    # A quantiser that follows no neighbours is finer on average, hence the steps of crf.
    quality = [*quality, "-crf", str(min(crf + _STEPS, _COARSEST))]
    return [*quality, "-g", "1", "-x264-params", "ipratio=1:qcomp=1"]


class _VideoFile:
    """A segment that ffmpeg encodes."""

    def __init__(self, path: Path, picture: Picture, fps: Fraction, encoder: list[str]) -> None:
        self._path = path
        self._partial = fresh(partial_path(path))
        self._pipe = ffmpeg.Pipe(_encode_command(self._partial, picture, fps, encoder), write=True)

    def write(self, frame: Image) -> None:
        try:
            self._pipe.write(np.ascontiguousarray(frame).data)
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
    if "No space left" in errors:
        return MediaError(
            f"The disk is full: '{path.name}' could not be written.",
            "Free some space and start again; what is finished is kept.",
        )
    return MediaError(
        f"'{path.name}' could not be written: {ffmpeg.last_line(errors)}.",
        "Check the disk and the output's format.",
    )


def _encode_command(target: Path, picture: Picture, fps: Fraction, encoder: list[str]) -> list[str]:
    pixel_format = colour.coded_format(picture)
    size, aspect = f"{picture.width}x{picture.height}", picture.sample_aspect
    filters = [
        *colour.from_rgb(picture, pixel_format),
        f"setsar={aspect.numerator}/{aspect.denominator}:max={_LARGEST_TERM}",
    ]
    return ffmpeg.command(
        *("-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", size),
        *("-framerate", str(fps), "-i", "pipe:0", "-vf", ",".join(filters)),
        # No B-frames: every time stamp is a frame number, so segments join exactly.
        *(*encoder, "-bf", "0", "-video_track_timescale", str(fps.numerator)),
        *("-f", "mp4", ffmpeg.url(target)),
    )


class _ImageFolder:
    """A segment of lossless PNG files in a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(path.name + PARTIAL)
        remove_folder(self._partial)
        self._partial.mkdir()
        self._count = 0

    def write(self, frame: Image) -> None:
        ok, data = cv2.imencode(".png", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        if not ok:
            raise MediaError("A frame could not be stored as PNG.", "Choose a video output.")
        try:
            (self._partial / f"{self._count:05d}.png").write_bytes(data.tobytes())
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self._count += 1

    def close(self) -> None:
        remove_folder(self._path)
        self._partial.rename(self._path)

    def abandon(self) -> None:
        remove_folder(self._partial)
