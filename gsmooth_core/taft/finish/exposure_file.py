"""What a clip says about its shutter, in a file: frames made again later are as blurred."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gsmooth_core.storage.arrays import Arrays, load_arrays, save_arrays
from gsmooth_core.storage.layout import ArrayLayout, Layout
from gsmooth_core.taft.finish.exposure import Exposure

_LAYOUT: Layout = {
    "square": ArrayLayout((1,), 1e3),
    "error": ArrayLayout((1,), 1e9, 0),
    "frames": ArrayLayout((1,), 1e6, 0, kind="i"),
}


def save_exposure(path: Path, found: Exposure) -> None:
    """Write a file that `load_exposure` reads."""
    arrays: Arrays = {
        "square": np.array([found.square], np.float32),
        "error": np.array([found.error], np.float32),
        "frames": np.array([found.frames], np.int32),
    }
    save_arrays(path, "shutter", arrays, {})


def load_exposure(path: Path) -> Exposure:
    """Read a file of a shutter.

    Raises:
        InputError: the file is missing, damaged or something else.
    """
    arrays, _ = load_arrays(path, "shutter", _LAYOUT)
    square, error = (float(arrays[name][0]) for name in ("square", "error"))
    return Exposure(square, error, int(arrays["frames"][0]))
