"""The generator beside a network of Wav2Lip's size, in turns so that both meet the same load."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from gsmooth_core.taft.generators.interface import HINTS, GeneratorInput
from gsmooth_core.taft.generators.load import open_generator
from gsmooth_core.types import Float

BOX = (192, 224)
"""Rows and columns that the generator sees of a 256-pixel crop."""

WARM = 2  # rounds that do not count


@dataclass(frozen=True)
class Comparison:
    """Medians over rounds, one picture each, one thread.

    Attributes:
        generator_ms: the generator at 256.
        reference_ms: the network of Wav2Lip's size at 96.
        ratio: of the first to the second, round by round.
    """

    generator_ms: float
    reference_ms: float
    ratio: float


class Wav2LipSized(nn.Module):
    """Convolutions of the sizes of Wav2Lip's face encoder and decoder: 96x96 in, 96x96 out.

    Widths as published (16 to 512 and back, skips concatenated), weights random; it has fewer
    layers (21 M parameters, not 36 M), so it is the faster of the two.
    """

    WIDTHS = (16, 32, 64, 128, 256, 512)
    UP = (512, 384, 256, 128, 64)
    BLOCKS = (0, 2, 3, 2, 2, 1)

    def __init__(self) -> None:
        super().__init__()
        self.first = self._block(6, 16, 7, 1)
        self.down = nn.ModuleList(
            nn.Sequential(self._block(a, b, 3, 2), *(self._block(b, b, 3, 1) for _ in range(more)))
            for a, b, more in zip(self.WIDTHS, self.WIDTHS[1:], self.BLOCKS[1:], strict=False)
        )
        inputs = (512, *(up + skip for up, skip in zip(self.UP, self.WIDTHS[-2::-1], strict=False)))
        self.up = nn.ModuleList(
            nn.Sequential(
                nn.ConvTranspose2d(a, b, 3, 2, 1, 1),
                nn.BatchNorm2d(b),
                nn.ReLU(),
                self._block(b, b, 3, 1),
                self._block(b, b, 3, 1),
            )
            for a, b in zip(inputs, self.UP, strict=False)
        )
        self.last = nn.Sequential(self._block(64 + 16, 32, 3, 1), nn.Conv2d(32, 3, 1))

    @staticmethod
    def _block(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
        conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2)
        return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU())

    def forward(self, faces: Tensor) -> Tensor:
        """(B, 6, 96, 96) -> (B, 3, 96, 96)."""
        skips: list[Tensor] = [self.first(faces)]
        for down in self.down:
            skips.append(down(skips[-1]))
        x = skips.pop()
        for up in self.up:
            x = torch.cat([up(x), skips.pop()], 1)
        return torch.as_tensor(self.last(x))


def compare(rounds: int) -> Comparison:
    """Time both on random pictures."""
    ours, other = open_generator(device="cpu"), Wav2LipSized().eval()
    inputs, face = _inputs(ours.config.references + 1), torch.rand(1, 6, 96, 96)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            pairs = [
                (_timed(lambda: ours.paint(inputs)), _timed(lambda: other(face)))
                for _ in range(rounds + WARM)
            ][WARM:]
    finally:
        torch.set_num_threads(threads)
    mine, theirs = zip(*pairs, strict=True)
    ratio = statistics.median(a / b for a, b in pairs)
    return Comparison(statistics.median(mine), statistics.median(theirs), ratio)


def _inputs(count: int) -> GeneratorInput[Float]:
    dice = np.random.default_rng(0)
    planes = (dice.random((1, channels, *BOX), np.float32) for channels in (3, 1, HINTS))
    lent = (dice.random((1, count, channels, *BOX), np.float32) for channels in (3, 1))
    return GeneratorInput(*planes, *lent)


def _timed(run: Callable[[], object]) -> float:
    begin = time.perf_counter()
    run()
    return 1e3 * (time.perf_counter() - begin)
