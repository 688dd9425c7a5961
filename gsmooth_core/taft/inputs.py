"""From a composition through a generator, and the settings that suit a generator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from gsmooth_core.mafb.regions import Box
from gsmooth_core.taft.composition import ComposeSettings, Composition
from gsmooth_core.taft.generators.interface import Generator, GeneratorConfig, GeneratorInput
from gsmooth_core.types import Float


def suited(settings: ComposeSettings, config: GeneratorConfig) -> ComposeSettings:
    """The settings, with the number and kind of references that a generator was built for."""
    if not config.warped:
        return replace(settings, fixed=True)
    return replace(settings, references=replace(settings.references, count=config.references))


def generator_input(composition: Composition, config: GeneratorConfig) -> GeneratorInput[Float]:
    """A batch of one: what a generator is given for a composition."""
    blend, fixed = composition.blend, composition.fixed
    references, validity = blend.references, blend.validity
    if not config.warped and fixed is not None:
        references, validity = fixed[None], np.ones((1, *fixed.shape[:2]), np.float32)
    return GeneratorInput(
        _planes(blend.image)[None],
        blend.mask[None, None],
        _planes(composition.hints)[None],
        _planes(references)[None],
        validity[None, :, None],
    )


def generated(generator: Generator, composition: Composition) -> Float:
    """(H, W, 3) RGB 0..1, a generator's picture of a crop, made on its own device."""
    return painted(generator, seen_of(composition, generator.config))


def seen_of(
    composition: Composition, config: GeneratorConfig, part: Box = np.s_[:, :]
) -> GeneratorInput[Float]:
    """A batch of one: what a generator sees of a part of the crop, and nothing of the rest."""
    rows, columns = part
    inputs = generator_input(composition, config)
    # Engines take planes one after the other; torch is slow to put together what is not.
    return GeneratorInput(*(np.ascontiguousarray(x[..., rows, columns]) for x in inputs))


def painted(generator: Generator, seen: GeneratorInput[Float]) -> Float:
    """(h, w, 3) RGB 0..1, a generator's picture of a batch of one."""
    return np.moveaxis(generator.paint(seen)[0], 0, -1)


def _planes(image: Float) -> Float:
    """(..., H, W, C) -> (..., C, H, W)."""
    return np.moveaxis(image, -1, -3)
