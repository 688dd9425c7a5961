"""Train TAFT: `python -m training.taft --footage DIR --cache DIR --output DIR`.

Self-reconstruction (Sec. IV-C): the generator gets a frame without its lower face and other
frames of the same clip warped to it, and is asked for what was hidden. Runs on accelerate (one
process or many), stops after a time or a number of steps, and goes on where it stopped when it
is started again. The checkpoint is written together with the figures of the validation clips,
beside those of plain warps.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn

from gsmooth_core.errors import InputError
from gsmooth_core.taft.generators.checkpoint import load_generator, save_generator
from gsmooth_core.taft.generators.g4g import G4gGenerator
from gsmooth_core.taft.generators.generator import (
    PRESETS,
    GeneratorConfig,
    GeneratorInput,
    build,
    config_of,
)
from training.engine import Engine, Schedule, Task, drawn
from training.footage import Footage, add_footage, chosen_footage
from training.split import Part
from training.taft.contrast import Contrast
from training.taft.data import MASKS, Batch, Samples, augmented, collate
from training.taft.losses import load_trunk
from training.taft.measure import Picture, Quality, average, mean, measure, nearest, untrained
from training.taft.objective import Objective, Weights, pasted
from training.taft.prepare import folders
from training.taft.presets import INITS, PARTS, config_for, weighed, weights_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainSettings:
    """How the generator is trained.

    Attributes:
        preset: name in `generator.PRESETS`.
        batch: samples a step and process.
        learning_rate: of Adam, after a warm-up, before a cosine decay to a twentieth.
        warm_up: steps.
        minutes: wall time after which training stops.
        steps: number of steps after which it stops; also the length of the decay.
        seed: of initialisation and of the order of samples.
        save_every: steps between resumable states.
        average: decay of the running mean of the weights that is kept; None keeps the last ones.
        masks: which masks it sees, one of `data.MASKS`.
        weights: of the loss's terms.
        without: parts of `presets.PARTS` that are left out.
    """

    preset: str = "default"
    batch: int = 4
    learning_rate: float = 1e-3
    warm_up: int = 50
    minutes: float = 40.0
    steps: int = 3500
    seed: int = 0
    save_every: int = 250
    average: float | None = None
    masks: str = "random"
    weights: Weights = field(default_factory=Weights)
    without: tuple[str, ...] = ()

    @property
    def schedule(self) -> Schedule:
        """What of this the engine needs."""
        return Schedule(
            self.steps, self.learning_rate, self.warm_up, floor=0.05,
            check=self.save_every, minutes=self.minutes, average=self.average, seed=self.seed,
        )  # fmt: skip


class Trainer:
    """What the engine is given to train: a generator, its batches and its loss."""

    def __init__(
        self,
        settings: TrainSettings,
        train: Samples,
        trunk: nn.Module,
        init: str | Path | None = None,
    ) -> None:
        self.settings, self.train, self.chance = settings, train, _clip_balanced(train)
        config = config_for(settings.preset, settings.without)
        self.generator = started(config, settings.seed, init)
        self.device = Accelerator().device
        weights = weighed(settings.weights, settings.without)
        contrast = Contrast(train, settings.seed, self.device) if weights.contrast else None
        self.objective = Objective(weights, trunk, self.device, contrast)

    def task(self) -> Task[Batch]:
        """All of it, as the engine asks for it; the last step is what comes out."""
        optimiser = torch.optim.Adam(self.generator.parameters(), self.settings.learning_rate)
        return Task(self.generator, optimiser, self.batches, self.terms)

    def terms(self, generator: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The loss's terms."""
        batch = _on(batch, self.device)
        mixed = pasted(generator(batch.inputs), batch)
        return self.objective(mixed, batch, coarse_pictures(generator))

    def batches(self, step: int = 0, rank: int = 0) -> Iterator[Batch]:
        """Endless augmented batches from a step on; each process draws its own."""
        return drawn(self._draw, self.settings.seed)(step, rank)

    def _draw(self, rng: np.random.Generator) -> Batch:
        picked = rng.choice(len(self.train), self.settings.batch, p=self.chance)
        masks = self.settings.masks
        made = collate([augmented(self.train[int(n)], rng, masks) for n in picked])
        return replace(made, places=tuple(self.train.places[n] for n in picked))


def coarse_pictures(generator: nn.Module) -> tuple[Tensor, ...]:
    """Pictures of coarser scales that the generator made on the way to its last one."""
    made = Accelerator().unwrap_model(generator)
    return made.coarse if isinstance(made, G4gGenerator) else ()


def started(config: GeneratorConfig, seed: int, init: str | Path | None = None) -> nn.Module:
    """A generator, with the weights of a checkpoint where it has them."""
    torch.manual_seed(seed)
    generator = build(config)
    if init:
        generator.load_state_dict(load_generator(init).state_dict(), strict=False)
    return generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def train(trainer: Trainer, output: Path) -> Engine[Batch]:
    """Train until time or steps are over; a stopped run goes on from the output folder."""
    engine = Engine(trainer.task(), trainer.settings.schedule, output / "state.pt")
    engine.run()
    return engine


