"""How many threads a run takes for itself."""

from __future__ import annotations

import os

import torch


def leave_cores() -> None:
    """Keep torch to half of the cores: frames are composed and encoded on the others meanwhile.

    Threads of torch burn the core they wait on. On two busy cores, two of them took four times the
    processor time of one, and were slower. OMP_NUM_THREADS in the environment comes first.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))
