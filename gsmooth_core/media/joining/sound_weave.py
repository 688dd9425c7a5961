"""AAC around a speech, copied packet by packet: the speech's own stretch alone is coded anew.

A packet of AAC overlaps the next one by half of its window, and what both say of the overlap only
fits together where both have windows of the same slope, over the same sound. So a seam lies where
the own sound still goes on, at a place where the packets on both sides happen to have that: the
encoder codes some seconds more than the speech on each side, and of these a fitting place is taken.
Where there is none (encoders differ in their windows), all of the sound is coded anew, as for all
other codings. What is written is decoded at its seams, and compared with what was to be heard.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np

from gsmooth_core.media import ffmpeg
from gsmooth_core.media.joining.copies import remux
from gsmooth_core.media.joining.mux import Joined, Sound, Woven, sound_graph
from gsmooth_core.media.joining.parameter_sets import Refused
from gsmooth_core.media.joining.sound_grid import RUN_UP, SAMPLES, Grid, Seams, grid_of, places
from gsmooth_core.media.reading.probe import probe_source
from gsmooth_core.media.sound.beds import FADE, Bed
from gsmooth_core.types import Float

_ROUNDED = 50  # samples by which stamps of milliseconds may be off
_TRIED = 4  # fitting places on each side that are looked at
_LOOKED = 3.0  # seconds on each side of the speech in which a fitting place is looked for
_WORSE, _QUIET = 2.0, 1e-3
"""Times the noise of coding, and of full scale, by which a seam may differ from what was to be."""
_NOISY = 0.25  # of what is heard, by which what we coded may differ from it


def woven(sound: Sound, joined: Joined, folder: Path) -> Woven:
    """Put the packets of a source's sound around a stretch of it that is coded anew.

    Args:
        sound: a speech; the first of its beds is the source's own sound around it.
        joined: what the output is to be.
        folder: where files may lie as long as the output is written.

    Raises:
        MediaError: a file cannot be read or written.
        Refused: the packets do not fit together.
    """
    bed, grid = sound.beds[0], grid_of(sound.beds[0].path, sound.beds[0].track)
    stretch, sound = _stretch(bed, grid, joined), replace(sound, rate=grid.rate)
    ours, heard = _coded(sound, joined, stretch, folder)
    mine = grid_of(ours, 0)
    if mine.config != grid.config:
        raise Refused("it has another rate or other channels")
    at, count = stretch.first - 1, len(grid.windows)
    parts = _Parts(bed.path.absolute(), bed.track, ours, at)
    if late := _late(parts, stretch, heard, folder, count):
        moved = replace(stretch, zero=stretch.zero + late)
        ours, heard = _coded(sound, joined, moved, folder)
        mine = grid_of(ours, 0)
    if len(sound.beds) > 1 and np.abs(heard).max(initial=0.0) > 1:
        raise Refused("speech and music are louder together than it can hold")
    begins, ends = places(grid, mine.windows, at, stretch.quiet)
    look = partial(_alike, parts, stretch.first, heard, folder)
    lowest, highest = min(0, stretch.first), stretch.end
    begin: int | None = lowest
    end: int | None = highest
    if stretch.quiet.begin > 0:
        begin = next((c for c in begins[:_TRIED] if look(c, Seams(c, highest))), None)
    if stretch.quiet.end < count:
        end = next((c for c in ends[:_TRIED] if look(c, Seams(lowest, c))), None)
    if begin is None or end is None or (begin, end) == (lowest, highest):
        raise Refused("its packets do not fit ours")
    path, first = folder / "sound.m4a", min(begin, 0)
    _lay(path, parts.between(Seams(begin, end), first, end if end == highest else count))
    return Woven(path, float(Fraction(stretch.zero + SAMPLES * first, grid.rate)))


@dataclass(frozen=True)
class _Stretch:
    """What is coded, on the grid of a track's packets.

    Attributes:
        zero: sample of the output with which the track's packet 0 begins.
        first: number of the first one that is coded; those before the track's own are below 0.
        end: the one behind the last.
        quiet: see `seams`.
    """

    zero: int
    first: int
    end: int
    quiet: Seams


def _stretch(bed: Bed, grid: Grid, joined: Joined) -> _Stretch:
    timing = probe_source(bed.path).timing
    if timing is None or not bed.heard:
        raise Refused("all of it is replaced")
    zero, seconds = grid.first - round(timing.start * grid.rate), float(joined.seconds)
    begin = bed.heard[0][1] if bed.heard[0][0] == 0 else 0.0
    until = bed.heard[-1][0] if bed.heard[-1][1] >= seconds - 1e-6 else seconds

    def packet(second: float) -> float:
        return (second * grid.rate - zero) / SAMPLES

    quiet = Seams(floor(packet(begin - FADE)) - 1, ceil(packet(until + FADE)))
    lowest, highest = min(0, floor(packet(0)) - 1), ceil(packet(seconds))
    quiet = Seams(
        quiet.begin if begin else 0,
        quiet.end if until < seconds else max(highest, len(grid.windows)),
    )
    around = round(_LOOKED * grid.rate / SAMPLES) + RUN_UP
    first, end = max(lowest, quiet.begin - around), min(highest, quiet.end + around)
    return _Stretch(zero, first, end, quiet)


def _coded(sound: Sound, joined: Joined, stretch: _Stretch, folder: Path) -> tuple[Path, Float]:
    """A file of the stretch's packets, and (S, channels) what is heard in it."""
    opened, graph = sound_graph(sound, replace(joined, gain=1.0), 0)
    begin = stretch.zero + SAMPLES * stretch.first
    count, before = SAMPLES * (stretch.end - stretch.first), max(0, -begin)
    cut = f"adelay={before}S:all=1,atrim=start_sample={begin + before},asetpts=N/SR/TB"
    cut += f",apad=whole_len={count},atrim=end_sample={count}"
    path, plain = folder / "stretch.m4a", folder / "stretch.raw"
    channels = sound.beds[0].stream.channels
    command = ffmpeg.command(
        *("-y", *opened, "-filter_complex", f"{graph},{cut},asplit[coded][plain]"),
        *(
            "-map",
            "[coded]",
            *joined.container.sound_coder(channels),
            "-f",
            "mp4",
            ffmpeg.url(path),
        ),
        *("-map", "[plain]", "-f", "f32le", ffmpeg.url(plain)),
    )
    status, _, errors = ffmpeg.run(command, timeout=3600)
    if status:
        raise Refused(f"it cannot be coded ({ffmpeg.last_line(errors)})")
    heard = np.fromfile(plain, "<f4").reshape(-1, channels)
    plain.unlink()
    return path, heard


