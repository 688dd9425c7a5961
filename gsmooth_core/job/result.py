"""What came of a job, as its report and the result event hold it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gsmooth_core.job import seen
from gsmooth_core.job.source import Source
from gsmooth_core.mafb.occlusion.occluders import Occluders
from gsmooth_core.ranges import Ranges, ranges_of
from gsmooth_core.types import FaceTrack


@dataclass(frozen=True)
class DubResult:
    """What came of a job.

    Attributes:
        output: the finished file (or folder of frames).
        frames: frames written.
        fps: rate of the output, "N/D".
        size: (width, height) in pixels.
        untouched_frames: [first, last] ranges that passed without a usable face.
        untouched: the same, with why.
        shots: [first, last] of each shot.
        people: who is seen, and whose face was dubbed.
        outside_mask_max_difference: largest change of any pixel outside the mask of its frame,
            before encoding; anything but 0 is a fault of the program.
        seconds: time this run took.
        job: the job's folder.
        captions: [first, last] ranges in which letters or graphics lie over or near the mouth,
            and stay.
    """

    output: str
    frames: int
    fps: str
    size: tuple[int, int]
    untouched_frames: list[tuple[int, int]]
    untouched: list[seen.Untouched]
    shots: list[tuple[int, int]]
    people: list[seen.Seen]
    outside_mask_max_difference: int
    seconds: float
    job: str
    captions: Ranges = field(default_factory=list)


def dub_result(
    output: Path,
    source: Source,
    track: FaceTrack,
    outside: int,
    seconds: float,
    folder: Path,
    captions: Occluders | None = None,
) -> DubResult:
    """The result of a finished job.

    Args:
        output: the finished file.
        source: of the job.
        track: of the face that was dubbed.
        outside: the largest change of a pixel outside its mask, in levels.
        seconds: that the run took.
        folder: of the job.
        captions: what was burned in over the mouth.
    """
    shown = source.shown
    return DubResult(
        output=str(output),
        frames=shown.frame_count,
        fps=f"{shown.fps.numerator}/{shown.fps.denominator}",
        size=(shown.width, shown.height),
        untouched_frames=ranges_of(~track.usable),
        **seen.told(track),
        outside_mask_max_difference=outside,
        seconds=round(seconds, 2),
        job=str(folder),
        captions=captions.ranges() if captions else [],
    )
