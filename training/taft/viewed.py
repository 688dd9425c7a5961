"""Frames as a viewer of an output sees them: filmed and made ones through the program's encoder.

In an output all frames of a stretch that is dubbed are coded anew, those that keep their mouth,
too. So both of a pair are: a made frame beside the source's own would lack one coding, or have one
more.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from pathlib import Path

import numpy as np

from gsmooth_core.media import probe, read_frames
from gsmooth_core.media.encoding.encode import SegmentWriter, segment_path, travels_into
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.media.encoding.fitting import fitted
from gsmooth_core.media.pictures.decode import read_planes
from gsmooth_core.media.pictures.pixels import Pixels
from gsmooth_core.media.pictures.tone import Tone
from gsmooth_core.media.reading.probe import probe_source
from gsmooth_core.taft.segment import FramesMade
from gsmooth_core.taft.stored import StoredFrames, StoredRun
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
        self._clip, self._output = probe(source), folder / "output.mp4"
        self._wish = fitted(Wish(), self._clip, self._output, 0, self._clip.frame_count)

    def shown(self, frame: int, translator: Translator) -> Image:
        """(H, W, 3) frame number `frame`, coded among those around it.

        Args:
            frame: its number.
            translator: makes the frames of the stretch.
        """
        clip, output, first = self._clip, self._output, max(0, frame - BEFORE)
        count = min(frame + AFTER + 1, clip.frame_count) - first
        read, frames = probe_source(clip.path), enumerate(read_frames(clip, first, count), first)
        given: Iterable[tuple[int, Image]] | StoredRun = frames
        if travels_into(read, output) is not None:
            kept = StoredFrames(Pixels(read.picture), Tone.of(read.picture))
            planes = enumerate(read_planes(clip, first, count), first)
            given = StoredRun(planes, kept, translator.looks_at)
        path = segment_path(output.parent, 0, output)
        with FramesMade(given, translator) as made:
            writer = SegmentWriter(path, clip, output, wish=self._wish, stored=made.stored)
            made.write(None, writer, lambda done: None)
        return next(read_frames(probe(path), frame - first, 1))
