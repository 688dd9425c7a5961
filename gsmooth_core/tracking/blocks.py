"""Long clips, a few frames at a time: what is worked out between takes no more memory than that."""

from __future__ import annotations

from collections.abc import Iterator

BLOCK = 256
"""Frames."""


def blocks(count: int) -> Iterator[slice]:
    """Slices that cover `count` frames in order, each of `BLOCK` and the last of what is left."""
    return (slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK))
