"""Frames in, translated frames into a file, and the check of the promise about the rest of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing

import cv2
import numpy as np

from gsmooth_core.media.encode import SegmentWriter
from gsmooth_core.taft.stored import StoredRun
from gsmooth_core.taft.translate import Translator
from gsmooth_core.taft.translated import Translated
from gsmooth_core.types import Image


def write_segment(
    frames: Iterable[tuple[int, Image]] | StoredRun,
    translator: Translator,
    writer: SegmentWriter,
    on_frame: Callable[[int], None],
) -> int:
    """Translate frames of a clip and write them.

    Args:
        frames: number and (H, W, 3) uint8 RGB of each, in order; or as they are stored.
        translator: makes the new frames.
        writer: where they go; it is closed at the end.
        on_frame: called with the number of frames that are written so far; may raise to stop.

    Returns:
        the largest change of a sample outside its frame's mask; anything but 0 is a fault.

    Raises:
        MediaError: the file cannot be written.
    """
    worst = 0
    stored = frames if isinstance(frames, StoredRun) else None
    given = frames.shown() if isinstance(frames, StoredRun) else frames
    with writer, closing(translator.translate_all(given)) as made:
        for done, (frame, translated) in enumerate(made, 1):
            if stored is None:
                picture, outside = translated.frame, _outside_difference(frame, translated)
                writer.write(picture)
            else:
                planes, outside = stored.made(translated)
                writer.write(planes)
            worst = max(worst, outside)
            on_frame(done)
    return worst


def _outside_difference(frame: Image, translated: Translated) -> int:
    outside = (~translated.mask).view(np.uint8)
    return int(cv2.norm(frame, translated.frame, cv2.NORM_INF, outside))
