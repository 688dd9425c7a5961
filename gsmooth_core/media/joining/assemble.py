"""Segments and a sound into one file: no picture is encoded again, and the result is checked."""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from gsmooth_core.errors import MediaError
from gsmooth_core.media import ffmpeg
from gsmooth_core.media.encoding.encode import container_for, write_error
from gsmooth_core.media.encoding.losses import Loss
from gsmooth_core.media.encoding.pace import paced, same_times
from gsmooth_core.media.joining.carry import Carried, plan
from gsmooth_core.media.joining.covers import as_files
from gsmooth_core.media.joining.mux import Joined, Sound, mux_command, sound_graph
from gsmooth_core.media.joining.parameter_sets import Refused
from gsmooth_core.media.joining.sound_grid import refusal
from gsmooth_core.media.joining.sound_rate import track_rate
from gsmooth_core.media.joining.sound_weave import woven
from gsmooth_core.media.pictures.images import first_number, image_target, packed_number, sequence
from gsmooth_core.media.reading.description import describe
from gsmooth_core.media.reading.probe import probe, probe_source
from gsmooth_core.media.sound.audio import read_audio
from gsmooth_core.storage.files import atomic, fresh, partial_path
from gsmooth_core.types import Clip, Float


def assemble(
    segments: Sequence[Path],
    output: Path,
    clip: Clip,
    frames: int,
    sound: Sound | None = None,
    carried: Carried | None = None,
    *,
    timed: bool = False,
    first: int = 0,
    on_loss: Callable[[Loss], None] = lambda loss: None,
) -> Path:
    """Join segments and sound into `output`, which appears only when it is whole.

    Args:
        segments: in order, as `SegmentWriter` wrote them, all in one folder.
        output: final path; for PNG frames a folder or a pattern such as `frames/%05d.png`.
        clip: the source, for the rate, size and pixel shape that the output must have.
        frames: how many frames the segments hold together.
        sound: its sound, cut or filled with silence to the length of the picture, at the source's
            rate or its own where that is higher.
        carried: the source whose other streams and tags the output shall have, as far as its
            container can hold them.
        timed: whether there is one segment alone, whose frames have their times already.
        first: the source's frame that is the output's first, for the numbers of images.
        on_loss: told about what was found only now not to be as it was.

    Returns:
        the path written: `output`, or the folder of the frames.

    Raises:
        MediaError: writing fails, or the result is not what it should be.
    """
    container = container_for(output)
    planned = plan(carried, container.muxer) if carried else None
    beside = container.video and _alpha_beside(segments[0], clip)
    reordered = container.video and _reordered(segments[0])
    if sound is not None:
        heard = [(sound.path, sound.track), *((bed.path, bed.track) for bed in sound.beds)]
        sound = replace(sound, rate=track_rate(heard, carried))
    joined = Joined(container, clip.fps, frames, sound, carried, planned, beside, timed, reordered)
    if not container.video:
        images = [image for segment in segments for image in sorted(segment.iterdir())]
        number, keep = first_number(clip.path, first), packed_number(clip.path) is not None
        with sequence(output, images, number, keep=keep) as folder:
            _write_sound(folder / "sound.wav", _mixed(joined))
        return image_target(output)[0]
    here = segments[0].parent
    with atomic(output) as partial, tempfile.TemporaryDirectory(dir=here) as folder_name:
        joined = _copied_around(joined, Path(folder_name), on_loss)
        joined = _covers_beside(joined, Path(folder_name), on_loss)
        status, errors = _join(segments, partial, joined)
        if status:
            raise write_error(output, errors)
        _check(partial, clip, joined)
    return output


def _reordered(segment: Path) -> bool:
    video = describe(segment).video
    return video is not None and video.reordered


def _alpha_beside(segment: Path, clip: Clip) -> bool:
    """Whether segments have a second stream for what can be seen through, as WebM's have."""
    if not probe_source(clip.path).picture.alpha:
        return False
    picture = describe(segment).picture
    return picture is not None and picture.alpha_beside


def _copied_around(joined: Joined, folder: Path, on_loss: Callable[[Loss], None]) -> Joined:
    """With the packets of the source's own sound around the speech, where these can be had."""
    sound, carried, muxer = joined.sound, joined.carried, joined.container.muxer
    if not isinstance(sound, Sound) or not sound.beds or carried is None:
        return _mixed(joined)
    bed, rate = sound.beds[0], sound.rate or 0
    own = (bed.path, bed.track, bed.start) == (carried.path, carried.replaced, 0.0)
    if not own or bed.heard is None or refusal(bed.path, bed.track, muxer, rate):
        return _mixed(joined)
    try:
        return replace(joined, sound=woven(sound, joined, folder))
    except Refused as why:
        text = f"Sound track {bed.track + 1} is coded anew as a whole, for the speech in it: {why}."
        on_loss(Loss("sound", text))
        return _mixed(joined)


def _covers_beside(joined: Joined, folder: Path, on_loss: Callable[[Loss], None]) -> Joined:
    """With its covers as files, where the container has no pictures that stand still."""
    planned, carried = joined.plan, joined.carried
    if planned is None or carried is None or joined.container.muxer != "matroska":
        return joined
    covers = [other for other in planned.others if other.kind == "cover"]
    others = tuple(other for other in planned.others if other.kind != "cover")
    attached = as_files(carried.path, covers, folder, on_loss)
    return replace(joined, plan=replace(planned, others=others), attached=attached)


