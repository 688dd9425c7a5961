"""The poison check: a generator whose figures are to count may not see what it is asked for.

The pixels of frame t that are to be made new are replaced by noise, and so are all frames
nearby from which it may not borrow. If the output changes at all, the generator has looked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.data import Bool, Image
from gsmooth_core.errors import LeakError

FrameSource = Callable[[int], Image]
"""Frame number -> (H, W, 3) uint8 RGB."""


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


Make = Callable[[FrameSource], Generator]
"""Makes a generator that takes its references from the given frames."""


def refuse_leaks(
    make: Make,
    source: Sequence[Image],
    hidden: Callable[[int], Bool],
    frames: Sequence[int],
    nearby: int = 0,
    seed: int = 0,
) -> None:
    """Let a generator pass only if it makes the same picture of poisoned frames.

    Args:
        make: makes the generator.
        source: the clip's frames.
        hidden: frame number -> (H, W) pixels that it may not look at (see `masks.Masks.in_frame`).
        frames: frame numbers to check, each with something hidden.
        nearby: frames before and after from which it may not borrow either.
        seed: of the noise.

    Raises:
        LeakError: the output depends on what was hidden.
        ValueError: nothing is hidden in a frame, so that there is nothing to check.
    """
    rng = np.random.default_rng(seed)
    clean = make(source.__getitem__)
    for frame in frames:
        covered_pixels = hidden(frame)
        if not covered_pixels.any():
            raise ValueError(f"nothing is hidden in frame {frame}")
        poisoned = _poisoned(source, frame, covered_pixels, nearby, rng)
        before = clean.translate(frame, source[frame]).frame
        after = make(poisoned.__getitem__).translate(frame, poisoned[frame]).frame
        # Outside of the hidden pixels both are given the same frame, so all must be equal.
        changed = int(np.abs(before.astype(np.int16) - after).max(initial=0))
        if changed:
            raise LeakError(
                f"The generator looks at what it should make: hidden pixels of frame {frame} "
                f"change its output by up to {changed} of 255.",
                "Its figures would mean nothing. Hide the frame under its mask, and take "
                "references from elsewhere.",
            )


def _poisoned(
    source: Sequence[Image],
    frame: int,
    hidden: Bool,
    nearby: int,
    rng: np.random.Generator,
) -> list[Image]:
    frames = list(source)
    for other in range(max(0, frame - nearby), min(len(frames), frame + nearby + 1)):
        everywhere = np.ones_like(hidden)
        frames[other] = _with_noise(frames[other], hidden if other == frame else everywhere, rng)
    return frames


def _with_noise(picture: Image, where: Bool, rng: np.random.Generator) -> Image:
    noisy: NDArray[np.uint8] = picture.copy()
    noisy[where] = rng.integers(0, 256, (int(where.sum()), 3), dtype=np.uint8)
    return noisy
