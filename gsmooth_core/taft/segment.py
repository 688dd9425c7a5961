"""Frames in, translated frames into a file, and the check of the promise about the rest of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing

import cv2
import numpy as np

from gsmooth_core.media.encode import SegmentWriter
from gsmooth_core.taft.stored import StoredRun
from gsmooth_core.taft.translate import Translator
from gsmooth_core.taft.translated import Translated
from gsmooth_core.types import Image

_AHEAD = 1  # frames that are laid and written while the next one is made


def write_segment(
    frames: Iterable[tuple[int, Image]] | StoredRun,
    translator: Translator,
    writer: SegmentWriter,
    on_frame: Callable[[int], None],
    later: ExitStack | None = None,
) -> int:
    """Translate frames of a clip and write them.

    One frame is laid and written on a second thread while the next one is made: an encoder takes
    frames in bursts, and need not be waited for.

    Args:
        frames: number and (H, W, 3) uint8 RGB of each, in order; or as they are stored.
        translator: makes the new frames.
        writer: where they go; it is closed at the end.
        on_frame: called with the number of frames that are written so far; may raise to stop.
        later: closes the writer instead, which waits until the encoder is done.

    Returns:
        the largest change of a sample outside its frame's mask; anything but 0 is a fault.

    Raises:
        MediaError: the file cannot be written.
    """
    stored = frames if isinstance(frames, StoredRun) else None
    given = frames.shown() if isinstance(frames, StoredRun) else frames

    def write(frame: Image, translated: Translated) -> int:
        if stored is None:
            writer.write(translated.frame)
            return _outside_difference(frame, translated)
        planes, outside = stored.made(translated)
        writer.write(planes)
        return outside

    worst, done, writing = 0, 0, deque[Future[int]]()
    with ExitStack() as closes, ThreadPoolExecutor(1, "write") as thread:
        closes.enter_context(writer)
        with closing(translator.translate_all(given)) as made:
            for frame, translated in made:
                writing.append(thread.submit(write, frame, translated))
                if len(writing) > _AHEAD:
                    worst, done = max(worst, writing.popleft().result()), done + 1
                    on_frame(done)
        for last in writing:
            worst, done = max(worst, last.result()), done + 1
            on_frame(done)
        if later is not None:
            later.push(closes.pop_all())
    return worst


def _outside_difference(frame: Image, translated: Translated) -> int:
    outside = (~translated.mask).view(np.uint8)
    return int(cv2.norm(frame, translated.frame, cv2.NORM_INF, outside))
