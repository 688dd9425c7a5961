"""A generator for drafts: no network, only what other frames show there.

References come warped to the new face, so their mean is a face that speaks: softer than the
network's, and without what it mends (light, edges of teeth), in a small part of its time.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from gsmooth_core.errors import InputError
from gsmooth_core.taft.generators.interface import Generator, GeneratorConfig, GeneratorInput
from gsmooth_core.taft.generators.load import open_generator
from gsmooth_core.types import Float

_DECIDED = 4  # power of a reference's validity: the best lend most, which keeps them sharp
_FAINT = np.float32(1e-6)


class DraftGenerator:
    """Fuses references by how far they can be believed.

    Attributes:
        config: asks for a few references, warped.
        card: whether it works on a graphics card: never.
    """

    config = GeneratorConfig(references=3)
    card = False

    def on(self, device: str | None = None) -> Self:
        """The generator itself: it works on the processor."""
        return self

    def paint(self, x: GeneratorInput[Float]) -> Float:
        """(B, 3, H, W) pictures, 0..1.

        Raises:
            InputError: no frame lends anything.
        """
        if not x.references.shape[1]:
            raise InputError("No other frame lends a mouth.", "Give one reference at least.")
        weight = x.validity**_DECIDED + _FAINT
        mean: Float = (x.references * weight).sum(1) / weight.sum(1)
        return mean


def generator_for(name: str, device: str | None, *, draft: bool) -> Generator:
    """The generator of a name, see `open_generator`, or the one for drafts."""
    return DraftGenerator() if draft else open_generator(name, device)
