"""Processor time a frame of a dub, by stage and by function, after start-up.

    python -m tests.benchmarks.profile_dub [--video FILE --audio FILE] [--frames 75]

Wall time says little on a machine that does other work. Frames are made one after the other here:
with a second thread, its time would be counted for whatever the first one is at. The time of
decoders and encoders counts for the stage in which they end.
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Generator, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from gsmooth_core.dub import dub
from gsmooth_core.job.events import Event, Progress
from gsmooth_core.job.job import Job
from gsmooth_core.taft.translate import FaceTranslator
from gsmooth_core.taft.translated import Translated
from gsmooth_core.types import Image
from tests.benchmarks import bench_dub

WARM_FRAMES = 12


def used() -> np.ndarray:
    """(2,) seconds of processor time: of this process, and of the children that have ended."""
    kinds = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    return np.array([u.ru_utime + u.ru_stime for u in map(resource.getrusage, kinds)])


class Spent:
    """Adds up processor time from event to event for the stage of the later one."""

    def __init__(self) -> None:
        self.stages: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(2))
        self._last = used()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Progress):
            now = used()
            self.stages[event.stage] += now - self._last
            self._last = now


def one_by_one(
    self: FaceTranslator, frames: Iterable[tuple[int, Image]]
) -> Generator[tuple[Image, Translated]]:
    for index, frame in frames:
        yield frame, self.translate(index, frame)


def measure(job: Job, folder: Path, functions: int) -> None:
    """Dub once for the start-up, once for the stages, once for the functions; print both."""
    FaceTranslator.translate_all = one_by_one  # type: ignore[method-assign]
    dub(replace(job, frame_count=min(WARM_FRAMES, job.frame_count or WARM_FRAMES)), folder / "warm")
    spent, begin = Spent(), used()
    frames = dub(job, folder / "stages", spent).frames
    own, children = 1e3 * (used() - begin) / frames
    print(f"{frames} frames: {own:.1f} ms a frame, and {children:.1f} of decoders and encoders")
    for stage, seconds in spent.stages.items():
        print(f"  {stage:10} {1e3 * seconds[0] / frames:7.1f} {1e3 * seconds[1] / frames:7.1f}")
    profile = cProfile.Profile(time.process_time)
    profile.runcall(dub, job, folder / "functions")
    pstats.Stats(profile).strip_dirs().sort_stats("tottime").print_stats(functions)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--video", type=Path, help="by default a made clip of 1280x720")
    parser.add_argument("--audio", type=Path)
    parser.add_argument("--frames", type=int, default=75)
    parser.add_argument("--functions", type=int, default=25)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = bench_dub.job(folder, options.frames)
        if options.video:
            job = replace(job, video=options.video, audio=options.audio, expression=None)
        job = replace(job, output=folder / "dubbed.mp4", frame_count=options.frames)
        measure(job, folder, options.functions)


if __name__ == "__main__":
    main()
