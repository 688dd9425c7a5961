"""Single frames of a segment exchanged, all others kept bit by bit.

That takes a segment in which every frame stands alone: pictures, or key frames only.
"""

from __future__ import annotations

import shutil
import tempfile
from fractions import Fraction
from pathlib import Path

from gsmooth_core.media import ffmpeg
from gsmooth_core.media.encoding.encode import write_error
from gsmooth_core.ranges import ranges_of
from gsmooth_core.storage.files import PARTIAL, atomic, cannot_write, remove_folder
from gsmooth_core.types import Bool


def splice(segment: Path, patch: Path, places: Bool, fps: Fraction, muxer: str = "mp4") -> None:
    """Put the frames of `patch` in the places of frames of `segment`; the patch goes.

    Args:
        segment: as `SegmentWriter` wrote it, of key frames or of pictures.
        patch: likewise, in the same folder, of as many frames as there are places.
        places: (n,) for each frame of the segment, whether it is exchanged.
        fps: the frame rate.
        muxer: ffmpeg's name of the segments' container.

    Raises:
        MediaError: it cannot be written.
    """
    if segment.is_dir():
        _exchange(segment, patch, places)
    else:
        _join(segment, patch, places, fps, muxer)


def _exchange(segment: Path, patch: Path, places: Bool) -> None:
    new = segment.with_name(segment.name + PARTIAL)
    remove_folder(new)
    try:
        shutil.copytree(segment, new)
        olds = (old for old, place in zip(sorted(new.iterdir()), places, strict=True) if place)
        for old, made in zip(olds, sorted(patch.iterdir()), strict=True):
            made.replace(old)
        remove_folder(segment)
        new.rename(segment)
        remove_folder(patch)
    except OSError as error:
        raise cannot_write(segment, error) from error


def _join(segment: Path, patch: Path, places: Bool, fps: Fraction, muxer: str) -> None:
    with tempfile.NamedTemporaryFile(
        "w", dir=segment.parent, suffix=".ffconcat", delete=False
    ) as file:
        file.write("ffconcat version 1.0\n" + _pieces(segment, patch, places, fps))
    listing = Path(file.name)
    ticks = f"*{fps.denominator}/({fps.numerator}*TB)"
    stamps = f"setts=pts=round(N{ticks}):dts=round(N{ticks}):duration=round(1{ticks})"
    scale = [] if muxer == "webm" else ["-video_track_timescale", str(fps.numerator)]
    try:
        with atomic(segment) as partial:
            arguments = ffmpeg.command(
                *("-y", "-f", "concat", "-safe", "0", "-i", listing.name, "-map", "0:v:0"),
                *("-c:v", "copy", "-bsf:v", stamps, *scale),
                *("-f", muxer, ffmpeg.url(partial.absolute())),
            )
            status, _, errors = ffmpeg.run_binary(arguments, timeout=3600, cwd=segment.parent)
            if status:
                raise write_error(segment, errors)
    finally:
        listing.unlink()
    patch.unlink()


def _pieces(segment: Path, patch: Path, places: Bool, fps: Fraction) -> str:
    """The runs of both files that follow each other, for ffmpeg's list."""
    runs = [(a, b, patch.name) for a, b in ranges_of(places)]
    runs += [(a, b, segment.name) for a, b in ranges_of(~places)]
    lines, used = "", 0
    for first, last, name in sorted(runs):
        begin = used if name == patch.name else first
        count = last - first + 1
        used += count if name == patch.name else 0
        # A quarter of a frame away from the stamps, which are rounded.
        inside, end = (float((begin + at) / fps) for at in (Fraction(1, 4), count - Fraction(1, 4)))
        lines += f"file {name}\ninpoint {inside:.6f}\noutpoint {end:.6f}\n"
    return lines
