"""What came of a job, as its report and the result event hold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gsmooth_core.job import seen
from gsmooth_core.job.events import Notice
from gsmooth_core.job.source import Source
from gsmooth_core.media.reading.probe import probe_source
from gsmooth_core.ranges import Ranges, ranges_of
from gsmooth_core.types import Bool


@dataclass(frozen=True)
class DubResult:
    """What came of a job.

    Attributes:
        output: the finished file (or folder of frames).
        frames: frames written.
        length: how they came to be as many: the setting of that name.
        source_frames: frames of the source that they are made from; a still is one each time.
        fps: rate of the output, "N/D".
        size: (width, height) in pixels.
        turned: degrees anticlockwise by which the output stands otherwise than the source's
            pictures are stored: a tag says how they are shown, and the output needs none.
        untouched_frames: [first, last] ranges in which nobody was dubbed.
        untouched: the same, with why.
        refused: frames that were not used as references by those that this run made, and why.
        shots: [first, last] of each shot.
        people: who is seen, and whose face was dubbed.
        outside_mask_max_difference: largest change of any pixel outside the mask of its frame,
            before encoding; anything but 0 is a fault of the program.
        seconds: time this run took.
        job: the job's folder.
        made_frames: [first, last] ranges that this run made; all others stood already.
        touched_frames: of these, the ranges whose own curves are as they were: what they borrow,
            or their file, changes with their neighbours'.
        written: whether the output was written; it is not where it is already what it should be.
        captions: [first, last] ranges in which letters or graphics lie over or near the mouth,
            and stay.
        occluders: [first, last] ranges in which something seems to be before the mouth, and stays.
        notices: what of the source the output has not as it was, and what was left before the
            mouth.
        copied_frames: [first, last] ranges of the output that are the source's own, bit by bit as
            they are stored.
    """

    output: str
    frames: int
    length: str
    source_frames: int
    fps: str
    size: tuple[int, int]
    turned: int
    untouched_frames: list[tuple[int, int]]
    untouched: list[seen.Untouched]
    refused: list[seen.Refused]
    shots: list[tuple[int, int]]
    people: list[seen.Seen]
    outside_mask_max_difference: int
    seconds: float
    job: str
    made_frames: Ranges
    touched_frames: Ranges
    written: bool
    captions: Ranges = field(default_factory=list)
    occluders: Ranges = field(default_factory=list)
    notices: Sequence[Notice] = ()
    copied_frames: Ranges = field(default_factory=list)


@dataclass(frozen=True)
class News:
    """What one run did.

    Attributes:
        made: (T,) frames that it made.
        touched: (T,) those of them whose own curves are as they were.
        written: whether the output was written.
        copied: [first, last] ranges of the output that are copied from the source.
    """

    made: Bool
    touched: Bool
    written: bool
    copied: Ranges


def dub_result(
    output: Path,
    source: Source,
    dubbed: Sequence[seen.Dubbed],
    outside: int,
    seconds: float,
    folder: Path,
    captions: Ranges,
    news: News,
) -> DubResult:
    """The result of a finished job.

    Args:
        output: the finished file.
        source: of the job.
        dubbed: who was dubbed, at least one.
        outside: the largest change of a pixel outside its mask, in levels.
        seconds: that the run took.
        folder: of the job.
        captions: what was burned in over the mouth.
        news: what the run did.
    """
    shown = source.shown
    return DubResult(
        output=str(output),
        frames=source.length,
        length=source.job.settings.length,
        source_frames=source.taken,
        fps=f"{shown.fps.numerator}/{shown.fps.denominator}",
        size=(shown.width, shown.height),
        turned=probe_source(shown.path).picture.turned,
        **seen.told(dubbed),
        outside_mask_max_difference=outside,
        seconds=round(seconds, 2),
        job=str(folder),
        made_frames=ranges_of(news.made),
        touched_frames=ranges_of(news.touched),
        written=news.written,
        captions=captions,
        copied_frames=news.copied,
    )
