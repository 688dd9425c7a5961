"""Generator checkpoints: safetensors whose header holds the generator's dimensions."""

from __future__ import annotations

import copy
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gsmooth_core.models import registry
from gsmooth_core.models.checkpoints import load_network, tried
from gsmooth_core.models.modelfile import ModelSource
from gsmooth_core.storage.arrays import save_arrays
from gsmooth_core.taft.generator import (
    HINTS,
    PRESETS,
    GeneratorConfig,
    GeneratorInput,
    build,
    config_of,
)

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


def save_generator(path: Path, generator: nn.Module, notes: dict[str, Any] | None = None) -> None:
    """Write weights (half precision) and dimensions of a generator in one atomic step."""
    config = asdict(config_of(generator))
    arrays = {k: v.detach().cpu().half().numpy() for k, v in generator.state_dict().items()}
    save_arrays(path, KIND, arrays, {"config": config, "notes": notes or {}})


def load_generator(name_or_path: str | Path = "taft") -> nn.Module:
    """A generator of the caller's own, ready for use; by default the one that comes with GSmooth.

    The file is read once a process, and again when it was replaced.

    Args:
        name_or_path: a name of `registry.MODELS`, or a checkpoint made by `save_generator`.

    Raises:
        ModelError: the file is missing, damaged, of another kind, does not fit the dimensions
            in its own header, or holds numbers that are not finite or absurd.
    """
    found = registry.resolve(name_or_path)
    return copy.deepcopy(_load_once(found, registry.stamp(found)))  # it is moved, or trained


@lru_cache(maxsize=2)
def _load_once(path: Path, stamp: tuple[int, int, int]) -> nn.Module:
    source = ModelSource(path, "TAFT generator", _HINT)
    arrays, meta = source.arrays(KIND)
    config = source.settings(GeneratorConfig, source.entry(meta, "config"), _LIMITS)
    generator = load_network(source, lambda: build(config), arrays)
    tried(source, lambda: _trial(generator))
    return generator.requires_grad_(requires_grad=False)


def _trial(generator: nn.Module) -> Tensor:
    """What the generator makes of a small crop: a slope of grey."""
    grey = torch.linspace(0, 1, _TRIAL**2).reshape(1, 1, 1, _TRIAL, _TRIAL)
    picture = grey[0].expand(1, 3, -1, -1)
    blank = torch.ones(1, 1, _TRIAL, _TRIAL)
    hints, references = blank.expand(1, HINTS, -1, -1), grey.expand(1, 2, 3, -1, -1)
    made: Tensor = generator(
        GeneratorInput(picture, blank, hints, references, blank.expand(1, 2, 1, _TRIAL, _TRIAL))
    )
    return made
