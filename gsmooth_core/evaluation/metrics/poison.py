"""The poison test: a generator whose figures are to count must not see what it is asked to make.

The pixels of frame t that are to be made new are replaced by noise, and so are all frames
nearby from which it may not borrow. If the output changes at all, the generator has looked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.errors import LeakError
from gsmooth_core.types import Bool, FrameSource, Image, Opened


class Made(Protocol):
    """What a generator returns; only the picture counts."""

    @property
    def frame(self) -> Image:
        """(H, W, 3) uint8 RGB."""
        ...


class Generator(Protocol):
    """What is checked: frames in, frames with another mouth out."""

    def translate(self, index: int, frame: Image) -> Made:
        """Frame number `index`, whose pixels are `frame`, with its new expression."""
        ...


Make = Callable[[Opened], Generator]
"""Makes a generator that knows no frames but those of the given clip."""


def refuse_leaks(
    make: Make,
    opened: Opened,
    hidden: Callable[[int], Bool],
    frames: Sequence[int],
    nearby: int = 0,
) -> None:
    """Let a generator pass only if it makes the same picture of poisoned frames.

    Args:
        make: makes a generator that knows no frames but those it is given.
        opened: opens the clip itself.
        hidden: frame number -> (H, W) pixels that it may not look at (see `masks.Masks.in_frame`).
        frames: frame numbers to check, ascending, each with something hidden.
        nearby: frames before and after from which it may not borrow either.

    Raises:
        LeakError: the output depends on what was hidden.
        ValueError: nothing is hidden in a frame, so that there is nothing to check.
    """
    clean = _made(make, opened, lambda _frame, picture: picture, frames)
    for place, frame in enumerate(frames):
        poison = Poison(frame, hidden(frame), nearby)
        (after,) = _made(make, opened, poison, [frame])
        # Outside of the hidden pixels both are given the same frame, so all must be equal.
        changed = int(np.abs(clean[place].astype(np.int16) - after).max(initial=0))
        if changed:
            raise LeakError(
                f"The generator looks at what it should make: hidden pixels of frame {frame} "
                f"change its output by up to {changed} of 255.",
                "Its figures would mean nothing. Hide the frame under its mask, and take "
                "references from elsewhere.",
            )


class Poison:
    """Replaces the hidden pixels of one frame, and all pixels of frames nearby, by noise."""

    def __init__(self, frame: int, hidden: Bool, nearby: int) -> None:
        if not hidden.any():
            raise ValueError(f"nothing is hidden in frame {frame}")
        self.frame, self.hidden, self.nearby = frame, hidden, nearby

    def __call__(self, frame: int, picture: Image) -> Image:
        """Frame number `frame` as the generator is to get it; always the same noise."""
        if abs(frame - self.frame) > self.nearby:
            return picture
        where = self.hidden if frame == self.frame else np.ones_like(self.hidden)
        noisy: NDArray[np.uint8] = picture.copy()
        rng = np.random.default_rng(frame)
        noisy[where] = rng.integers(0, 256, (int(where.sum()), 3), dtype=np.uint8)
        return noisy


def _made(
    make: Make,
    opened: Opened,
    change: Callable[[int, Image], Image],
    frames: Sequence[int],
) -> list[Image]:
    """The generator's pictures of `frames`, when each frame of the clip goes through `change`."""

    @contextmanager
    def changed() -> Iterator[FrameSource]:
        with opened() as source:
            yield lambda frame: change(frame, source(frame))

    generator = make(changed)
    with changed() as source:
        return [generator.translate(n, source(n)).frame for n in frames]