@dataclass(frozen=True)
class _Parts:
    """The packets of an output: a track's, and between its seams ours, of which `at` is first."""

    path: Path
    track: int
    ours: Path
    at: int

    def between(self, seams: Seams, first: int, end: int) -> list[dict[str, Any]]:
        """The pieces of packets `first` to `end` - 1."""
        runs = [
            (self.path, self.track, first, min(end, seams.begin), 0),
            (self.ours, 0, max(first, seams.begin), min(end, seams.end), self.at),
            (self.path, self.track, max(first, seams.end), end, 0),
        ]
        return [
            {"path": str(path.absolute()), "track": track, "first": a - at, "count": b - a}
            for path, track, a, b, at in runs
            if a < b
        ]


def _lay(target: Path, pieces: list[dict[str, Any]]) -> None:
    plan = {
        "output": ffmpeg.url(target.absolute()), "formats": ffmpeg.FORMATS, "samples": SAMPLES,
        "pieces": pieces,
    }  # fmt: skip
    listed = target.with_suffix(".json")
    listed.write_text(json.dumps(plan))
    try:
        remux("lay", str(listed.absolute()))
    finally:
        listed.unlink()


def _alike(parts: _Parts, first: int, heard: Float, folder: Path, cut: int, seams: Seams) -> bool:
    """Whether a seam sounds as what was to be heard, but for the noise of coding beside it.

    What some encoders leave to a decoder's own noise differs on the source's side, too.
    """
    begin, end = max(cut - RUN_UP, first), min(cut + RUN_UP, first + len(heard) // SAMPLES)
    decoded = _decoded(parts.between(seams, begin, end), folder, heard.shape[1])
    expected = heard[SAMPLES * (begin - first) :][: len(decoded)]
    signal, noise = (
        [float(np.sqrt(part.mean())) for part in _packets_of((values**2).mean(1))]
        for values in (expected, decoded[: len(expected)] - expected)
    )
    at = cut - begin
    if len(noise) <= at:
        return False
    ours = [n for n in range(2, len(noise)) if (n > at + 1) == (cut == seams.begin) and n != at]
    same = all(noise[n] <= max(_QUIET, _NOISY * signal[n]) for n in ours)
    beside = [level for n, level in enumerate(noise) if n > 1 and abs(n - at) > 1]
    return same and noise[at] <= max(_QUIET, _WORSE * max(beside, default=0.0))


def _packets_of(values: Float) -> list[Float]:
    """(S,) values in parts of a packet each; what is left of one is left out."""
    whole = values[: len(values) // SAMPLES * SAMPLES]
    return list(whole.reshape(-1, SAMPLES))


def _late(parts: _Parts, stretch: _Stretch, heard: Float, folder: Path, count: int) -> int:
    """Samples by which the own sound lies later in what was coded than in its packets.

    Where stamps are rounded, readers differ in the sample with which they begin.
    """
    quiet = stretch.quiet
    begin, end = max(stretch.first, 0), min(quiet.begin, count)
    if end - begin <= RUN_UP:
        begin, end = quiet.end, min(stretch.end, count)
    decoded = _decoded(parts.between(Seams(end, end), begin, end), folder, heard.shape[1])
    own = decoded[RUN_UP * SAMPLES // 2 : -_ROUNDED]
    start = SAMPLES * (begin - stretch.first) + RUN_UP * SAMPLES // 2

    def error(late: int) -> float:
        there = heard[max(start + late, 0) :][: len(own)]
        return float(((own[: len(there)] - there) ** 2).sum()) if len(there) else np.inf

    return min(sorted(range(-_ROUNDED, _ROUNDED + 1), key=abs), key=error)


def _decoded(pieces: list[dict[str, Any]], folder: Path, channels: int) -> Float:
    """(S, channels) what is heard of packets; nothing where they cannot be decoded."""
    path = folder / "part.m4a"
    _lay(path, pieces)
    command = ffmpeg.command(*ffmpeg.input_arguments(path.absolute()), "-f", "f32le", "-")
    status, data, _ = ffmpeg.run_binary(command)
    path.unlink()
    whole = 0 if status else len(data) // (4 * channels) * channels
    return np.frombuffer(data, "<f4", whole).reshape(-1, channels)
