"""What clips taught about a person's speech: kept with a job, or as a style of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gsmooth_core.a2ep.hearing import directions_of, mark_of
from gsmooth_core.a2ep.interface import SpeechModel
from gsmooth_core.a2ep.lesson import sounds_size
from gsmooth_core.a2ep.manner import Manner
from gsmooth_core.a2ep.memory import MOST, Memory
from gsmooth_core.errors import InputError
from gsmooth_core.storage.arrays import Arrays, load_arrays, save_arrays
from gsmooth_core.storage.files import shown
from gsmooth_core.storage.layout import ArrayLayout, check_arrays, damaged
from gsmooth_core.types import Float

KIND = "manner"
STYLE_KIND = "style"
_SIZES = ("spread", "damped", "fullness", "contact", "gap")
_LAYOUT = {
    "weights": ArrayLayout(("D", "E"), 100.0, -100.0),
    "reach": ArrayLayout(("K",), 1000.0, -1000.0),
    "heard": ArrayLayout(("D",), 100.0, -100.0),
    "mean": ArrayLayout(("E",), 100.0, -100.0),
    "way": ArrayLayout(("E",), 1e4, -1e4),
    "sizes": ArrayLayout((len(_SIZES),), 100.0, -100.0),
}
_HEARD = {"own": ArrayLayout(("T", "H"), 1e4, -1e4, gaps=True)}
_MEMORY = {
    "sounds": ArrayLayout(("N", "S"), 1e4, -1e4),
    "answers": ArrayLayout(("N", "E"), 1e4, -1e4),
    "width": ArrayLayout((1,), 1e9, 1e-9),
}


@dataclass(frozen=True)
class Taught:
    """What came of listening to a person's own speech.

    Attributes:
        said: the same in words for a person.
        manner: None where nothing was taught.
        refused: clips that taught nothing, and why, in words.
        heard: (T, H) what is heard in the clip itself, frame by frame, in the directions of
            `hearing.directions_of`; NaN where lips and sound do not agree. None where they never
            do.
    """

    said: str
    manner: Manner | None = None
    refused: tuple[str, ...] = ()
    heard: Float | None = None


def save_taught(path: Path, taught: Taught) -> None:
    """Write it in one atomic step."""
    arrays = _arrays_of(taught.manner) if taught.manner else {}
    if taught.heard is not None:
        arrays["own"] = np.asarray(taught.heard, np.float32)
    save_arrays(path, KIND, arrays, {"said": taught.said, "refused": list(taught.refused)})


def load_taught(path: Path) -> Taught:
    """Read what `save_taught` wrote.

    Raises:
        InputError: no such file, damaged, or of another kind.
    """
    arrays, meta = load_arrays(path, KIND)
    learned = dict(arrays)
    heard = learned.pop("own", None)
    if heard is not None:
        check_arrays(path, {"own": heard}, _HEARD)
    manner = _manner_of(path, learned) if learned else None
    refused = tuple(map(str, meta.get("refused", ())))
    return Taught(str(meta.get("said", "")), manner, refused, heard)


def save_style(path: Path, manner: Manner, model: SpeechModel) -> None:
    """Write a way of speaking, to be used for other pictures of the same person.

    Args:
        path: target file.
        manner: learned with `model`.
        model: the one that listened; no other can use it.
    """
    meta = {"names": list(model.names), "ears": mark_of(model)}
    save_arrays(path, STYLE_KIND, _arrays_of(manner), meta)


def load_style(path: Path, model: SpeechModel) -> Manner:
    """Read what `save_style` wrote.

    Raises:
        InputError: no such file, damaged, of another kind, or learned with another model.
    """
    arrays, meta = load_arrays(path, STYLE_KIND)
    manner = _manner_of(path, arrays)
    if meta.get("ears") != mark_of(model) or len(manner.mean) != len(model.names):
        raise InputError(
            f"'{shown(path)}' was learned with another speech model.",
            "Learn it again with `gsmooth style`.",
        )
    sounds = sounds_size(directions_of(model).shape[1], len(model.names))
    if manner.memory and manner.memory.anchors.shape[1] != sounds:
        raise damaged(path, "its 'sounds' are not those that the model hears")
    return manner


def _arrays_of(manner: Manner) -> Arrays:
    names = ("weights", "heard", "mean", "way")
    arrays = {name: np.asarray(getattr(manner, name), np.float32) for name in names}
    arrays["reach"] = np.array(manner.reach, np.float32)
    arrays["sizes"] = np.array([getattr(manner, name) for name in _SIZES], np.float32)
    if memory := manner.memory:
        arrays |= {"sounds": memory.anchors, "answers": memory.weights}
        arrays["width"] = np.array([memory.width], np.float32)
    return arrays


def _manner_of(path: Path, arrays: Mapping[str, np.ndarray[Any, Any]]) -> Manner:
    remembers = any(name in arrays for name in _MEMORY)
    check_arrays(path, arrays, _LAYOUT | (_MEMORY if remembers else {}))
    reach = tuple(int(k) for k in arrays["reach"])
    fits = len(arrays["weights"]) == len(reach) * len(arrays["mean"])
    if not fits or len(reach) % 2 == 0:
        raise damaged(path, "its 'reach' does not fit its 'weights'")
    weights, heard, mean, way = (arrays[name] for name in ("weights", "heard", "mean", "way"))
    spread, damped, fullness, contact, gap = (float(size) for size in arrays["sizes"])
    memory = None
    if remembers:
        if len(arrays["sounds"]) > MOST:
            raise damaged(path, f"it holds {len(arrays['sounds'])} sounds, more than {MOST}")
        memory = Memory(arrays["sounds"], arrays["answers"], float(arrays["width"][0]))
    return Manner(weights, reach, heard, mean, way, spread, damped, fullness, contact, gap, memory)
