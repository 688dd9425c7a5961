"""Generators of Target Adaptive Face Translation: from a blended face to a photo of it.

Three presets of one interface. "default" fuses references that are already warped to the new mouth
(`fusion.py`). "detail", which is shipped, fuses low and high frequencies apart (`detail.py`), so
that averaging takes no detail away. "paper" is the encoder-decoder of Sec. IV-C (`paper.py`).
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from gsmooth_core.models.devices import best_device
from gsmooth_core.taft.detail import DetailGenerator
from gsmooth_core.taft.fusion import FusionGenerator, weighted_mean
from gsmooth_core.taft.interface import HINTS, PRESETS, GeneratorConfig, GeneratorInput
from gsmooth_core.taft.paper import PaperGenerator

__all__ = [
    "HINTS",
    "PRESETS",
    "DetailGenerator",
    "FusionGenerator",
    "GeneratorConfig",
    "GeneratorInput",
    "PaperGenerator",
    "build",
    "config_of",
    "placed",
    "weighted_mean",
]


def build(config: GeneratorConfig) -> nn.Module:
    """Return an untrained generator: GeneratorInput -> (B, 3, H, W) picture, 0..1."""
    kinds: dict[str, type[FusionGenerator] | type[PaperGenerator]] = {
        "default": FusionGenerator,
        "detail": DetailGenerator,
        "paper": PaperGenerator,
    }
    return kinds[config.preset](config)


def config_of(generator: nn.Module) -> GeneratorConfig:
    """The dimensions that every generator carries."""
    return cast(GeneratorConfig, generator.config)


def placed(generator: nn.Module, device: str | None = None) -> nn.Module:
    """The generator itself, on a device (by default CUDA where there is one), in one layout.

    Rounding, and so the result, depends on the layout in memory.
    """
    generator.to(device or best_device())
    return generator.to(memory_format=torch.channels_last)  # type: ignore[no-any-return,call-overload]
