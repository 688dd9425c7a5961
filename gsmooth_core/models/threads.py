"""How many threads a run takes for itself."""

from __future__ import annotations

import os
import sys

import cv2

_GIVEN = os.environ.get("OMP_NUM_THREADS", "")  # by the user, before `leave_cores` says something


def network_threads() -> int:
    """Threads of one network: half the cores, or OMP_NUM_THREADS of the environment."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(given)) if given.isdecimal() else max(1, (os.cpu_count() or 1) // 2)


def all_threads() -> int:
    """Threads of a network beside which nothing runs: all cores, or the user's OMP_NUM_THREADS."""
    return max(1, int(_GIVEN) if _GIVEN.isdecimal() else os.cpu_count() or 1)


def leave_cores() -> None:
    """Keep networks and OpenCV off cores on which frames are composed and encoded meanwhile.

    Threads of torch burn the core they wait on. On two busy cores, two of them took four times the
    processor time of one, and were slower. What OpenCV is given are crops, too small to be shared
    out. OMP_NUM_THREADS and OPENCV_FOR_THREADS_NUM in the environment come first.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        # torch may not have been loaded yet, and takes its number from here when it is.
        os.environ["OMP_NUM_THREADS"] = str(network_threads())
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(network_threads())
    if "OPENCV_FOR_THREADS_NUM" not in os.environ:
        cv2.setNumThreads(max(1, (os.cpu_count() or 1) // 4))
