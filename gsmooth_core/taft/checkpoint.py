"""Generator checkpoints: safetensors whose header holds the generator's dimensions."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gsmooth_core import models
from gsmooth_core.errors import InputError, ModelError
from gsmooth_core.storage import load_arrays, save_arrays
from gsmooth_core.taft.generator import PRESETS, GeneratorConfig, build, config_of

KIND = "taft"
_LIMIT = 2048
_HINT = "Pass a checkpoint made by `python -m training.taft`, or reinstall GSmooth."


def save_generator(path: Path, generator: nn.Module, notes: dict[str, Any] | None = None) -> None:
    """Write weights (half precision) and dimensions of a generator in one atomic step."""
    config = asdict(config_of(generator))
    arrays = {k: v.detach().cpu().half().numpy() for k, v in generator.state_dict().items()}
    save_arrays(path, KIND, arrays, {"config": config, "notes": notes or {}})


def load_generator(path: Path | None = None) -> nn.Module:
    """Read a generator, ready for use; by default the one that comes with GSmooth.

    Raises:
        ModelError: the file is missing, damaged, of another kind, does not fit the dimensions
            in its own header, or holds numbers that are not finite.
    """
    path = path or models.locate("taft")
    try:
        arrays, meta = load_arrays(path, KIND)
    except InputError as error:
        raise ModelError(f"No generator: {error.message}", _HINT) from error
    generator = build(_config(meta, path))
    state = {name: _tensor(array, path) for name, array in arrays.items()}
    try:
        generator.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(f"'{path.name}' does not fit its own description.", _HINT) from error
    return generator.eval().requires_grad_(requires_grad=False)


def _config(meta: dict[str, Any], path: Path) -> GeneratorConfig:
    try:
        config = GeneratorConfig(**meta["config"])
    except (KeyError, TypeError) as error:
        raise ModelError(f"'{path.name}' does not say what it holds.", _HINT) from error
    sizes = (config.references, config.width, config.max_width, config.levels)
    sane = all(isinstance(n, int) and 1 <= n <= _LIMIT for n in sizes) and config.levels <= 5
    if config.preset not in PRESETS or not sane:
        raise ModelError(f"'{path.name}' describes a generator of no known kind.", _HINT)
    return config


def _tensor(array: np.ndarray[Any, Any], path: Path) -> Tensor:
    if array.dtype.kind != "f" or not np.isfinite(array).all():
        raise ModelError(f"'{path.name}' holds values that are no numbers.", _HINT)
    return torch.from_numpy(array.astype(np.float32))
