"""What a generator's file holds, and what it is tried with, whatever engine runs it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.storage.arrays import Arrays
from gsmooth_core.taft.generators.interface import HINTS, PRESETS, GeneratorConfig, GeneratorInput
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
    "scales": (0, 5),
}
_BLOCKS = ("alignment", "deformation", "fusion", "scales")  # of preset "g4g" alone
_TRIAL = 32  # pixels, the smallest crop
_HINT = "Pass a checkpoint made by `python -m training.taft`, or reinstall GSmooth."


def sizes(config: GeneratorConfig) -> dict[str, Any]:
    """What of the dimensions shapes the network; it takes any number of references."""
    other = ("references",) if config.preset == "g4g" else ("references", *_BLOCKS)
    return {k: v for k, v in asdict(config).items() if k not in other}


def read_generator(path: Path) -> tuple[ModelSource, Arrays, GeneratorConfig]:
    """The tables and dimensions of a checkpoint.

    Raises:
        ModelError: it is missing, damaged or of another kind.
    """
    source = ModelSource(path, "TAFT generator", _HINT)
    arrays, meta = source.arrays(KIND)
    config = source.settings(GeneratorConfig, source.entry(meta, "config"), _LIMITS)
    if config.scales > config.levels:
        raise source.refused(f"{config.scales} scales are more than its {config.levels} levels")
    return source, arrays, config


def trial_input() -> GeneratorInput[Float]:
    """A small crop, a slope of grey, with two references of the same."""
    grey = np.linspace(0, 1, _TRIAL**2, dtype=np.float32).reshape(1, 1, 1, _TRIAL, _TRIAL)
    picture, blank = np.repeat(grey[0], 3, 1), np.ones((1, 1, _TRIAL, _TRIAL), np.float32)
    references = np.broadcast_to(grey, (1, 2, 3, _TRIAL, _TRIAL)).copy()
    validity = np.ones((1, 2, 1, _TRIAL, _TRIAL), np.float32)
    return GeneratorInput(picture, blank, np.repeat(blank, HINTS, 1), references, validity)
