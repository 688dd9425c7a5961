"""Generators of Target Adaptive Face Translation: from a blended face to a photo of it.

Four presets of one interface. "default" fuses references that are already warped to the new mouth
(`fusion.py`). "detail", which is shipped, fuses low and high frequencies apart (`detail.py`), so
that averaging takes no detail away. "g4g" adds the blocks of G4G to it (`g4g.py`). "paper" is the
encoder-decoder of Sec. IV-C (`paper.py`).
"""

from __future__ import annotations

from typing import cast

from torch import nn

from gsmooth_core.taft.generators.detail import DetailGenerator
from gsmooth_core.taft.generators.fusion import FusionGenerator, weighted_mean
from gsmooth_core.taft.generators.g4g import G4gGenerator
from gsmooth_core.taft.generators.interface import HINTS, PRESETS, GeneratorConfig, GeneratorInput
from gsmooth_core.taft.generators.paper import PaperGenerator
from gsmooth_core.taft.generators.torch_generator import TorchGenerator

__all__ = [
    "HINTS",
    "PRESETS",
    "DetailGenerator",
    "FusionGenerator",
    "G4gGenerator",
    "GeneratorConfig",
    "GeneratorInput",
    "PaperGenerator",
    "TorchGenerator",
    "build",
    "config_of",
    "weighted_mean",
]


def build(config: GeneratorConfig) -> TorchGenerator:
    """Return an untrained generator: GeneratorInput -> (B, 3, H, W) picture, 0..1."""
    kinds: dict[str, type[TorchGenerator]] = {
        "default": FusionGenerator,
        "detail": DetailGenerator,
        "g4g": G4gGenerator,
        "paper": PaperGenerator,
    }
    return kinds[config.preset](config)


def config_of(generator: nn.Module) -> GeneratorConfig:
    """The dimensions that every generator carries."""
    return cast(GeneratorConfig, generator.config)
