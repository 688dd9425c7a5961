"""Generator checkpoints and torch: safetensors whose header holds the generator's dimensions."""

from __future__ import annotations

import copy
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gsmooth_core.models import registry
from gsmooth_core.models.checkpoints import load_network, tried
from gsmooth_core.storage.arrays import save_arrays
from gsmooth_core.taft.generators.generator import GeneratorInput, TorchGenerator, build, config_of
from gsmooth_core.taft.generators.generator_file import KIND, read_generator, trial_input


def save_generator(path: Path, generator: nn.Module, notes: dict[str, Any] | None = None) -> None:
    """Write weights (half precision) and dimensions of a generator in one atomic step."""
    config = asdict(config_of(generator))
    arrays = {k: v.detach().cpu().half().numpy() for k, v in generator.state_dict().items()}
    save_arrays(path, KIND, arrays, {"config": config, "notes": notes or {}})


def load_generator(name_or_path: str | Path = "taft") -> TorchGenerator:
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
def _load_once(path: Path, stamp: tuple[int, int, int]) -> TorchGenerator:
    source, arrays, config = read_generator(path)
    generator = load_network(source, lambda: build(config), arrays)
    tried(source, lambda: generator(GeneratorInput(*map(torch.from_numpy, trial_input()))))
    return generator.requires_grad_(requires_grad=False)
