"""Frames as a viewer of an output sees them: filmed and made ones through the program's encoder.

In an output all frames of a stretch that is dubbed are coded anew, those that keep their mouth,
too. So both of a pair are: a made frame beside the source's own would lack one coding, or have one
more.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path

import numpy as np

from gsmooth_core.job.job import Job
from gsmooth_core.job.source import Source
from gsmooth_core.job.stored import stored_run
from gsmooth_core.media import probe, read_frames
from gsmooth_core.media.encoding.encode import SegmentWriter, segment_path
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.encoding.fitting import fitted
from gsmooth_core.taft.segment import FramesMade
from gsmooth_core.taft.translate import Translator
from gsmooth_core.taft.translated import Translated
from gsmooth_core.taft.warping.box import Corners
from gsmooth_core.types import Image

BEFORE, AFTER = 12, 6
"""Frames of a stretch beside the one that is looked at: pictures lean on others on both sides."""


class AsFilmed:
    """A translator that leaves all as it is."""

    def translate_all(
        self, frames: Iterable[tuple[int, Image]]
    ) -> Generator[tuple[Image, Translated]]:
        """See `Translator`."""
        for _, frame in frames:
            nothing = np.zeros(frame.shape[:2], bool)
            yield frame, Translated(frame, nothing, nothing)

    def looks_at(self, index: int) -> list[Corners]:
        """See `Translator`."""
        del index
        return []


class Viewer:
    """Shows frames of one clip as they are in a file that is written by default.

    Args:
        source: the clip.
        folder: for files that are read again at once.
    """

    def __init__(self, source: Path, folder: Path) -> None:
        self._source = Source(Job(source, folder / "output.mp4"))
        clip, output = self._source.clip, self._source.job.output
        self._wish = fitted(Wish(), clip, output, 0, clip.frame_count)

    def shown(self, frame: int, translator: Translator) -> Image:
        """(H, W, 3) frame number `frame`, coded among those around it.

        Args:
            frame: its number.
            translator: makes the frames of the stretch.
        """
        clip, output, first = self._source.clip, self._source.job.output, max(0, frame - BEFORE)
        count = min(frame + AFTER + 1, clip.frame_count) - first
        frames = enumerate(self._source.read(first, count), first)
        stored = stored_run(self._source, [(first, count)], translator)
        path = segment_path(output.parent, 0, output)
        with FramesMade(stored or frames, translator) as made:
            writer = SegmentWriter(path, clip, output, wish=self._wish, stored=made.stored)
            made.write(None, writer, lambda done: None)
        return next(read_frames(probe(path), frame - first, 1))
