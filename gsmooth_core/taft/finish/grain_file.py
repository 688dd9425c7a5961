"""The grain of a clip in a file: frames that are made again later get the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gsmooth_core.storage.arrays import Arrays, load_arrays, save_arrays
from gsmooth_core.storage.layout import ArrayLayout, Layout, damaged
from gsmooth_core.taft.finish.grain import Grain
from gsmooth_core.taft.finish.still import BLOCK, StillBlocks

_LAYOUT: Layout = {
    "frames": ArrayLayout(("P",), 1e9, 0, kind="i"),
    "counts": ArrayLayout(("P",), 1e6, 0, kind="i"),
    "noise": ArrayLayout(("N", BLOCK, BLOCK, 3), 1e3),
    "brightness": ArrayLayout(("N",), 1e3),
}


def save_grain(path: Path, grain: Grain) -> None:
    """Write a file that `load_grain` reads; noise is kept to a thousandth of itself."""
    nothing = StillBlocks(np.zeros((0, BLOCK, BLOCK, 3), np.float32), np.zeros(0, np.float32))
    blocks = [*grain.blocks, nothing]
    arrays: Arrays = {
        "frames": grain.frames,
        "counts": np.array([len(one) for one in grain.blocks], np.int32),
        "noise": np.concatenate([one.noise for one in blocks]).astype(np.float16),
        "brightness": np.concatenate([one.brightness for one in blocks]).astype(np.float32),
    }
    save_arrays(path, "grain", arrays, {})


def load_grain(path: Path) -> Grain:
    """Read a file of grain.

    Raises:
        InputError: the file is missing, damaged or something else.
    """
    arrays, _ = load_arrays(path, "grain", _LAYOUT)
    ends = np.cumsum(arrays["counts"])
    if (ends[-1] if len(ends) else 0) != len(arrays["noise"]):
        raise damaged(path, "'counts' do not add up")
    noise = np.split(arrays["noise"].astype(np.float32), ends[:-1]) if len(ends) else []
    brightness = np.split(arrays["brightness"], ends[:-1]) if len(ends) else []
    blocks = [StillBlocks(n, b) for n, b in zip(noise, brightness, strict=True)]
    return Grain(arrays["frames"].tolist(), blocks)
