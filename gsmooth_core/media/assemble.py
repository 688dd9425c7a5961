"""Segments and a sound into one file: no picture is encoded again, and the result is checked."""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from gsmooth_core.errors import MediaError
from gsmooth_core.media import ffmpeg
from gsmooth_core.media.audio import first_picture_time, read_audio
from gsmooth_core.media.description import describe
from gsmooth_core.media.encode import Container, container_for, write_error
from gsmooth_core.media.gaps import without_long_gaps
from gsmooth_core.media.images import image_target, sequence
from gsmooth_core.media.probe import probe
from gsmooth_core.storage.files import atomic, fresh, partial_path
from gsmooth_core.types import Clip, Float


@dataclass(frozen=True)
class Sound:
    """The sound of an output.

    Attributes:
        path: any file with sound.
        start: seconds into the sound at which its used part begins.
        duration: seconds of sound to use; silence follows. None means all of it.
        delay: seconds of picture before the used part is heard.
    """

    path: Path
    start: float = 0.0
    duration: float | None = None
    delay: float = 0.0

    def stamped(self) -> list[object]:
        """What identifies it, for fingerprints."""
        status = self.path.stat()
        file = str(self.path.absolute()), status.st_size, status.st_mtime_ns
        return [*file, self.start, self.duration, self.delay]


def assemble(
    segments: Sequence[Path], output: Path, clip: Clip, frames: int, sound: Sound | None = None
) -> Path:
    """Join segments and sound into `output`, which appears only when it is whole.

    Args:
        segments: in order, as `SegmentWriter` wrote them, all in one folder.
        output: final path; for PNG frames a folder or a pattern such as `frames/%05d.png`.
        clip: the source, for the rate, size and pixel shape that the output must have.
        frames: how many frames the segments hold together.
        sound: its sound, cut or filled with silence to the length of the picture.

    Returns:
        the path written: `output`, or the folder of the frames.

    Raises:
        MediaError: writing fails, or the result is not what it should be.
    """
    plan = _Plan(container_for(output), clip.fps, frames, sound)
    if not plan.container.video:
        images = [image for segment in segments for image in sorted(segment.iterdir())]
        with sequence(output, images) as folder:
            _write_sound(folder / "sound.wav", plan)
        return image_target(output)[0]
    with atomic(output) as partial:
        status, errors = _join(segments, partial, plan)
        if status:
            raise write_error(output, errors)
        _check(partial, clip, plan)
    return output


# What an output promises, by the field of `Clip` that holds it.
_PROMISES = {
    "frame_count": "number of frames",
    "width": "width",
    "height": "height",
    "fps": "frame rate",
    "sample_aspect": "pixel shape",
    "has_audio": "having sound",
}


@dataclass(frozen=True)
class _Plan:
    """What an output is to be."""

    container: Container
    fps: Fraction
    frames: int
    sound: Sound | None

    @property
    def seconds(self) -> Fraction:
        return Fraction(self.frames) / self.fps


def _join(segments: Sequence[Path], target: Path, plan: _Plan) -> tuple[int, str]:
    folder = segments[0].parent
    with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".ffconcat", delete=False) as file:
        file.write("ffconcat version 1.0\n")
        file.writelines(f"file {segment.name}\n" for segment in segments)
    listing = Path(file.name)
    try:
        status, errors = _mux(listing, target, plan)
        if status and plan.sound and "NaN" in errors:
            clean = _clean_sound(folder, plan.sound)
            status, errors = _mux(listing, target, replace(plan, sound=clean))
            clean.path.unlink()
    finally:
        listing.unlink()
    return status, errors


