"""Train the sync expert: `python -m training.sync --footage DIR --cache DIR --output DIR`.

Reads what `training.prepare` made (tracks and features). Writes `sync.safetensors` (the expert),
and `state.pt`, from which a stopped run goes on. `--evaluate` measures the shipped expert, or the
one in the output folder, on validation speakers; `--folds` trains one expert for each group of
speakers and measures every clip with the expert that has not met its speaker.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator

from gsmooth_core.errors import InputError
from gsmooth_core.sync.expert import SyncConfig
from gsmooth_core.sync.model import SyncExpert, save_expert
from gsmooth_core.sync.offset import MOST_SHIFT, judge, shifted_distances
from gsmooth_core.sync.sound import fingerprint
from gsmooth_core.sync.windows import FPS
from training.engine import Engine
from training.footage import Footage, add_footage, chosen_footage
from training.progress import Progress
from training.split import Part
from training.sync import evaluate as figures
from training.sync.cca import fit_cca
from training.sync.data import Pair, centred, folds_of, of_part, read_pairs
from training.sync.fit import FitSettings, Lesson, fit_task, lesson_of

FOLDS = 5
INNER = 0  # the group of training speakers that decides which step is kept
SHARPNESS = 10.0  # inverse temperature at which held-out shifts are judged
NULL_SHARE = 95.0  # percent of wrong sounds that stay below the threshold
SMALLEST_SPREAD = 0.05  # of a component, relative to the first: below it there is noise alone

log = logging.getLogger(__name__)


def new_expert(config: SyncConfig, pairs: list[Pair], seed: int) -> SyncExpert:
    """An expert at its start: components of the mouth and sizes of features from the data."""
    torch.manual_seed(seed)
    expert = SyncExpert(config)
    moved = np.concatenate([centred(pair.takes[0].lips) for pair in pairs])
    values, vectors = np.linalg.eigh(np.cov(moved.T))
    values, vectors = values[::-1][: config.components], vectors[:, ::-1][:, : config.components]
    spread = np.sqrt(np.maximum(values, SMALLEST_SPREAD**2 * values[0]))
    heard = np.concatenate([pair.takes[0].sound for pair in pairs]).astype(np.float32)
    for name, value in (
        ("basis", vectors), ("spread", spread),
        ("sound_mean", heard.mean(axis=0)), ("sound_spread", heard.std(axis=0) + 1e-3),
    ):  # fmt: skip
        getattr(expert, name).copy_(torch.from_numpy(np.ascontiguousarray(value)))
    return expert


@torch.inference_mode()
def held_out_loss(expert: SyncExpert, lessons: list[Lesson]) -> float:
    """Mean surprise at the true shift among all 31, over the windows of each clip, over clips."""
    found, device = [], expert.basis.device
    for lesson in lessons:
        lips, sound, valid = lesson.takes[0]
        a = expert.lips(torch.from_numpy(lips)[None].to(device))[0].cpu().numpy()
        b = expert.sound(torch.from_numpy(sound)[None].to(device))[0].cpu().numpy()
        apart = shifted_distances(a, b, valid > 0)
        apart = apart[np.isfinite(apart).all(axis=1)]
        if len(apart):
            score = SHARPNESS * (1 - apart**2 / 2)  # cosine of unit vectors
            top = score.max(axis=1, keepdims=True)
            total = np.log(np.exp(score - top).sum(axis=1)) + top[:, 0]
            found.append(float((total - score[:, MOST_SHIFT]).mean()))
    return float(np.mean(found))


def null_constant(expert: SyncExpert, pairs: list[Pair]) -> float:
    """C such that wrong sound stays below c / sqrt(frames) in `NULL_SHARE` percent of clips."""
    lips = [(expert.embed_lips(p.takes[0].lips), p.takes[0].lips.valid) for p in pairs]
    sound = [expert.embed_features(p.takes[0].sound.astype(np.float32)) for p in pairs]
    found = []
    for (a, valid), mine in zip(lips, pairs, strict=True):
        for b, other in zip(sound, pairs, strict=True):
            count = min(len(a), len(b))
            if mine.sample.speaker == other.sample.speaker or count < 2 * FPS:
                continue
            apart = shifted_distances(a[:count], b[:count], valid[:count])
            frames = int(np.isfinite(apart).sum(axis=0).max())
            if frames > FPS:
                found.append(judge(apart).confidence * frames**0.5)
    return float(np.percentile(found, NULL_SHARE)) if found else 0.0


def train(
    pairs: list[Pair], config: SyncConfig, settings: FitSettings, state: Path | None = None
) -> tuple[SyncExpert, Progress]:
    """Train on `pairs`; one group of their speakers decides which step is kept.

    Args:
        pairs: clips with trusted sync.
        config: sizes.
        settings: how.
        state: file that a stopped run goes on from.

    Returns:
        the expert at its best step, and how it came there.

    Raises:
        InputError: there are too few people.
    """
    folds = folds_of(pairs, FOLDS)
    taught = [p for p, fold in zip(pairs, folds, strict=True) if fold != INNER]
    judged = [p for p, fold in zip(pairs, folds, strict=True) if fold == INNER and not p.is_word]
    if not taught or not judged:
        raise InputError(
            "The clips to train on show too few people.",
            "Two at least are needed, of whom one is held out to choose the best step.",
        )
    expert = new_expert(config, taught, settings.seed)
    lessons, held_out = ([lesson_of(p, expert) for p in part] for part in (taught, judged))
    task = fit_task(expert, settings, lessons, lambda now: held_out_loss(now, held_out))
    engine = Engine(task, settings.schedule, state)
    engine.run()
    expert.cpu().null.fill_(null_constant(expert, judged))
    return expert, engine.progress


def run(footage: Footage, cache: Path, output: Path, settings: FitSettings) -> Path:
    """Train on the training speakers and write the expert; returns its path."""
    output.mkdir(parents=True, exist_ok=True)
    pairs = of_part(_pairs(footage, cache), Part.TRAIN)
    config = SyncConfig()
    expert, progress = train(pairs, config, settings, output / "state.pt")
    about = {
        "settings": asdict(settings),
        "clips": len(pairs),
        "best_step": progress.best_step,
        "history": progress.history,
        "ears": fingerprint(),
    }
    if Accelerator().is_main_process:
        save_expert(output / "sync.safetensors", expert, about)
    return output / "sync.safetensors"


def run_folds(footage: Footage, cache: Path, output: Path, settings: FitSettings) -> None:
    """Measure every clip with an expert, and a CCA, that has not met its speaker."""
    output.mkdir(parents=True, exist_ok=True)
    pairs = _pairs(footage, cache)
    folds = folds_of(pairs, FOLDS)
    rows: dict[str, list[figures.Row]] = {"expert": [], "cca": []}
    for fold in range(FOLDS):
        rest = [p for p, f in zip(pairs, folds, strict=True) if f != fold]
        tested = [p for p, f in zip(pairs, folds, strict=True) if f == fold and not p.is_word]
        expert, _ = train(rest, SyncConfig(), settings, output / f"fold{fold}.pt")
        others = [p for p, f in zip(pairs, folds, strict=True) if not p.is_word and f >= 0]
        rows["expert"] += figures.examine(expert, tested, others, cache)
        cca = fit_cca(rest, cache)
        rows["cca"] += figures.examine(cca, tested, others, cache)
        figures.write(output / "folds.json", rows)
    log.info("%s", figures.text(rows))


def evaluate(footage: Footage, cache: Path, output: Path) -> None:
    """Measure the validation speakers with the expert in `output`, or the shipped one, and CCA."""
    from gsmooth_core.sync import load_sync_expert

    output.mkdir(parents=True, exist_ok=True)
    own = output / "sync.safetensors"
    pairs = _pairs(footage, cache)
    tested = [p for p in of_part(pairs, Part.VALIDATION) if not p.is_word]
    others = [p for p in pairs if not p.is_word]
    expert = load_sync_expert(own if own.exists() else None)
    cca = fit_cca(of_part(pairs, Part.TRAIN), cache)
    rows = {
        "expert": figures.examine(expert, tested, others, cache),
        "cca": figures.examine(cca, tested, others, cache),
    }
    figures.write(output / "validation.json", rows)
    log.info("%s", figures.text(rows))


def _pairs(footage: Footage, cache: Path) -> list[Pair]:
    pairs = read_pairs(footage, cache)
    if not pairs:
        raise InputError("The cache holds no clip to use.", "Run `python -m training.prepare`.")
    return pairs


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.sync", description="Train lips and sound to know each other."
    )
    add_footage(parser)
    parser.add_argument("--cache", type=Path, required=True, help="what training.prepare made")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=FitSettings.steps, help="optimiser steps")
    parser.add_argument("--seed", type=int, default=0, help="of initialisation and batches")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--evaluate", action="store_true", help="measure validation speakers")
    what.add_argument("--folds", action="store_true", help="measure all speakers, in turn")
    return parser.parse_args()


def main() -> None:
    """Entry point."""
    torch.set_num_threads(1)
    options = parse()
    footage = chosen_footage(options)
    settings = FitSettings(steps=options.steps, seed=options.seed)
    if options.evaluate:
        evaluate(footage, options.cache, options.output)
    elif options.folds:
        run_folds(footage, options.cache, options.output, settings)
    else:
        path = run(footage, options.cache, options.output, settings)
        log.info("%s", path)
