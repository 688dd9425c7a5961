"""How many threads a run takes for itself."""

from __future__ import annotations

import ctypes
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import cv2

_GIVEN = os.environ.get("OMP_NUM_THREADS", "")  # by the user, before `leave_cores` says something
_ALONE = "1"  # threads of OpenBLAS: the matrices of a frame are too small to be shared out


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
    out; so are the matrices that OpenBLAS is given by numpy and scipy, and its threads spin, too.
    OMP_NUM_THREADS, OPENBLAS_NUM_THREADS and OPENCV_FOR_THREADS_NUM in the environment come first.
    """
    if not {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"} & os.environ.keys():
        os.environ["OPENBLAS_NUM_THREADS"] = _ALONE  # for what is loaded later
        for library in loaded_blas():
            _set_threads(library, int(_ALONE))
    if "OMP_NUM_THREADS" not in os.environ:
        # torch may not have been loaded yet, and takes its number from here when it is.
        os.environ["OMP_NUM_THREADS"] = str(network_threads())
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(network_threads())
    if "OPENCV_FOR_THREADS_NUM" not in os.environ:
        cv2.setNumThreads(max(1, (os.cpu_count() or 1) // 4))


def loaded_blas() -> list[ctypes.CDLL]:
    """OpenBLAS as numpy and scipy bring it, as far as they have loaded it."""
    packages = [
        p for p, user in (("numpy", "numpy"), ("scipy", "scipy.linalg")) if user in sys.modules
    ]
    return [ctypes.CDLL(str(file)) for package in packages for file in _blas_files(package)]


def _blas_files(package: str) -> list[Path]:
    """The files of a package's own OpenBLAS: beside it, or in it on macOS."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return []
    inside = Path(spec.origin).parent
    folders = inside.with_name(f"{package}.libs"), inside / ".dylibs"
    return [file for folder in folders for file in folder.glob("*openblas*")]


def _set_threads(library: ctypes.CDLL, count: int) -> None:
    """Every build gives the function another name: by whom it is, and how long its integers are."""
    for by in ("", "scipy_"):
        for bits in ("", "64_"):
            if set_threads := getattr(library, f"{by}openblas_set_num_threads{bits}", None):
                set_threads(count)
