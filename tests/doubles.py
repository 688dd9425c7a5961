"""A stand-in for the way (`gsmooth_core.run`) with real media, journal, lock and events.

It copies frames instead of dubbing them, so that worker, command line, resuming and cancelling
can be tested in seconds. `python -m tests.doubles worker` is the worker with it,
`python -m tests.doubles cli ...` the command line.
"""

from __future__ import annotations

import os
import sys
import time
import types
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gsmooth_core.job.checks import check
from gsmooth_core.job.events import Message, Progress, raise_if
from gsmooth_core.job.job import Job
from gsmooth_core.job.journal import Journal, fingerprint, stamp
from gsmooth_core.job.workplace import workplace
from gsmooth_core.media import Sound, assemble, probe, read_frames
from gsmooth_core.media.encoding.encode import SegmentWriter, segment_path
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.types import Expression, FaceTrack


@dataclass(frozen=True)
class DubResult:
    output: str
    frames: int
    fps: str
    size: tuple[int, int]
    untouched_frames: list[tuple[int, int]]
    outside_mask_max_difference: int
    seconds: float
    job: str


def dub(job: Job, folder: Path, on_event, cancelled, temporary: bool = False) -> DubResult:
    check(job)
    with workplace(folder, job.output, temporary=temporary):
        job.save(folder)
        clip = probe(job.video)
        journal = Journal(folder)
        inputs = fingerprint(video=stamp(job.video), settings=job.settings.to_json())
        on_event(Message("info", "this is a double"))
        print("a library prints")  # noqa: T201
        os.write(1, b"native code prints\n")
        segments, size = [], job.settings.chunk_frames
        for part, start in enumerate(range(0, clip.frame_count, size)):
            path = segment_path(folder, part, job.output)
            if not journal.finished("segment", inputs, path, part):
                _segment(path, clip, job, start, on_event, cancelled)
                journal.record("segment", inputs, path, part)
            segments.append(path)
        on_event(Progress("encode", 0, 1))
        sound = Sound(job.audio) if job.audio else None
        output = assemble(segments, job.output, clip, clip.frame_count, sound)
        return DubResult(
            str(output), clip.frame_count, str(clip.fps), (clip.width, clip.height), [], 0, 0.0,
            str(folder),
        )  # fmt: skip


def _segment(path, clip, job, start, on_event, cancelled) -> None:
    count = min(job.settings.chunk_frames, clip.frame_count - start)
    with SegmentWriter(path, clip, job.output, wish=Wish(preset="ultrafast")) as writer:
        for index, frame in enumerate(read_frames(clip, start, count), start):
            raise_if(cancelled)
            _misbehave(index)
            with (path.parent / "made.gsmooth-partial.txt").open("a") as file:
                file.write(f"{index}\n")
            writer.write(frame)
            on_event(Progress("render", index + 1, clip.frame_count))


def _misbehave(index: int) -> None:
    """Be slow or break, as the test that started this process asks for."""
    time.sleep(float(os.environ.get("DOUBLE_SECONDS", "0")))
    if os.environ.get("DOUBLE_BREAKS_AT") == str(index):
        raise RuntimeError("the double breaks")


class DubPipeline:
    def __init__(self, job: Job, folder: Path, on_event, cancelled) -> None:
        self.job, self.folder = job, folder
        self.emit, self.cancelled = on_event, cancelled

    def track(self) -> FaceTrack:
        self.emit(Progress("track", 1, 1))
        clip = probe(self.job.video)
        return face_track(clip.frame_count)

    def predict(self) -> Expression:
        return face_track(3).curves

    def target(self, track: FaceTrack) -> Expression:
        return track.curves

    def mesh(self, track: FaceTrack, curves: Expression) -> dict[str, str]:
        return {"mesh": str(self.folder / "mesh.safetensors"), "texture": ""}


def face_track(frames: int) -> FaceTrack:
    zeros = np.zeros((frames, 3), np.float32)
    return FaceTrack(
        96, 64, probe_rate(), "face_model", 100.0, np.zeros(2, np.float32), ("jawOpen",),
        np.zeros((frames, 1), np.float32), zeros, zeros, np.zeros((frames, 9, 3), np.float32),
        np.ones(frames, np.float32), np.zeros((frames, 478, 2), np.float32),
    )  # fmt: skip


def probe_rate():
    from fractions import Fraction

    return Fraction(25)


def module() -> types.ModuleType:
    """The double as a module, for tests that put it in the place of the real one for a while."""
    double = types.ModuleType("gsmooth_core.run")
    double.run_job, double.pipeline_of = dub, lambda _job: DubPipeline  # type: ignore[attr-defined]
    return double


def install() -> types.ModuleType:
    """Put the double into this process for good."""
    sys.modules["gsmooth_core.run"] = module()
    return sys.modules["gsmooth_core.run"]


if __name__ == "__main__":
    install()
    if sys.argv[1] == "worker":
        from gsmooth_core.app import worker

        sys.exit(worker.main(sys.argv[2:]))
    from gsmooth_core.app import cli

    sys.exit(cli.main(sys.argv[2:]))
