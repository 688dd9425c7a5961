"""How freed memory is kept for the next frame, and given back between stages.

Every frame takes and frees the same large arrays. The C library of Linux (glibc) returns such
memory to the system and asks for it again, page by page: 15,000 faults and a tenth of the time of a
frame of a close-up. Other systems have allocators of their own, and are left alone.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # of malloc.h
_KEPT = 512 << 20  # bytes that are free before any are returned
_LARGE = 32 << 20  # bytes of an array that is mapped by itself: the most that glibc takes


def keep_freed() -> None:
    """Let memory that is freed serve the next frame, whichever thread makes it."""
    library = _glibc()
    if library is not None:
        for option, value in (
            (_TRIM_THRESHOLD, _KEPT),
            (_MMAP_THRESHOLD, _LARGE),
            (_ARENA_MAX, 1),  # what one thread frees, another one can use
        ):
            library.mallopt(option, value)


def give_back() -> None:
    """Return memory that is free, where a stage has ended that needed more than the next."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