def compare(clips: dict[str, Samples], pictures: dict[str, Picture]) -> dict[str, Quality]:
    """Figures of each way to make a picture, as means over clips."""
    result = {}
    for name, picture in pictures.items():
        rows = {clip: measure(samples, picture) for clip, samples in clips.items()}
        for clip, row in rows.items():
            log.info("%-10s %-40.40s %s", name, clip, row.row())
        result[name] = average(rows.values())
        log.info("%-10s %-40s %s", name, "MEAN", result[name].row())
    return result


def validate(generator: nn.Module, cache: Path, footage: Footage) -> dict[str, Quality]:
    """Generator against plain warps on the clips of unseen people."""
    places = {f.name: f for f in folders(cache, footage, Part.VALIDATION)}
    fixed = not config_of(generator).warped
    warped = {name: Samples([place]) for name, place in places.items()}
    generator.eval()

    def trained(x: GeneratorInput[Tensor]) -> Tensor:
        made: Tensor = generator(x)
        return made

    figures = compare(warped, {"nearest": nearest, "mean": mean, "untrained": untrained})
    own = {name: Samples([place], fixed=fixed) for name, place in places.items()}
    return figures | compare(own, {"trained": trained})


def _clip_balanced(samples: Samples) -> np.ndarray[Any, np.dtype[np.float64]]:
    """(N,) chance of each sample: long clips count more than short ones, but less than linearly."""
    sizes = np.array([len(clip["mask"]) for clip in samples.clips], np.float64)
    chance = np.repeat(sizes**-0.5, sizes.astype(int))
    balanced: np.ndarray[Any, np.dtype[np.float64]] = chance / chance.sum()
    return balanced


def _on(batch: Batch, device: torch.device) -> Batch:
    inputs = GeneratorInput(*(part.to(device) for part in batch.inputs))
    truth, alpha, mouth = (p.to(device) for p in (batch.truth, batch.alpha, batch.mouth))
    return replace(batch, inputs=inputs, truth=truth, alpha=alpha, mouth=mouth)


def parse() -> argparse.Namespace:
    """Command line."""
    default = TrainSettings()
    parser = argparse.ArgumentParser(prog="python -m training.taft", description=__doc__)
    add_footage(parser)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--preset", choices=PRESETS, default=default.preset)
    parser.add_argument("--minutes", type=float, default=default.minutes)
    parser.add_argument("--steps", type=int, default=default.steps)
    parser.add_argument("--batch", type=int, default=default.batch)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--init", type=Path, help="checkpoint to start from; of g4g the shipped")
    parser.add_argument("--learning-rate", type=float, default=default.learning_rate)
    parser.add_argument("--average", type=float, help="decay of the mean of weights to keep")
    for name in asdict(default.weights):
        parser.add_argument(f"--{name}", type=float, help="weight in the loss, not the preset's")
    parser.add_argument("--without", nargs="*", choices=PARTS, default=(), help="for ablations")
    parser.add_argument("--masks", choices=MASKS, default=default.masks, help="for ablations")
    parser.add_argument("--trunk", type=Path, help="state dict of VGG-19 or VGG-16")
    return parser.parse_args()


def chosen_weights(options: argparse.Namespace) -> Weights:
    """The preset's, but for those that the command line names."""
    named = {name: getattr(options, name) for name in asdict(Weights())}
    return replace(weights_of(options.preset), **{n: w for n, w in named.items() if w is not None})


def main() -> None:
    """Train, validate, write the checkpoint."""
    options = parse()
    options.output.mkdir(parents=True, exist_ok=True)
    settings = TrainSettings(
        preset=options.preset,
        batch=options.batch,
        minutes=options.minutes,
        steps=options.steps,
        seed=options.seed,
        learning_rate=options.learning_rate,
        average=options.average,
        masks=options.masks,
        weights=chosen_weights(options),
        without=tuple(options.without),
    )
    fixed, footage = not PRESETS[settings.preset].warped, chosen_footage(options)
    samples = Samples(folders(options.cache, footage, Part.TRAIN), fixed=fixed)
    if not len(samples):
        raise InputError(
            "The cache holds no sample to train on.", "Run `python -m training.prepare`."
        )
    log.info("%d samples of %d clips", len(samples), len(samples.clips))
    init = options.init or INITS.get(settings.preset)
    engine = train(Trainer(settings, samples, load_trunk(options.trunk, 3), init), options.output)
    generator = engine.judged.cpu()
    if engine.accelerator.is_main_process:
        figures = validate(generator, options.cache, footage)
        notes = {"steps": engine.progress.step, **{n: asdict(q) for n, q in figures.items()}}
        save_generator(options.output / "taft.safetensors", generator, notes)
