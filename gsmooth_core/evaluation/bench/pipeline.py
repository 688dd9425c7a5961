"""A dub against the clock: every stage, the whole way, and the floor of decoding and encoding."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gsmooth_core.dub import dub
from gsmooth_core.errors import CancelledError, MediaError
from gsmooth_core.job.events import Cancelled, Event, Message, OnEvent, Progress, raise_if
from gsmooth_core.job.job import Job
from gsmooth_core.job.notices import wish_of
from gsmooth_core.job.source import Source
from gsmooth_core.media import SegmentWriter
from gsmooth_core.networks.engine import has_torch

if TYPE_CHECKING:
    from gsmooth_core.evaluation.bench.generators import Comparison

WARM_FRAMES = 12
START_FRAMES = 50
"""Frames of a job that pays for all that each job pays for, however long: its start, the trial of
the rate factor, grain and detail of the clip."""
ROUNDS = 15


@dataclass(frozen=True)
class Bench:
    """What was measured on one clip.

    Attributes:
        frames: number of frames that were dubbed.
        size: width and height of the frames.
        fps: frames a second, end to end, the job's own start included.
        steady_fps: frames a second after it: of those beyond the first `START_FRAMES`, which are
            a job of their own. None where the clip has hardly more.
        start_s: seconds that such a start takes in a process that has made a dub before, as told
            by both jobs. None as above.
        stages_ms: milliseconds a frame of each stage; what overlaps counts for the stage that is
            waited for.
        floor_ms: milliseconds a frame of decoding and encoding alone.
        floor_share: the floor as a share of the whole time.
        memory_mb: largest memory of this process; 0 where the system does not tell.
        generators: the generator beside a network of Wav2Lip's size, where torch is installed.
    """

    frames: int
    size: tuple[int, int]
    fps: float
    steady_fps: float | None
    start_s: float | None
    stages_ms: Mapping[str, float]
    floor_ms: float
    floor_share: float
    memory_mb: float
    generators: Comparison | None


class Stages:
    """An observer that adds up the time from event to event for the stage of the later one."""

    def __init__(self, pass_on: OnEvent) -> None:
        self.pass_on = pass_on
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def __call__(self, event: Event) -> None:
        """Note the time and pass the event on."""
        if isinstance(event, Progress):
            now = time.perf_counter()
            self.seconds[event.stage] = self.seconds.get(event.stage, 0.0) + now - self._last
            self._last = now
        self.pass_on(event)


def bench(job: Job, on_event: OnEvent, cancelled: Cancelled) -> Bench:
    """Dub the clip of a job, from nothing, and measure.

    Args:
        job: what to dub; its output is not written.
        on_event: called with progress and messages.
        cancelled: asked whether to stop.

    Raises:
        CancelledError: the user stopped it; nothing of it is kept.
        GSmoothError: the job cannot be done.
    """
    try:
        return _measured(job, on_event, cancelled)
    except CancelledError as error:  # a dub that is stopped would be gone on with
        raise CancelledError(
            "The measurement was stopped.", "Run it again: it begins anew."
        ) from error


def _measured(job: Job, on_event: OnEvent, cancelled: Cancelled) -> Bench:
    with _scratch() as name:
        folder = Path(name)
        job = replace(job, output=folder / "dubbed.mp4")
        on_event(Message("info", "Starting up: models are loaded, kernels compiled."))
        count = Source(job).count
        timed = partial(_seconds, job, folder, cancelled)
        timed(min(WARM_FRAMES, count))
        short = timed(START_FRAMES) if count >= 2 * START_FRAMES else None
        stages, begin = Stages(on_event), time.perf_counter()
        result = dub(job, folder / "job", stages, cancelled)
        total = time.perf_counter() - begin
        floor = floor_seconds(job, folder, cancelled)
    count = result.frames
    clip = Source(job).clip
    steady, start = (None, None) if short is None else after_start(count, total, short)
    return Bench(
        frames=count,
        size=(clip.width, clip.height),
        fps=count / total,
        steady_fps=steady,
        start_s=start,
        stages_ms={stage: 1e3 * seconds / count for stage, seconds in stages.seconds.items()},
        floor_ms=1e3 * floor / count,
        floor_share=floor / total,
        memory_mb=peak_megabytes(),
        generators=_compared(),
    )


def _seconds(job: Job, folder: Path, cancelled: Cancelled, frames: int) -> float:
    """Seconds that the first frames of a job take, as a job of their own."""
    begin = time.perf_counter()
    dub(replace(job, frame_count=frames), folder / str(frames), lambda event: None, cancelled)
    return time.perf_counter() - begin


def after_start(frames: int, seconds: float, short: float) -> tuple[float | None, float | None]:
    """Frames a second after start-up, and seconds of it.

    Args:
        frames: of the whole job, more than `START_FRAMES`.
        seconds: that it took.
        short: seconds that the job of the first `START_FRAMES` took.

    Returns:
        None for both where other work on the machine made the short one take longer.
    """
    if seconds <= short:
        return None, None
    steady = (frames - START_FRAMES) / (seconds - short)
    return steady, max(0.0, short - START_FRAMES / steady)


def _scratch() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="gsmooth-bench-")
    except OSError as error:
        text = f"There is no folder for temporary files ({error.strerror})."
        raise MediaError(text, "Set TMPDIR to a folder that can be written.") from error


def floor_seconds(job: Job, folder: Path, cancelled: Cancelled) -> float:
    """Seconds that decoding and encoding the job's frames takes, with nothing in between."""
    source, wish = Source(job), wish_of(job)
    begin = time.perf_counter()
    writer = SegmentWriter(folder / "floor.mp4", source.shown, job.output, wish=wish)
    with writer:
        for frame in source.read(0, source.count):
            raise_if(cancelled)
            writer.write(frame)
    return time.perf_counter() - begin


def describe(measured: Mapping[str, Any]) -> str:
    """A `Bench` as plain values (`asdict`), in lines for the terminal."""
    width, height = measured["size"]
    said = f"{measured['frames']} frames of {width}x{height}: {measured['fps']:.1f} frames a second"
    if steady := measured["steady_fps"]:
        said += f", {steady:.1f} after a start of {measured['start_s']:.1f} s"
    lines = [
        said,
        *(f"  {stage:8} {ms:7.1f} ms a frame" for stage, ms in measured["stages_ms"].items()),
        f"  decoding and encoding alone: {measured['floor_ms']:.1f} ms a frame, "
        f"{measured['floor_share']:.0%} of the whole",
    ]
    if generators := measured["generators"]:
        lines.append(
            f"  generator at 256: {generators['generator_ms']:.0f} ms; a network of Wav2Lip's "
            f"size at 96: {generators['reference_ms']:.0f} ms; ratio {generators['ratio']:.2f}"
        )
    return "\n".join([*lines, f"  largest memory: {measured['memory_mb']:.0f} MB"])


def _compared() -> Comparison | None:
    if not has_torch():
        return None
    from gsmooth_core.evaluation.bench.generators import compare  # torch, an optional package

    return compare(ROUNDS)


def peak_megabytes() -> float:
    """Largest memory of this process so far, in MiB; 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0.0
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
