"""What a clip taught about its person's speech, kept with the job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gsmooth_core.a2ep.manner import Manner
from gsmooth_core.storage.arrays import load_arrays, save_arrays
from gsmooth_core.storage.layout import ArrayLayout, check_arrays, damaged

KIND = "manner"
_SIZES = ("spread", "damped", "fullness", "contact", "gap")
_LAYOUT = {
    "weights": ArrayLayout(("D", "E"), 100.0, -100.0),
    "reach": ArrayLayout(("K",), 1000.0, -1000.0),
    "heard": ArrayLayout(("D",), 100.0, -100.0),
    "mean": ArrayLayout(("E",), 100.0, -100.0),
    "way": ArrayLayout(("E",), 1e4, -1e4),
    "sizes": ArrayLayout((len(_SIZES),), 100.0, -100.0),
}


@dataclass(frozen=True)
class Taught:
    """What came of listening to a clip's own speech.

    Attributes:
        said: the same in words for a person.
        manner: None where the clip taught nothing.
    """

    said: str
    manner: Manner | None = None


def save_taught(path: Path, taught: Taught) -> None:
    """Write it in one atomic step."""
    arrays = {}
    if manner := taught.manner:
        names = ("weights", "heard", "mean", "way")
        arrays = {name: np.asarray(getattr(manner, name), np.float32) for name in names}
        arrays["reach"] = np.array(manner.reach, np.float32)
        arrays["sizes"] = np.array([getattr(manner, name) for name in _SIZES], np.float32)
    save_arrays(path, KIND, arrays, {"said": taught.said})


def load_taught(path: Path) -> Taught:
    """Read what `save_taught` wrote.

    Raises:
        InputError: no such file, damaged, or of another kind.
    """
    arrays, meta = load_arrays(path, KIND)
    said = str(meta.get("said", ""))
    if not arrays:
        return Taught(said)
    check_arrays(path, arrays, _LAYOUT)
    reach = tuple(int(k) for k in arrays["reach"])
    if len(arrays["weights"]) != len(reach) * len(arrays["mean"]):
        raise damaged(path, "its 'reach' does not fit its 'weights'")
    weights, heard, mean, way = (arrays[name] for name in ("weights", "heard", "mean", "way"))
    sizes = (float(size) for size in arrays["sizes"])
    return Taught(said, Manner(weights, reach, heard, mean, way, *sizes))
