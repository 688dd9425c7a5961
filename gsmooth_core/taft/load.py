"""Generators ready for use: run as a graph by ONNX Runtime, or by torch (`checkpoint.py`)."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from gsmooth_core.models import registry
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.models.tables import plausible_array
from gsmooth_core.networks.engine import Engine, engine_for, has_bfloat16
from gsmooth_core.networks.onnx import OnnxNetwork, checked
from gsmooth_core.storage.arrays import Arrays
from gsmooth_core.taft.interface import HINTS, PRESETS, Generator, GeneratorConfig, GeneratorInput
from gsmooth_core.types import Float

KIND = "taft"
_LIMITS: dict[str, tuple[Any, ...]] = {
    "preset": tuple(PRESETS),
    "references": (1, 64),
    "width": (1, 2048),
    "max_width": (1, 2048),
    "levels": (1, 5),
    "max_flow": (0, 32),
    "max_residual": (0, 1),
    "sharpness": (0, 64),
}
_TRIAL = 32  # pixels, the smallest crop
_HINT = "Pass a checkpoint made by `python -m training.taft`, or reinstall GSmooth."


class GraphGenerator:
    """A generator that ONNX Runtime runs.

    Attributes:
        config: its dimensions.
        card: whether it works on a graphics card, in torch's batches: never.
    """

    def __init__(self, config: GeneratorConfig, network: OnnxNetwork) -> None:
        self.config = config
        self._network = network
        self.card = False

    def on(self, device: str | None = None) -> Self:
        """The generator itself: it stays on the device that it was opened for."""
        return self

    def paint(self, x: GeneratorInput[Float]) -> Float:
        """(B, 3, H, W) pictures, 0..1."""
        return self._network(*x)[0]


def open_generator(
    name_or_path: str | Path = "taft", device: str | None = None, engine: Engine | None = None
) -> Generator:
    """A generator ready for use; by default the one that comes with GSmooth.

    The file is read once a process, and again when it was replaced.

    Args:
        name_or_path: a name of `registry.MODELS`, or a checkpoint made by `save_generator`.
        device: see `engine_for`.
        engine: what runs it; None is the fastest that is installed.

    Raises:
        ModelError: the file is missing, damaged, of another kind, does not fit the dimensions
            in its own header, or holds numbers that are not finite or absurd; or only torch can
            run it, and torch is not installed.
    """
    found, device = registry.resolve(name_or_path), None if device == "auto" else device
    return _open_once(found, registry.stamp(found), device, engine)


@lru_cache(maxsize=2)
def _open_once(
    path: Path, stamp: tuple[int, int, int], device: str | None, engine: Engine | None
) -> Generator:
    source, arrays, config = read_generator(path)
    if (engine or engine_for(KIND, sizes(config), device, halves=True)) == "torch":
        from gsmooth_core.taft.checkpoint import load_generator  # torch, an optional package

        made = load_generator(path)
        made.halves = has_bfloat16() and engine is None
        return made.on(device)
    network = OnnxNetwork(source, KIND, "paint", checked(source, KIND, arrays), device)
    generator = GraphGenerator(config, network)
    plausible_array(source, generator.paint(trial_input()))
    return generator


def sizes(config: GeneratorConfig) -> dict[str, Any]:
    """What of the dimensions shapes the network; it takes any number of references."""
    return {k: v for k, v in asdict(config).items() if k != "references"}


def read_generator(path: Path) -> tuple[ModelSource, Arrays, GeneratorConfig]:
    """The tables and dimensions of a checkpoint.

    Raises:
        ModelError: it is missing, damaged or of another kind.
    """
    source = ModelSource(path, "TAFT generator", _HINT)
    arrays, meta = source.arrays(KIND)
    return source, arrays, source.settings(GeneratorConfig, source.entry(meta, "config"), _LIMITS)


def trial_input() -> GeneratorInput[Float]:
    """A small crop, a slope of grey, with two references of the same."""
    grey = np.linspace(0, 1, _TRIAL**2, dtype=np.float32).reshape(1, 1, 1, _TRIAL, _TRIAL)
    picture, blank = np.repeat(grey[0], 3, 1), np.ones((1, 1, _TRIAL, _TRIAL), np.float32)
    references = np.broadcast_to(grey, (1, 2, 3, _TRIAL, _TRIAL)).copy()
    validity = np.ones((1, 2, 1, _TRIAL, _TRIAL), np.float32)
    return GeneratorInput(picture, blank, np.repeat(blank, HINTS, 1), references, validity)
