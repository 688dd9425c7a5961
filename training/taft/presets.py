"""What a preset of TAFT is trained with, and what of G4G can be left out of its training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gsmooth_core.taft.generators.generator import PRESETS, GeneratorConfig
from training.taft.objective import Weights

WEIGHTS = {
    "g4g": Weights(
        photo=12.0, edges=0.0, local=0.1, ratio=0.3, scales=2.0, contrast=0.001
    ),  # of the shipped preset "detail", and G4G's own two
}
"""Of the loss's terms where a preset has others than `Weights`."""

INITS = {"g4g": "taft"}
"""Checkpoints that presets start from."""

PARTS = ("alignment", "contrast", "deformation", "fusion", "scales")
"""What `--without` can leave out; without "scales" there is one scale."""


def weights_of(preset: str) -> Weights:
    """Weights of the terms of the loss of a preset."""
    return WEIGHTS.get(preset, Weights())


def config_for(preset: str, parts: Sequence[str] = ()) -> GeneratorConfig:
    """Dimensions of a preset that is trained without some parts."""
    config = PRESETS[preset]
    return replace(
        config,
        alignment=config.alignment and "alignment" not in parts,
        deformation=config.deformation and "deformation" not in parts,
        fusion=config.fusion and "fusion" not in parts,
        scales=min(1, config.scales) if "scales" in parts else config.scales,
    )


def weighed(weights: Weights, parts: Sequence[str]) -> Weights:
    """The weights without the terms of some of the parts."""
    left_out = {"contrast": "contrast", "scales": "scales", "deformation": "scales"}
    return replace(weights, **{left_out[part]: 0.0 for part in parts if part in left_out})
