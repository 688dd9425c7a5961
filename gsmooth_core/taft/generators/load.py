"""Generators ready for use: run as a graph by ONNX Runtime, or by torch (`checkpoint.py`)."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Self

from gsmooth_core.models import registry
from gsmooth_core.models.tables import plausible_array
from gsmooth_core.networks.engine import Engine, engine_for, has_bfloat16
from gsmooth_core.networks.onnx import OnnxNetwork, checked
from gsmooth_core.taft.generators.coarse import planned
from gsmooth_core.taft.generators.generator_file import KIND, read_generator, sizes, trial_input
from gsmooth_core.taft.generators.interface import Generator, GeneratorConfig, GeneratorInput
from gsmooth_core.taft.generators.mix import Plan, followed_near
from gsmooth_core.types import Float


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
        plan = planned(x, self.config, lambda seen: Plan(*self._network(*seen)))
        return followed_near(plan, x)


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
        from gsmooth_core.taft.generators.checkpoint import (
            load_generator,  # torch, an optional package
        )

        made = load_generator(path)
        made.halves = has_bfloat16() and engine is None
        return made.on(device)
    network = OnnxNetwork(source, KIND, "plan", checked(source, KIND, arrays), device)
    generator = GraphGenerator(config, network)
    plausible_array(source, generator.paint(trial_input()))
    return generator
