"""Looking on while a clip is read for something else, so that nothing is decoded twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gsmooth_core.types import FrameSource, Image, Opened


def watched(opened: Opened, look: Callable[[int, Image], None]) -> Opened:
    """The same clip; of each frame that is read of it, `look` is given number and picture."""

    @contextmanager
    def opens() -> Iterator[FrameSource]:
        with opened() as source:

            def read(frame: int) -> Image:
                picture = source(frame)
                look(frame, picture)
                return picture

            yield read

    return opens
