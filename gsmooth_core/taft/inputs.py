"""From a composition through a generator, and the settings that suit a generator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from gsmooth_core.mafb.regions import Box
from gsmooth_core.taft.compose import ComposeSettings, Composition
from gsmooth_core.taft.generator import GeneratorConfig, GeneratorInput, config_of
from gsmooth_core.types import Float


def suited(settings: ComposeSettings, config: GeneratorConfig) -> ComposeSettings:
    """The settings, with the number and kind of references that a generator was built for."""
    if not config.warped:
        return replace(settings, fixed=True)
    return replace(settings, references=replace(settings.references, count=config.references))


def generator_input(composition: Composition, config: GeneratorConfig) -> GeneratorInput:
    """A batch of one: what a generator is given for a composition."""
    blend, fixed = composition.blend, composition.fixed
    references, validity = blend.references, blend.validity
    if not config.warped and fixed is not None:
        references, validity = fixed[None], np.ones((1, *fixed.shape[:2]), np.float32)
    return GeneratorInput(
        _planes(blend.image)[None],
        torch.from_numpy(blend.mask)[None, None],
        _planes(composition.hints)[None],
        _planes(references)[None],
        torch.from_numpy(validity)[None, :, None],
    )


def generated(generator: nn.Module, composition: Composition, part: Box = np.s_[:, :]) -> Float:
    """(h, w, 3) RGB 0..1, a generator's picture of a part of the crop, made on its own device."""
    device, (rows, columns) = next(generator.parameters()).device, part
    inputs = generator_input(composition, config_of(generator))
    seen = GeneratorInput(*(tensor[..., rows, columns].to(device) for tensor in inputs))
    with torch.inference_mode():
        made: Float = generator(seen)[0].permute(1, 2, 0).cpu().numpy()  # (h, w, 3)
    return made


def _planes(image: Float) -> Tensor:
    """(..., H, W, C) -> (..., C, H, W)."""
    return torch.from_numpy(image).movedim(-1, -3)