def _mixed(joined: Joined) -> Joined:
    """With the factor by which a speech and its beds are made quieter."""
    if not isinstance(joined.sound, Sound) or not joined.sound.beds:
        return joined
    return replace(joined, gain=1 / max(1.0, _peak(joined.sound, joined)))


# What an output promises, by the field of `Clip` that holds it.
_PROMISES = {
    "frame_count": "number of frames",
    "width": "width",
    "height": "height",
    "fps": "frame rate",
    "sample_aspect": "pixel shape",
    "has_audio": "having sound",
}


def _peak(sound: Sound, joined: Joined) -> float:
    """The largest sample of a sound with its beds."""
    opened, graph = sound_graph(sound, joined, 0)
    arguments = ffmpeg.command(
        *opened, "-filter_complex", f"{graph}[out]", "-map", "[out]", "-f", "f32le", "-"
    )
    peak, rest = 0.0, b""
    with ffmpeg.Pipe(arguments, write=False, timeout=3600) as pipe:
        for part in pipe.parts():
            data = rest + part
            whole = len(data) // 4 * 4
            samples, rest = np.frombuffer(data[:whole], "<f4"), data[whole:]
            peak = max(peak, float(np.abs(np.nan_to_num(samples)).max(initial=0.0)))
        if pipe.finish():
            raise MediaError(
                f"The sounds cannot be mixed: {ffmpeg.last_line(pipe.errors)}.", "Convert to WAV."
            )
    return peak


def _join(segments: Sequence[Path], target: Path, joined: Joined) -> tuple[int, str]:
    folder = segments[0].parent
    if joined.timed:
        return _mux_clean(segments[0], target, joined)
    with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".ffconcat", delete=False) as file:
        file.write("ffconcat version 1.0\n")
        file.writelines(f"file {segment.name}\n" for segment in segments)
    listing = Path(file.name)
    try:
        return _mux_clean(listing, target, joined)
    finally:
        listing.unlink()


def _mux_clean(listing: Path, target: Path, joined: Joined) -> tuple[int, str]:
    status, errors = _mux(listing, target, joined)
    if status and isinstance(joined.sound, Sound) and "NaN" in errors:
        clean = _clean_sound(listing.parent, joined.sound)
        status, errors = _mux(listing, target, replace(joined, sound=clean))
        clean.path.unlink()
    return status, errors


def _mux(listing: Path, target: Path, joined: Joined) -> tuple[int, str]:
    # Names in the list are relative, so no path has to survive the list's quoting rules.
    command = mux_command(listing, target, joined)
    status, _, errors = ffmpeg.run_binary(command, timeout=3600, cwd=listing.parent)
    return status, errors


def _clean_sound(folder: Path, sound: Sound) -> Sound:
    """A copy without the samples that are no numbers, at which encoders stop."""
    samples = read_audio(sound.path, 48000, sound.start, sound.duration, sound.track)
    path = fresh(partial_path(folder / "sound.wav"))
    write_wav(path, samples, 48000)
    return replace(sound, path=path, start=0.0, track=0)


def write_wav(path: Path, samples: Float, rate: int) -> None:
    """Write (S,) samples, -1..1, as one channel of 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())


def _check(partial: Path, clip: Clip, joined: Joined) -> None:
    """Look at the finished file with the eyes of a reader."""
    written = paced(probe(partial)) if clip.paced else probe(partial)
    if clip.paced and same_times(written, clip):
        written = replace(written, fps=clip.fps)  # a mean, which knows when the last one ends
    has_audio = bool(joined.sounds)
    expected = replace(clip, frame_count=joined.frames, has_audio=has_audio, still=False)
    wrong = [
        f"its {what} is {getattr(written, name)} instead of {getattr(expected, name)}"
        for name, what in _PROMISES.items()
        if getattr(written, name) != getattr(expected, name)
        and not (name == "sample_aspect" and _as_near_as_can_be(written, expected, joined))
    ]
    if wrong:
        raise MediaError(
            f"The written video is not what it should be: {', '.join(wrong)}.",
            "Please report this with the source file's details.",
        )


def _as_near_as_can_be(written: Clip, expected: Clip, joined: Joined) -> bool:
    """Whether a pixel shape was only rounded.

    Matroska keeps a picture's size in whole pixels; where pictures are copied, the source's file
    and its pictures may each round another way.
    """
    whole_pixels = joined.container.muxer in ("matroska", "webm") or joined.timed
    error = abs(written.sample_aspect / expected.sample_aspect - 1)
    return whole_pixels and error * min(expected.width, expected.height) <= 1


def _write_sound(path: Path, joined: Joined) -> None:
    sound = joined.sound
    if not isinstance(sound, Sound):
        return
    opened, graph = sound_graph(sound, joined, 0)
    plain = ["-map", f"0:a:{sound.track}", "-af", graph]
    mapped = ["-filter_complex", f"{graph}[out]", "-map", "[out]"]
    with atomic(path) as partial:
        arguments = ffmpeg.command(
            *("-y", *opened, "-vn", *(mapped if sound.beds else plain)),
            *("-f", "wav", ffmpeg.url(partial.absolute())),
        )
        status, _, errors = ffmpeg.run(arguments, timeout=3600)
        if status:
            raise write_error(path, errors)
