"""The pictures of a job's frames as they are stored, for sources whose pictures travel so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gsmooth_core.job.length import read_pictures
from gsmooth_core.job.source import Source
from gsmooth_core.media.encoding.encode import travels_into
from gsmooth_core.media.pictures.decode import read_planes
from gsmooth_core.media.pictures.pixels import Pixels
from gsmooth_core.media.pictures.planes import Planes
from gsmooth_core.media.pictures.tone import Tone
from gsmooth_core.media.reading.probe import probe_source
from gsmooth_core.taft.stored import StoredFrames, StoredRun
from gsmooth_core.taft.translate import Translator


def stored_run(
    source: Source, runs: Sequence[tuple[int, int]], translator: Translator
) -> StoredRun | None:
    """Some frames as they are stored; None where RGB is all there is.

    Args:
        source: of the job.
        runs: first frame and number of frames of each run, in order.
        translator: what they go through.

    Raises:
        MediaError: while they are read, as by `read_frames`.
    """
    read = probe_source(source.clip.path)
    if travels_into(read, source.job.output) is None or source.job.animate is not None:
        return None
    frames = StoredFrames(Pixels(read.picture), Tone.of(read.picture))
    pictures = (pair for run in runs for pair in enumerate(_pictures(source, *run), run[0]))
    return StoredRun(pictures, frames, translator.looks_at)


def _pictures(source: Source, start: int, count: int) -> Iterator[Planes]:
    first = source.job.start_frame
    if source.plain:
        return read_planes(source.clip, first + start, count)
    part = source.pictures[start : start + count]
    return read_pictures(source.clip, first, part, read_planes)
