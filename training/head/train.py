"""Train the head generator: `python -m training.head.train --cache DIR --output DIR`.

Self-reenactment: a frame of a clip is a photo, another of its frames is what the moved photo has
to look like in hair and neck. `training.head.prepare` makes the samples;
`training.head.reenact --net` judges.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from gsmooth_core.errors import InputError
from gsmooth_core.taft.generators.checkpoint import load_generator, save_generator
from gsmooth_core.taft.generators.generator import GeneratorInput, build
from training.command import finish
from training.engine import Engine, Schedule, Task, drawn
from training.head.inputs import HEAD, head_input
from training.head.prepare import FIELDS
from training.head.scene import KINDS
from training.taft.bands import local_energy
from training.taft.losses import edge_energy

WINDOW = 160
"""Side of the part of a crop that a step sees."""

_REGION, _EDGES, _LOCAL = 3.0, 8.0, 0.5
"""Weights: more on hair and neck, of the edges, and of detail around each place."""

log = logging.getLogger(__name__)

Sample = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class HeadBatch:
    """B samples.

    Attributes:
        inputs: what the generator gets.
        truth: (B, 3, H, W) the frame itself.
        free: (B, 1, H, W) where the picture may be changed.
        region: (B, 1, H, W) hair and neck.
    """

    inputs: GeneratorInput[Tensor]
    truth: Tensor
    free: Tensor
    region: Tensor


def batch_of(sample: Sample) -> HeadBatch:
    """A batch of one."""
    planes = (torch.from_numpy(sample[name].astype(np.float32)) for name in ("free", "region"))
    free, region = (plane[None, None] for plane in planes)
    truth = torch.from_numpy(sample["truth"].astype(np.float32) / 255).permute(2, 0, 1)[None]
    return HeadBatch(head_input(*(sample[kind] for kind in KINDS)), truth, free, region)


def window(sample: Sample, rng: np.random.Generator) -> Sample:
    """A part of WINDOW x WINDOW pixels, turned over half the time, in another light."""
    height, width = sample["free"].shape
    top, left = (int(rng.integers(0, n - WINDOW + 1)) for n in (height, width))
    light = np.exp(rng.uniform(-0.2, 0.2)) * (np.arange(256) / 255) ** np.exp(
        rng.uniform(-0.2, 0.2)
    )
    lut = np.rint(np.clip(light, 0, 1) * 255).astype(np.uint8)
    step = -1 if rng.random() < 0.5 else 1
    cut = {n: a[top : top + WINDOW, left : left + WINDOW][:, ::step] for n, a in sample.items()}
    return {n: cv2.LUT(np.ascontiguousarray(a), lut) if a.ndim == 3 else a for n, a in cut.items()}


def joined(batches: list[HeadBatch]) -> HeadBatch:
    """Batches of one as one batch."""
    inputs = GeneratorInput(*(torch.cat(c) for c in zip(*(b.inputs for b in batches), strict=True)))
    rest = (torch.cat([getattr(b, name) for b in batches]) for name in ("truth", "free", "region"))
    return HeadBatch(inputs, *rest)


def terms(generator: nn.Module, batch: HeadBatch) -> dict[str, Tensor]:
    """The loss: distance in hair and neck, and the truth's amount of detail."""
    made = batch.truth + batch.free * (generator(batch.inputs) - batch.truth)
    photo = ((made - batch.truth).abs() * (1 + _REGION * batch.region)).mean()
    edges, local = edge_energy(made, batch.truth), local_energy(made, batch.truth)
    total = 6 * photo + _EDGES * edges + _LOCAL * local
    return {"photo": photo, "edges": edges, "local": local, "total": total}


def train(folders: list[Path], schedule: Schedule, output: Path, size: int) -> nn.Module:
    """Train until time or steps are over; a stopped run goes on from the output folder."""
    clips = [{f: np.load(place / f"{f}.npy", mmap_mode="r") for f in FIELDS} for place in folders]

    def one(rng: np.random.Generator) -> HeadBatch:
        clip = clips[int(rng.integers(len(clips)))]
        n = int(rng.integers(len(clip["free"])))
        return batch_of(window({name: np.array(array[n]) for name, array in clip.items()}, rng))

    def draw(rng: np.random.Generator) -> HeadBatch:
        return joined([one(rng) for _ in range(size)])

    torch.manual_seed(schedule.seed)
    generator = build(HEAD)
    generator.load_state_dict(load_generator().state_dict(), strict=False)
    optimiser = torch.optim.Adam(generator.parameters(), schedule.rate)
    task = Task(generator, optimiser, drawn(draw, schedule.seed), terms)
    return Engine(task, schedule, output / "state.pt").run()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    options = parser.parse_args()
    torch.set_num_threads(1)
    folders = sorted(f for f in (options.cache / "head").iterdir() if f.suffix != ".partial")
    if not folders:
        raise InputError("There is no sample.", "Run `python -m training.head.prepare`.")
    options.output.mkdir(parents=True, exist_ok=True)
    schedule = Schedule(
        options.steps, options.learning_rate, 25, floor=0.05, check=100,
        minutes=options.minutes, average=0.98, by_clock=True,
    )  # fmt: skip
    generator = train(folders, schedule, options.output, options.batch)
    save_generator(options.output / "head.safetensors", generator)
    log.info("%s", options.output / "head.safetensors")


if __name__ == "__main__":
    finish(main)
