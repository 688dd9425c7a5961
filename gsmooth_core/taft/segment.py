"""Frames in, translated frames into a file, and the check of the promise about the rest of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import islice
from typing import Self

import cv2
import numpy as np

from gsmooth_core.media.encoding.encode import SegmentWriter
from gsmooth_core.taft.stored import StoredRun
from gsmooth_core.taft.translate import Translator
from gsmooth_core.taft.translated import Translated
from gsmooth_core.types import Image

_AHEAD = 2  # frames that are laid and written while the next one is made


class FramesMade:
    """The new frames of a job, which are written segment by segment; a context manager.

    They are made in one go: what is read and made ahead does not run dry where a segment ends.

    Args:
        frames: number and (H, W, 3) uint8 RGB of each, in order; or as they are stored.
        translator: makes the new frames.
    """

    def __init__(
        self, frames: Iterable[tuple[int, Image]] | StoredRun, translator: Translator
    ) -> None:
        self._stored = frames if isinstance(frames, StoredRun) else None
        given = frames.shown() if isinstance(frames, StoredRun) else frames
        self._made = translator.translate_all(given)
        self._read = [given, frames.pictures] if isinstance(frames, StoredRun) else [given]

    @property
    def stored(self) -> bool:
        """Whether a writer gets pictures as they are stored."""
        return self._stored is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Make and read no more: an error keeps what it came through, and with it a decoder."""
        self._made.close()
        for frames in self._read:
            if isinstance(frames, Generator):
                frames.close()

    def write(
        self,
        count: int | None,
        writer: SegmentWriter,
        on_frame: Callable[[int], None],
        later: ExitStack | None = None,
    ) -> int:
        """Write the next frames.

        One frame is laid and written on a second thread while the next one is made: an encoder
        takes frames in bursts, and need not be waited for.

        Args:
            count: how many; None for all that are left.
            writer: where they go; it is closed at the end.
            on_frame: called with the number of frames that are written so far; may raise to stop.
            later: closes the writer instead, which waits until the encoder is done.

        Returns:
            the largest change of a sample outside its frame's mask; anything but 0 is a fault.

        Raises:
            MediaError: the file cannot be written.
        """
        worst, done, writing = 0, 0, deque[Future[int]]()
        with ExitStack() as closes, ThreadPoolExecutor(1, "write") as thread:
            closes.enter_context(writer)
            for frame, translated in islice(self._made, count):
                writing.append(thread.submit(self._one, writer, frame, translated))
                if len(writing) > _AHEAD:
                    worst, done = max(worst, writing.popleft().result()), done + 1
                    on_frame(done)
            for last in writing:
                worst, done = max(worst, last.result()), done + 1
                on_frame(done)
            if later is not None:
                later.push(closes.pop_all())
        return worst

    def _one(self, writer: SegmentWriter, frame: Image, translated: Translated) -> int:
        if self._stored is None:
            writer.write(translated.frame)
            return _outside_difference(frame, translated)
        planes, outside = self._stored.made(translated)
        writer.write(planes)
        return outside


def _outside_difference(frame: Image, translated: Translated) -> int:
    outside = (~translated.mask).view(np.uint8)
    return int(cv2.norm(frame, translated.frame, cv2.NORM_INF, outside))
