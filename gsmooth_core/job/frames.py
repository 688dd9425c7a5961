"""Single frames of a clip, asked for in ascending order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Protocol

from gsmooth_core.media import read_frames
from gsmooth_core.types import Box, Clip, Image

_LEAP = 150  # frames whose decoding takes longer than opening the file again


class OpenFrames(Protocol):
    """Frames by their number, asked for in ascending order, until it is closed."""

    def __call__(self, index: int) -> Image:
        """(H, W, 3) uint8 RGB of frame `index`."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class FrameReader:
    """Gives single frames of a clip, asked for in ascending order, decoding each at most once.

    Many frames that nobody asks for are not decoded: the file is opened again behind them.

    Args:
        clip: the clip.
        start: the clip's frame that is number 0 here.
        box: what has to be known of them, see `read_frames`; None for all.
    """

    def __init__(self, clip: Clip, start: int = 0, box: Box | None = None) -> None:
        self._clip, self._start, self._next, self._box = clip, start, 0, box
        self._frames = read_frames(clip, 0, 1) if clip.still else self._from(0)
        self._last: Image | None = None

    def close(self) -> None:
        """End the decoder, which may be in the middle of the clip."""
        getattr(self._frames, "close", lambda: None)()

    def __call__(self, index: int) -> Image:
        """(H, W, 3) uint8 RGB of frame `index`, which may not lie before the last one."""
        if self._clip.still:
            index = 0
        if self._last is None or index >= self._next:
            if index - self._next > _LEAP:
                self.close()
                self._frames = self._from(index)
                self._next = index
            self._last = next(islice(self._frames, index - self._next, None))
            self._next = index + 1
        elif index != self._next - 1:
            raise ValueError(f"frame {index} was asked for after frame {self._next - 1}")
        return self._last

    def _from(self, index: int) -> Iterator[Image]:
        return read_frames(self._clip, self._start + index, box=self._box)
