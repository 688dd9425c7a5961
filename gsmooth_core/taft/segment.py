"""Frames in, translated frames into a file, and the check of the promise about the rest of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

import cv2
import numpy as np

from gsmooth_core.media.encode import SegmentWriter
from gsmooth_core.media.planes import Planes
from gsmooth_core.taft.stored import StoredFrames
from gsmooth_core.taft.translate import Translator
from gsmooth_core.taft.translated import Translated
from gsmooth_core.types import Image


@dataclass(frozen=True)
class Twins:
    """The frames of a stretch as they are stored, with more bits than the translator sees.

    Attributes:
        pictures: in order.
        frames: lays new faces over them.
    """

    pictures: Iterator[Planes]
    frames: StoredFrames

    def write(self, translated: Translated, writer: SegmentWriter) -> int:
        """Write the next one with the new faces; returns its largest change outside the mask."""
        stored = next(self.pictures)
        made = self.frames.lay(stored, translated.lays)
        writer.write(made)
        return made.difference(stored, translated.mask)


def write_segment(
    frames: Iterable[tuple[int, Image]],
    translator: Translator,
    writer: SegmentWriter,
    on_frame: Callable[[int], None],
    twins: Twins | None = None,
) -> int:
    """Translate frames of a clip and write them.

    Args:
        frames: number and (H, W, 3) uint8 RGB of each, in order.
        translator: makes the new frames.
        writer: where they go; it is closed at the end.
        on_frame: called with the number of frames that are written so far; may raise to stop.
        twins: the same frames as they are stored, which are written in their place.

    Returns:
        the largest change of a pixel outside its frame's mask; anything but 0 is a fault.

    Raises:
        MediaError: the file cannot be written.
    """
    worst = 0
    with writer, closing(translator.translate_all(frames)) as made:
        for done, (frame, translated) in enumerate(made, 1):
            worst = max(worst, _outside_difference(frame, translated))
            if twins is None:
                writer.write(translated.frame)
            else:
                worst = max(worst, twins.write(translated, writer))
            on_frame(done)
    return worst


def _outside_difference(frame: Image, translated: Translated) -> int:
    outside = (~translated.mask).view(np.uint8)
    return int(cv2.norm(frame, translated.frame, cv2.NORM_INF, outside))
