"""What new mouths of a clip lack in detail, in a file: frames made again later get the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gsmooth_core.storage.arrays import Arrays, load_arrays, save_arrays
from gsmooth_core.storage.layout import ArrayLayout, Layout, damaged
from gsmooth_core.taft.finish import blotches
from gsmooth_core.taft.finish.sharpness import SIGMAS, Sharpness, Trial

_COLOURS = len(blotches.SIGMAS) - 1
_ENERGY = 1e6  # squared levels
_LAYOUT: Layout = {
    "counts": ArrayLayout(("N",), 1e6, 0, kind="i"),
    "pictures": ArrayLayout(("M",), 1e9, 0, kind="i"),
    "truth": ArrayLayout(("N", "P", len(SIGMAS)), _ENERGY, 0),
    "made": ArrayLayout(("N", "P", len(SIGMAS), *[1 + len(SIGMAS)] * 2), _ENERGY),
    "colour": ArrayLayout(("N", 2, 2, _COLOURS), _ENERGY, 0),
    "brightness": ArrayLayout(("N",), 1e3),
    "lost": ArrayLayout(("N", len(SIGMAS)), 1e2),
    "known": ArrayLayout(("N",), 1, 0, kind="i"),
    "lenders": ArrayLayout(("L",), 1e9, 0, kind="i"),
    "levels": ArrayLayout(("L", len(SIGMAS)), 1e2),
}


def save_sharpness(path: Path, sharpness: Sharpness) -> None:
    """Write a file that `load_sharpness` reads."""
    trials = sharpness.trials
    counts = len(SIGMAS), 1 + len(SIGMAS), 1 + len(SIGMAS)
    no_truth, nothing = np.zeros((0, 1, counts[0])), np.zeros((0, 1, *counts))
    no_colour, no_lost = np.zeros((0, 2, 2, _COLOURS)), np.zeros((0, counts[0]))
    arrays: Arrays = {
        "counts": np.array([len(trial.pictures) for trial in trials], np.int32),
        "pictures": np.array([n for trial in trials for n in trial.pictures], np.int32),
        "truth": np.array([trial.truth for trial in trials] or no_truth, np.float32),
        "made": np.array([trial.made for trial in trials] or nothing, np.float32),
        "colour": np.array([trial.colour for trial in trials] or no_colour, np.float32),
        "brightness": np.array([trial.brightness for trial in trials], np.float32),
        "lost": np.nan_to_num(np.array([t.lost for t in trials] or no_lost, np.float32)),
        "known": np.array([np.isfinite(trial.lost[0]) for trial in trials], np.int32),
        "lenders": np.array(list(sharpness.levels), np.int32),
        "levels": np.array(list(sharpness.levels.values()) or no_lost, np.float32),
    }
    save_arrays(path, "sharpness", arrays, {})


def load_sharpness(path: Path) -> Sharpness:
    """Read a file of sharpness.

    Raises:
        InputError: the file is missing, damaged or something else.
    """
    arrays, _ = load_arrays(path, "sharpness", _LAYOUT)
    counts = arrays["counts"]
    if counts.sum() != len(arrays["pictures"]) or (counts == 0).any():
        raise damaged(path, "'counts' do not add up")
    used = np.split(arrays["pictures"], np.cumsum(counts)[:-1]) if len(counts) else []
    columns = (arrays[name].astype(np.float64) for name in ("truth", "made", "colour"))
    lost = np.where(arrays["known"][:, None], arrays["lost"].astype(np.float64), np.nan)
    rows = zip(used, *columns, arrays["brightness"].tolist(), lost, strict=True)
    levels = dict(zip(arrays["lenders"].tolist(), arrays["levels"].astype(np.float64), strict=True))
    return Sharpness([Trial(tuple(n.tolist()), *each) for n, *each in rows], levels)
