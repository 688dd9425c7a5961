"""Train TAFT from a pack in minutes, on a card: `python -m training.taft.packed --pack DIR`.

The whole way on a machine that has nothing but the repository and a pack: samples are composed on
all its cores, held in the card's memory, and trained on until the time is over. The learning rate
follows the clock, not the steps, as nobody knows the card's speed before. What is kept is the
running mean of the weights.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from gsmooth_core.models.devices import best_device
from gsmooth_core.taft.generators.checkpoint import save_generator
from gsmooth_core.taft.generators.generator import PRESETS
from training.engine import Engine, Schedule, Task
from training.taft.critic import Judge
from training.taft.data import Batch
from training.taft.objective import Objective, Weights, mouth_patches, pasted
from training.taft.store import Store
from training.taft.train import coarse_pictures, started
from training.taft.unpack import packed_trunk, unpack

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PackedSettings:
    """How the generator is trained.

    Attributes:
        preset: name in `generator.PRESETS`.
        batch: samples a step.
        learning_rate: of Adam, after a warm-up, before a cosine decay to a twentieth.
        minutes: from the start of the program to the end of training.
        unpacking: seconds of them for making samples, at most.
        every: frames from one sample of a clip to the next.
        steps: after which training stops at the latest.
        seed: of initialisation and of all that is drawn.
        adversarial: weight of `critic.Judge.fooled`; 0 does without a critic.
        judged: share of the training time after which the generator listens to it.
        average: decay of the running mean of the weights, which is kept.
    """

    preset: str = "detail"
    batch: int = 32
    learning_rate: float = 8e-4
    minutes: float = 6.0
    unpacking: float = 60.0
    every: int = 3
    steps: int = 100_000
    seed: int = 0
    adversarial: float = 0.0
    judged: float = 0.3
    average: float = 0.998


WEIGHTS = Weights(edges=0.0, local=0.1, ratio=0.2)
"""Of the loss's terms, by default: bands of detail instead of the energy of edges."""

_TERMS = {name: weight for name, weight in asdict(WEIGHTS).items() if name != "contrast"}
"""What can be asked for: a pack has no sound to contrast with."""


class PackedTrainer:
    """What the engine is given to train: a generator, a store's batches, its losses.

    Args:
        settings: how.
        weights: of the loss's terms.
        trunk: that perceives.
        store: of the samples.
        init: checkpoint to start from; None is the shipped one.
        minutes: that training may take from now on.
    """

    def __init__(
        self,
        settings: PackedSettings,
        weights: Weights,
        trunk: nn.Module,
        store: Store,
        init: Path | None = None,
        minutes: float = math.inf,
    ) -> None:
        self.settings, self.store, self.minutes = settings, store, minutes
        self.generator = started(PRESETS[settings.preset], settings.seed, init or "taft")
        self.objective = Objective(weights, trunk, store.device)
        self.judge = Judge(store.device, settings.learning_rate) if settings.adversarial else None
        self.heard_from = time.monotonic() + 60 * minutes * settings.judged

    def engine(self) -> Engine[Batch]:
        """The one training loop, with a learning rate that follows the clock."""
        s = self.settings
        optimiser = torch.optim.Adam(self.generator.parameters(), s.learning_rate)
        task = Task(self.generator, optimiser, self.batches, self.terms)
        schedule = Schedule(
            s.steps, s.learning_rate, warm_up=50, floor=0.05, minutes=self.minutes,
            average=s.average, seed=s.seed, by_clock=math.isfinite(self.minutes),
        )  # fmt: skip
        return Engine(task, schedule)

    def batches(self, _step: int, _rank: int) -> Iterator[Batch]:
        """Endless batches of the store."""
        while True:
            yield self.store.draw(self.settings.batch)

    def terms(self, generator: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """The loss's terms; the critic learns in passing."""
        mixed = pasted(generator(batch.inputs), batch)
        terms = self.objective(mixed, batch, coarse_pictures(generator))
        if self.judge is None:
            return terms
        ours, theirs = mouth_patches(mixed, batch)
        terms["critic"] = self.judge.learn(ours, theirs)
        if time.monotonic() > self.heard_from:
            terms["total"] = terms["total"] + self.settings.adversarial * self.judge.fooled(ours)
        return terms


def train(trainer: PackedTrainer, output: Path) -> int:
    """Train until time or steps are over, write the checkpoint; returns the steps."""
    engine = trainer.engine()
    made, steps = engine.run().cpu(), engine.progress.step
    save_generator(output / "taft.safetensors", made, {"steps": steps} | _notes(trainer))
    return steps


def _notes(trainer: PackedTrainer) -> dict[str, object]:
    weights = asdict(trainer.objective.weights)
    return {"settings": asdict(trainer.settings), "weights": weights}


def parse() -> argparse.Namespace:
    """Command line; every setting is an option."""
    parser = argparse.ArgumentParser(prog="python -m training.taft.packed", description=__doc__)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--samples", type=Path, help="where samples go; made anew unless there")
    parser.add_argument("--init", type=Path, help="checkpoint to start from; by default ours")
    for name, value in (asdict(PackedSettings()) | _TERMS).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    return parser.parse_args()


def main() -> None:
    """Unpack, train, write the checkpoint."""
    start, options = time.monotonic(), parse()
    options.output.mkdir(parents=True, exist_ok=True)
    file = logging.FileHandler(options.output / "log.txt", encoding="utf-8")
    handlers: list[logging.Handler] = [logging.StreamHandler(), file]
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=handlers, force=True)
    settings = PackedSettings(**{n: getattr(options, n) for n in asdict(PackedSettings())})
    weights = Weights(**{n: getattr(options, n) for n in _TERMS})
    log.info("%s", json.dumps(asdict(settings) | asdict(weights)))
    samples = options.samples or options.output.parent / "taft-samples"
    folders = sorted(path for path in samples.glob("*") if path.is_dir())
    folders = folders or unpack(options.pack, samples, settings.every, settings.unpacking)
    device = torch.device(best_device())
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    store = Store(folders, device, settings.seed)
    log.info("%d samples on %s after %.0f s", len(store), device, time.monotonic() - start)
    trunk = packed_trunk(options.pack / "trunk.safetensors")
    left = settings.minutes - (time.monotonic() - start) / 60
    trainer = PackedTrainer(settings, weights, trunk, store, options.init, left)
    log.info("%d steps", train(trainer, options.output))


if __name__ == "__main__":
    main()
