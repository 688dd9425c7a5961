"""Train TAFT from a pack in minutes, on a card: `python -m training.taft.packed --pack DIR`.

The whole way on a machine that has nothing but the repository and a pack: samples are composed on
all its cores, held in the card's memory, and trained on until the time is over. The learning rate
follows the clock, not the steps, as nobody knows the card's speed before. What is kept is the
running mean of the weights, written every minute and at the end.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from gsmooth_core.models.devices import best_device
from gsmooth_core.taft.checkpoint import load_generator, save_generator
from gsmooth_core.taft.generator import PRESETS, build
from training.taft.bands import energy_ratio, local_energy
from training.taft.critic import Judge
from training.taft.losses import LossSettings, TaftLoss
from training.taft.store import Drawn, Store
from training.taft.unpack import packed_trunk, unpack

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PackedSettings:
    """How the generator is trained.

    Attributes:
        preset: name in `generator.PRESETS`.
        batch: samples a step.
        learning_rate: of Adam, after a warm-up, before a cosine decay to a twentieth.
        minutes: from the start of the program to the last checkpoint.
        unpacking: seconds of them for making samples, at most.
        every: frames from one sample of a clip to the next.
        steps: after which training stops at the latest.
        seed: of initialisation and of all that is drawn.
        mouth: extra weight of lips and mouth interior in the photometric loss.
        photo: lambda_photo.
        perceptual: lambda_p.
        style: lambda_s.
        local: weight of `bands.local_energy`.
        ratio: weight of `bands.energy_ratio`, in mouth and mask.
        adversarial: weight of `critic.Judge.fooled`; 0 does without a critic.
        judged: share of the time after which the generator listens to it.
        kept: of the running mean of the weights, at each step.
    """

    preset: str = "detail"
    batch: int = 32
    learning_rate: float = 8e-4
    minutes: float = 6.0
    unpacking: float = 60.0
    every: int = 3
    steps: int = 100_000
    seed: int = 0
    mouth: float = 2.0
    photo: float = 6.0
    perceptual: float = 2.0
    style: float = 200.0
    local: float = 0.1
    ratio: float = 0.2
    adversarial: float = 0.0
    judged: float = 0.3
    kept: float = 0.998


class PackedTrainer:
    """A generator, the running mean of it, and its losses, on one device."""

    def __init__(
        self, settings: PackedSettings, trunk: nn.Module, init: Path | None, device: torch.device
    ) -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.step = settings, 0
        self.generator = _started(settings, init).to(device)
        self.generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.mean = {k: v.detach().clone() for k, v in self.generator.state_dict().items()}
        self.optimizer = torch.optim.Adam(self.generator.parameters(), settings.learning_rate)
        weights = LossSettings(settings.photo, settings.perceptual, settings.style, (4,))
        self.loss = TaftLoss(trunk, weights).to(device)
        self.fine = TaftLoss(trunk, replace(weights, photo=0.0, scales=(1,))).to(device)
        self.judge = Judge(device, settings.learning_rate) if settings.adversarial else None

    def step_once(self, drawn: Drawn, done: float) -> dict[str, Tensor]:
        """One step of Adam when `done` (0..1) of the time is over; returns the loss terms."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * _rate(self.step, done)
        terms = self._terms(drawn, done)
        self.optimizer.zero_grad()
        terms["total"].backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.generator.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        kept = min(self.settings.kept, self.step / (self.step + 10))
        now = list(self.generator.state_dict().values())
        torch._foreach_lerp_(list(self.mean.values()), now, 1 - kept)  # one launch, not a hundred
        return {name: value.detach() for name, value in terms.items()}

    def _terms(self, drawn: Drawn, done: float) -> dict[str, Tensor]:
        s, batch = self.settings, drawn.batch
        picture = self.generator(batch.inputs)
        mixed = picture * batch.alpha + batch.truth * (1 - batch.alpha)
        terms = self.loss(mixed, batch.truth, 1 + s.mouth * batch.mouth)
        mouths, true_mouths = drawn.mouths(mixed), drawn.mouths(batch.truth)
        fine = self.fine(mouths, true_mouths)
        local = local_energy(mixed, batch.truth)
        around = nn.functional.max_pool2d(batch.mouth, 21, 1, 10)
        regions = (around, batch.inputs.mask)
        ratio = torch.stack([energy_ratio(mixed, batch.truth, r) for r in regions]).mean()
        total = terms["total"] + fine["total"] + s.local * local + s.ratio * ratio
        terms |= {"local": local, "ratio": ratio}
        if self.judge:
            terms |= {"critic": self.judge.learn(mouths, true_mouths)}
            total = total + s.adversarial * (done > s.judged) * self.judge.fooled(mouths)
        return {**terms, "total": total}

    def save(self, path: Path, notes: Mapping[str, object]) -> None:
        """Write the running mean as a checkpoint."""
        kept = build(PRESETS[self.settings.preset])
        kept.load_state_dict({k: v.cpu() for k, v in self.mean.items()})
        save_generator(path, kept, {"steps": self.step, **notes})


def train(trainer: PackedTrainer, store: Store, output: Path, start: float) -> None:
    """Train until the time, counted from `start` (monotonic), or the steps are over."""
    s, begun = trainer.settings, time.monotonic()
    end, saved = start + 60 * s.minutes, begun
    sums: dict[str, Tensor] = {}
    while trainer.step < s.steps and (now := time.monotonic()) < end:
        terms = trainer.step_once(store.draw(s.batch), (now - begun) / (end - begun))
        sums = {k: 0.98 * sums.get(k, v) + 0.02 * v for k, v in terms.items()}
        if trainer.step % 50 == 1:
            shown = "  ".join(f"{k} {float(v):.4f}" for k, v in sums.items())
            log.info("%d  %.0f s  %s", trainer.step, now - start, shown)
        if now - saved > 60:
            trainer.save(output / "taft.safetensors", {})
            saved = now
    rate = trainer.step / max(time.monotonic() - begun, 1e-6)
    trainer.save(output / "taft.safetensors", {"settings": asdict(s)})
    log.info("%d steps, %.2f a second", trainer.step, rate)


def _started(settings: PackedSettings, init: Path | None) -> nn.Module:
    """A generator with the weights of a checkpoint where it has them, untrained elsewhere."""
    generator = build(PRESETS[settings.preset])
    generator.load_state_dict(load_generator(init or "taft").state_dict(), strict=False)
    return generator.train()


def _rate(step: int, done: float) -> float:
    warm = min(1.0, (step + 1) / 50)
    return warm * (0.05 + 0.95 * (1 + math.cos(math.pi * min(1.0, done))) / 2)


def parse() -> argparse.Namespace:
    """Command line; every setting is an option."""
    parser = argparse.ArgumentParser(prog="python -m training.taft.packed", description=__doc__)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--samples", type=Path, help="where samples go; made anew unless there")
    parser.add_argument("--init", type=Path, help="checkpoint to start from; by default ours")
    for name, value in asdict(PackedSettings()).items():
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
    log.info("%s", json.dumps(asdict(settings)))
    samples = options.samples or options.output.parent / "taft-samples"
    folders = sorted(path for path in samples.glob("*") if path.is_dir())
    folders = folders or unpack(options.pack, samples, settings.every, settings.unpacking)
    device = torch.device(best_device())
    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    store = Store(folders, device, settings.seed)
    log.info("%d samples on %s after %.0f s", len(store), device, time.monotonic() - start)
    trunk = packed_trunk(options.pack / "trunk.safetensors")
    train(PackedTrainer(settings, trunk, options.init, device), store, options.output, start)


if __name__ == "__main__":
    main()
