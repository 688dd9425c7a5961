"""What all generators written in torch have in common: they are called with arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from gsmooth_core.models.devices import best_device
from gsmooth_core.taft.generators.interface import GeneratorConfig, GeneratorInput
from gsmooth_core.types import Float


class TorchGenerator(nn.Module):
    """A generator in torch.

    Attributes:
        config: its dimensions.
        halves: whether `paint` multiplies in bfloat16 on a processor; sums are still kept in
            single precision, and a picture is off by a third of a level on average.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.halves = False

    def on(self, device: str | None = None) -> Self:
        """The generator itself, on a device, in one layout.

        Rounding, and so the result, depends on the layout in memory.
        """
        self.to(device or best_device())
        return self.to(memory_format=torch.channels_last)  # type: ignore[no-any-return,call-overload]

    @property
    def card(self) -> bool:
        """Whether it works on a graphics card."""
        return next(self.parameters()).device.type == "cuda"

    def paint(self, x: GeneratorInput[Float]) -> Float:
        """(B, 3, H, W) pictures, 0..1."""
        return self.run(lambda seen: (self(seen),), x)[0]

    def run(
        self, step: Callable[[GeneratorInput[Tensor]], tuple[Tensor, ...]], x: GeneratorInput[Float]
    ) -> list[Float]:
        """What a step makes of arrays, as arrays."""
        device = next(self.parameters()).device
        tensors = GeneratorInput(*(torch.from_numpy(array).to(device) for array in x))
        halved = self.halves and device.type == "cpu"
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=halved):
            return [made.float().cpu().numpy() for made in step(tensors)]
