"""Frames in, translated frames into a file, and the check of the promise about the rest of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing

import cv2

from gsmooth_core.media.encode import SegmentWriter
from gsmooth_core.taft.translate import Translated, Translator
from gsmooth_core.types import Image


def write_segment(
    frames: Iterable[tuple[int, Image]],
    translator: Translator,
    writer: SegmentWriter,
    on_frame: Callable[[int], None],
) -> int:
    """Translate frames of a clip and write them.

    Args:
        frames: number and (H, W, 3) uint8 RGB of each, in order.
        translator: makes the new frames.
        writer: where they go; it is closed at the end.
        on_frame: called with the number of frames that are written so far; may raise to stop.

    Returns:
        the largest change of a pixel outside its frame's mask; anything but 0 is a fault.

    Raises:
        MediaError: the file cannot be written.
    """
    worst = 0
    with writer, closing(translator.translate_all(frames)) as made:
        for done, (frame, translated) in enumerate(made, 1):
            worst = max(worst, _outside_difference(frame, translated))
            writer.write(translated.frame)
            on_frame(done)
    return worst


def _outside_difference(frame: Image, translated: Translated) -> int:
    difference = cv2.absdiff(frame, translated.frame)  # (H, W, 3)
    difference[translated.mask] = 0
    return int(difference.max(initial=0))
