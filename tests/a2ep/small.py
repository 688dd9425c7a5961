"""Tiny models with random weights, and speech-like sound."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from gsmooth_core.a2ep.config import A2EPConfig
from gsmooth_core.a2ep.decoder import ExpressionDecoder
from gsmooth_core.a2ep.model import A2EP

NAMES = ("jawOpen", "mouthClose", "mouthSmileLeft", "mouthSmileRight", "mouthPucker")
ALL_NAMES = ("eyeBlinkLeft", *NAMES, "browInnerUp")
CONFIG = A2EPConfig(
    encoder_width=24, encoder_heads=2, encoder_depth=1, d=16, heads=2, feed_forward=20,
    components=len(NAMES), styles=3, context=2, history=7, period=11,
)  # fmt: skip


def lively(module: nn.Module, seed: int = 0) -> nn.Module:
    """Fill every parameter with noise, so that no zero hides a mistake."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            spread = 1.0 / max(parameter.shape[-1], 1) ** 0.5
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * spread)
    return module.eval()


def decoder(config: A2EPConfig = CONFIG, seed: int = 0) -> ExpressionDecoder:
    made = ExpressionDecoder(config)
    lively(made, seed)
    made.scale.copy_(torch.linspace(0.5, 1.5, config.components))
    return made


def model(config: A2EPConfig = CONFIG, seed: int = 0) -> A2EP:
    made = A2EP(config, NAMES, ALL_NAMES)
    lively(made, seed)
    made.rest.fill_(0.3)
    made.opening[0] = 1.0
    return made


def babble(seconds: float, seed: int = 0, rate: int = 16_000) -> np.ndarray:
    """Noise in syllables: loud and soft four times a second."""
    rng = np.random.default_rng(seed)
    time = np.arange(int(seconds * rate)) / rate
    swell = np.maximum(0.0, np.sin(2 * np.pi * 4.0 * time + rng.uniform(0, 6))) ** 2
    return (0.1 * swell * rng.standard_normal(len(time))).astype(np.float32)
