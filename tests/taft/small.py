"""Generators small enough for tests."""

from __future__ import annotations

from dataclasses import replace

import torch

from gsmooth_core.taft.generators import generator as g

SMALL = {name: replace(c, width=8, max_width=16) for name, c in g.PRESETS.items()}


def stirred(config: g.GeneratorConfig) -> torch.nn.Module:
    """A generator that no longer says zero anywhere."""
    torch.manual_seed(1)
    model = g.build(config).eval()
    for parameter in model.parameters():
        parameter.data += 0.05 * torch.randn_like(parameter)
    return model
