"""How fast a dub is, end to end and in its generator, on a clip made of a public-domain photo.

    python -m tests.benchmarks.bench_dub [--frames 200] [--rounds 15]

Prints frames a second of a whole dub of a 1280x720 clip after start-up (a short dub comes first,
so that models are loaded and kernels compiled), the share of each stage, and the generator's time
at 256 beside a network of Wav2Lip's size at 96, in turns so that both meet the same load.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import skimage.data
import torch
from torch import Tensor, nn

from gsmooth_core.data import Expression, Image
from gsmooth_core.dub import dub
from gsmooth_core.events import Event, Progress
from gsmooth_core.jobs import Job
from gsmooth_core.storage import save_expression
from gsmooth_core.taft.checkpoint import load_generator
from gsmooth_core.taft.generator import GeneratorInput
from tests.media import made

SIZE = (1280, 720)
FPS = 25
BOX = (192, 224)  # what the generator sees of a 256 crop


def picture(number: int) -> Image:
    """The astronaut, slowly swaying, in a 720p frame; her face is about 256 pixels large."""
    photo = skimage.data.astronaut()
    shift = 20 * np.sin(number / 12)
    matrix = np.float32([[2.2, 0, 150 + shift], [0, 2.2, -60 + shift / 2]])
    return np.asarray(cv2.warpAffine(photo, matrix, SIZE, borderMode=cv2.BORDER_REPLICATE))


def job(folder: Path, frames: int) -> Job:
    """A clip of `frames` frames, and curves of a mouth that opens and shuts."""
    video = made.write_video(
        folder / f"{frames}.mp4", np.array([picture(n) for n in range(frames)]), FPS, "-crf", 14
    )
    opened = 0.3 * np.abs(np.sin(np.arange(frames) / 4)).astype(np.float32)
    curves = folder / f"{frames}.json"
    save_expression(curves, Expression(("jawOpen",), opened[:, None], Fraction(FPS)))
    return Job(video=video, expression=curves, output=folder / f"{frames}_dubbed.mp4")


class Stages:
    """Notes when each stage of a dub was last heard of."""

    def __init__(self) -> None:
        self.ends: dict[str, float] = {}

    def __call__(self, event: Event) -> None:
        if isinstance(event, Progress):
            self.ends[event.stage] = time.perf_counter()


def end_to_end(frames: int) -> None:
    """Dub a clip and print how fast each stage went."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dub(job(folder, 12), folder / "warm")
        whole, stages = job(folder, frames), Stages()
        begin = before = time.perf_counter()
        dub(whole, folder / "job", stages)
        total = time.perf_counter() - begin
        print(f"dub of {frames} frames: {frames / total:.1f} frames a second")
        for stage, end in stages.ends.items():
            print(f"  {stage:8} {1e3 * (end - before) / frames:6.1f} ms a frame")
            before = end
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"  largest memory of this process: {peak:.0f} MB")


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
        skips = [self.first(faces)]
        for down in self.down:
            skips.append(down(skips[-1]))
        x = skips.pop()
        for up in self.up:
            x = torch.cat([up(x), skips.pop()], 1)
        return torch.as_tensor(self.last(x))


def generators(rounds: int) -> None:
    """Print the generator's time beside Wav2Lip's size."""
    torch.set_num_threads(1)
    ours, other = load_generator(), Wav2LipSized().eval()
    count, (height, width) = ours.config.references + 1, BOX
    inputs = GeneratorInput(
        *(torch.rand(1, channels, height, width) for channels in (3, 1, 3)),
        torch.rand(1, count, 3, height, width),
        torch.rand(1, count, 1, height, width),
    )
    face = torch.rand(1, 6, 96, 96)
    ours.to(memory_format=torch.channels_last)
    runs: dict[str, Callable[[], Tensor]] = {
        "generator at 256": lambda: ours(inputs),
        "Wav2Lip's size at 96": lambda: other(face),
    }
    times: dict[str, list[float]] = {name: [] for name in runs}
    with torch.inference_mode():
        for turn in range(rounds + 2):
            for name, run in runs.items():
                begin = time.perf_counter()
                run()
                if turn > 1:
                    times[name].append(1e3 * (time.perf_counter() - begin))
    for name, taken in times.items():
        print(f"{name:22} median {statistics.median(taken):6.1f} ms  best {min(taken):6.1f} ms")
    ratios = [a / b for a, b in zip(*times.values(), strict=True)]
    parameters = sum(p.numel() for p in other.parameters()) / 1e6
    print(f"median ratio {statistics.median(ratios):.2f} (the other has {parameters:.0f} M)")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    end_to_end(options.frames)
    generators(options.rounds)


if __name__ == "__main__":
    main()
