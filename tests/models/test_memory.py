"""Freed memory serves the next frame, and goes back to the system when a stage has ended."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

FRAMES = """
import resource, sys
import numpy as np
from gsmooth_core.models.memory import give_back, keep_freed
def held():
    line = next(x for x in open("/proc/self/status") if x.startswith("RssAnon"))
    return int(line.split()[1]) / 1024
if sys.argv[1] == "kept":
    keep_freed()
def frame():
    arrays = [np.ones(1 << 18) for _ in range(40)]  # 2 MB each
frame()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    frame()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before, held())
give_back()
print(held())
"""


@pytest.mark.skipif(
    sys.platform != "linux" or "CS_GNU_LIBC_VERSION" not in os.confstr_names,
    reason="the C library is not glibc",
)
def test_frames_after_the_first_ask_for_no_memory() -> None:
    plain, kept = (_run(way) for way in ("plain", "kept"))
    assert kept[0] < 200  # page faults; 40 arrays have 20,480 pages
    assert plain[0] > 10_000
    assert kept[2] < kept[1] - 60  # MB, after it was given back


def _run(way: str) -> list[float]:
    made = subprocess.run(
        [sys.executable, "-c", FRAMES, way], capture_output=True, text=True, check=True
    )
    return [float(word) for word in made.stdout.split()]
