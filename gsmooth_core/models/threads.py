"""How many threads a run takes for itself."""

from __future__ import annotations

import os

import cv2
import torch


def leave_cores() -> None:
    """Keep torch and OpenCV off cores on which frames are composed and encoded meanwhile.

    Threads of torch burn the core they wait on. On two busy cores, two of them took four times the
    processor time of one, and were slower. What OpenCV is given are crops, too small to be shared
    out. OMP_NUM_THREADS and OPENCV_FOR_THREADS_NUM in the environment come first.
    """
    cores = os.cpu_count() or 1
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, cores // 2))
    if "OPENCV_FOR_THREADS_NUM" not in os.environ:
        cv2.setNumThreads(max(1, cores // 4))
