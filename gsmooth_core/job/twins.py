"""The stored pictures of a job's frames, for sources with more than 8 bits or transparency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from gsmooth_core.job.length import read_pictures
from gsmooth_core.job.source import Source
from gsmooth_core.media.coding import travels_as
from gsmooth_core.media.decode import read_planes
from gsmooth_core.media.pixels import Pixels
from gsmooth_core.media.planes import Planes
from gsmooth_core.media.probe import probe_source
from gsmooth_core.media.tone import Tone
from gsmooth_core.taft.segment import Twins
from gsmooth_core.taft.stored import StoredFrames


def twins(source: Source, runs: Sequence[tuple[int, int]]) -> Twins | None:
    """The twins of some frames; None where the frames are all there is.

    Args:
        source: of the job.
        runs: first frame and number of frames of each run, in order.

    Raises:
        MediaError: while they are read, as by `read_frames`.
    """
    read = probe_source(source.clip.path)
    if travels_as(read) is None or source.job.animate is not None:
        return None
    frames = StoredFrames(Pixels(read.picture), Tone.of(read.picture))
    pictures = chain.from_iterable(_pictures(source, *run) for run in runs)
    return Twins(pictures, frames)


def _pictures(source: Source, start: int, count: int) -> Iterator[Planes]:
    first = source.job.start_frame
    if source.plain:
        return read_planes(source.clip, first + start, count)
    part = source.pictures[start : start + count]
    return read_pictures(source.clip, first, part, read_planes)