def _mux(listing: Path, target: Path, plan: _Plan) -> tuple[int, str]:
    # The join's own time stamps are rounded at every seam; packet n is frame n, so say so.
    ticks = f"*{plan.fps.denominator}/({plan.fps.numerator}*TB)"
    stamps = f"setts=pts=round(N{ticks}):dts=round(N{ticks}):duration=round(1{ticks})"
    inputs = ["-f", "concat", "-safe", "0", "-i", listing.name]
    maps = ["-map", "0:v:0"]
    if plan.sound is not None:
        inputs += _sound_input(plan.sound, plan.seconds)
        maps += ["-map", "1:a:0", "-af", _sound_filter(plan.sound, plan.seconds)]
        maps += plan.container.audio
    arguments = ffmpeg.command(
        *("-y", *inputs, *maps, "-c:v", "copy", "-bsf:v", stamps),
        *("-map_metadata", "-1", "-movflags", "+faststart"),
        *("-f", plan.container.muxer, ffmpeg.url(target.absolute())),
    )
    # Names in the list are relative, so no path has to survive the list's quoting rules.
    status, _, errors = ffmpeg.run_binary(arguments, timeout=3600, cwd=listing.parent)
    return status, errors


def _begin(sound: Sound) -> float:
    """Second of the sound's own clock at which the output begins."""
    return first_picture_time(sound.path, describe(sound.path)) + sound.start


def _sound_input(sound: Sound, length: Fraction) -> list[str]:
    """Arguments that open a sound, and read no further than it is heard."""
    limit = max(_begin(sound), 0.0) + float(length) + 1
    return ffmpeg.input_arguments(sound.path.absolute(), "-t", f"{limit:.6f}")


def _sound_filter(sound: Sound, length: Fraction) -> str:
    """Filters that move, cut and fill a sound to `length` seconds from the first picture on."""
    begin, seconds = _begin(sound), float(length)
    used = seconds if sound.duration is None else min(seconds, sound.duration)
    # What is silent before the sound begins is added behind, where it takes no memory.
    silent, begin = max(-begin, 0.0), max(begin, 0.0)
    return (
        f"{without_long_gaps(sound.path)}"
        f"asetpts=PTS-({begin:.9f})/TB,aresample=async=1:first_pts=0,"
        f"atrim=end={max(used - silent, 0):.9f},adelay={1000 * (sound.delay + silent):.6f}:all=1,"
        f"apad=whole_dur={seconds:.9f},atrim=end={seconds:.9f}"
    )


def _clean_sound(folder: Path, sound: Sound) -> Sound:
    """A copy without the samples that are no numbers, at which encoders stop."""
    samples = read_audio(sound.path, 48000, sound.start, sound.duration)
    path = fresh(partial_path(folder / "sound.wav"))
    write_wav(path, samples, 48000)
    return replace(sound, path=path, start=0.0)


def write_wav(path: Path, samples: Float, rate: int) -> None:
    """Write (S,) samples, -1..1, as one channel of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())


def _check(partial: Path, clip: Clip, plan: _Plan) -> None:
    """Look at the finished file with the eyes of a reader."""
    written = probe(partial)
    has_audio = plan.sound is not None
    expected = replace(clip, frame_count=plan.frames, has_audio=has_audio, still=False)
    wrong = [
        f"its {what} is {getattr(written, name)} instead of {getattr(expected, name)}"
        for name, what in _PROMISES.items()
        if getattr(written, name) != getattr(expected, name)
        and not (name == "sample_aspect" and _as_near_as_can_be(written, expected, plan))
    ]
    if wrong:
        raise MediaError(
            f"The written video is not what it should be: {', '.join(wrong)}.",
            "Please report this with the source file's details.",
        )


def _as_near_as_can_be(written: Clip, expected: Clip, plan: _Plan) -> bool:
    """Whether a pixel shape was only rounded: Matroska keeps a picture's size in whole pixels."""
    whole_pixels = plan.container.muxer in ("matroska", "webm")
    error = abs(written.sample_aspect / expected.sample_aspect - 1)
    return whole_pixels and error * min(expected.width, expected.height) <= 1


def _write_sound(path: Path, plan: _Plan) -> None:
    if plan.sound is None:
        return
    with atomic(path) as partial:
        arguments = ffmpeg.command(
            *("-y", *_sound_input(plan.sound, plan.seconds), "-map", "0:a:0", "-vn"),
            *("-af", _sound_filter(plan.sound, plan.seconds)),
            *("-f", "wav", ffmpeg.url(partial.absolute())),
        )
        status, _, errors = ffmpeg.run(arguments, timeout=3600)
        if status:
            raise write_error(path, errors)
