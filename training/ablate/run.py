"""What each part of the method is worth: Table IV's six ablations, and our own.

    python -m training.ablate --footage DIR --output DIR [--cache CACHE]

Ablations that switch a part off run at once. Those that need other weights are trained first, by
the commands of `training.a2ep` and `training.taft` that `--commands` prints; they need the cache of
`training.prepare` and `training.taft.prepare`, and are left out without it. `--steps` bounds each
training. Writes `ablation.json` and `ablation.html`: means over clips of the own-speech row of
`training.evaluate`, and of its reconstruction.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from gsmooth_core.dub import DubPipeline
from gsmooth_core.errors import GSmoothError, InputError
from gsmooth_core.evaluation.metrics.figures import FIGURES, Figures
from gsmooth_core.storage.files import write_text
from training.ablate.outcome import Outcome, Setup
from training.ablate.page import ablation_page
from training.ablate.variants import (
    WithoutAdaptation,
    WithoutBlending,
    WithoutReferences,
    WithoutTeeth,
)
from training.evaluate.clip import ClipResult
from training.evaluate.clips import chosen_clips
from training.evaluate.rows import Plan
from training.evaluate.run import DEFAULT_SPEECH, judged_clips, means
from training.taft.presets import PARTS
from training.workers import workers

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ablation:
    """One row of the table.

    Attributes:
        name: how the command line calls it.
        label: how people call it.
        text: what is taken away.
        variant: how jobs are run.
        trains: "a2ep" or "taft" where other weights are needed.
        options: of that training command.
        adapt: seconds that may be spent on learning from the clip's other parts first.
    """

    name: str
    label: str
    text: str
    variant: type[DubPipeline] = DubPipeline
    trains: str = ""
    options: tuple[str, ...] = ()
    adapt: float = 0.0


# Of arXiv 2402.18122; its rate and mean are those that the shipped weights were trained with.
_G4G = ("--preset", "g4g", "--learning-rate", "5e-4", "--average", ".997")

ABLATIONS = (
    Ablation("full", "Full model", "the shipped models, nothing taken away"),
    Ablation("no-temporal-audio", "w/o TempAud", "sound features that know no context",
             trains="a2ep", options=("--preset", "no-temporal-audio")),
    Ablation("no-vertex-loss", "w/o ExpSurp", "supervised on coefficients, not on vertices",
             trains="a2ep", options=("--preset", "no-vertex-loss")),
    Ablation("no-template", "w/o Template", "vertices without the one template face",
             trains="a2ep", options=("--preset", "no-template")),
    Ablation("no-mouth-weight", "w/o MouthAttn", "the mouth weighs as much as the rest",
             trains="a2ep", options=("--preset", "no-mouth-weight")),
    Ablation("no-blending", "w/o MAFB", "the generator makes the whole crop, blended with nothing",
             WithoutBlending, "taft", ("--masks", "everything")),
    Ablation("no-morphology", "w/o MorphoAug", "no random dilation or erosion in training",
             trains="taft", options=("--masks", "plain")),
    Ablation("no-audio-bias", "w/o audio bias", "every frame hears all of the sound",
             trains="a2ep", options=("--preset", "no-audio-bias")),
    Ablation("no-style", "w/o style", "no vector of the speaker in training",
             trains="a2ep", options=("--preset", "no-style")),
    Ablation("expnet", "ExpNet", "SadTalker's speech to expression: .2 s of spectrogram a frame",
             trains="a2ep", options=("--preset", "expnet")),
    Ablation("expnet-whisper", "ExpNet, Whisper", "the same, of the features that A2EP hears",
             trains="a2ep", options=("--preset", "expnet-whisper")),
    Ablation("no-references", "w/o references", "no pixel of other frames, the render alone",
             WithoutReferences),
    Ablation("no-teeth", "w/o teeth", "a face model without teeth and tongue", WithoutTeeth),
    Ablation("no-adaptation", "w/o personal fit", "curves not fitted to this person's mouth",
             WithoutAdaptation),
    Ablation("adapted", "with adaptation", "what the clip's other parts teach of this mesh",
             adapt=600.0),
    Ablation("g4g", "G4G", "with G4G's blocks and contrast, trained on from the shipped weights",
             trains="taft", options=_G4G),
    *(Ablation(f"g4g-no-{part}", f"G4G w/o {part}", f"the same without {part}", trains="taft",
               options=(*_G4G, "--without", part)) for part in PARTS),
    Ablation("g4g-none", "G4G's steps alone", "the shipped weights, trained on as long without any "
             "of it", trains="taft", options=(*_G4G, "--without", *PARTS)),
)  # fmt: skip

DUBS = ("reconstruction", "own")


def training_command(ablation: Ablation, setup: Setup) -> list[str]:
    """The command that trains an ablation's weights; empty when it needs none."""
    if not ablation.trains:
        return []
    cache = setup.cache or Path("CACHE")
    steps = [] if setup.steps is None else ["--steps", str(setup.steps)]
    return [
        *("-m", f"training.{ablation.trains}", *ablation.options),
        *("--footage", str(setup.footage), "--cache", str(cache)),
        *("--output", str(weights_folder(ablation, setup)), *steps),
    ]


def weights_folder(ablation: Ablation, setup: Setup) -> Path:
    """Where an ablation's own weights lie."""
    return setup.output / "weights" / ablation.name


def ablate(ablation: Ablation, setup: Setup) -> Outcome:
    """Train what has to be trained, evaluate, and give the means.

    Raises:
        LeakError: the generator looks at what it should make.
    """
    command = training_command(ablation, setup)
    shown = " ".join(["python", *command]) if command else ""
    missing = _train(ablation, setup, command) if command else ""
    facts = (ablation.name, ablation.label, ablation.text)
    if missing:
        return Outcome(*facts, {}, {}, shown, missing)
    _lend_tracks(setup, ablation)
    folders = [str(weights_folder(ablation, setup))] if command else []
    with workers(1, _use_weights, (folders,)) as pool:
        place = setup.output / "runs" / ablation.name
        shared = replace(setup, plan=replace(setup.plan, adapt=ablation.adapt))
        table = pool.submit(_means, shared, place, ablation.variant).result()
    return Outcome(*facts, table["own"], table["reconstruction"], shown)


def _train(ablation: Ablation, setup: Setup, command: Sequence[str]) -> str:
    """Train the weights if they are not there; returns why that could not be done."""
    weights = weights_folder(ablation, setup) / f"{ablation.trains}.safetensors"
    if weights.is_file():
        return ""
    if setup.cache is None:
        return "It needs weights of its own: name the prepared data (--cache)."
    weights.parent.mkdir(parents=True, exist_ok=True)
    log.info("%s: %s", ablation.name, " ".join(command))
    done = subprocess.run([sys.executable, *command], check=False, capture_output=True, text=True)
    (weights.parent / "training.log").write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode or not weights.is_file():
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return f"Its training failed: {last}"
    return ""


def _use_weights(folders: Sequence[str]) -> None:
    """Let a fresh process find an ablation's weights before all others."""
    known = os.environ.get("GSMOOTH_MODELS", "")
    os.environ["GSMOOTH_MODELS"] = os.pathsep.join([*folders, *([known] if known else [])])


def _means(setup: Setup, folder: Path, variant: type[DubPipeline]) -> dict[str, Figures]:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    judged = judged_clips(setup.clips, setup.plan, folder, 1, variant)
    return means([result for result in judged if isinstance(result, ClipResult)])


def _lend_tracks(setup: Setup, ablation: Ablation) -> None:
    """Tracks do not depend on what is taken away: take those of the full model."""
    for clip in setup.clips:
        base = setup.output / "runs" / "full" / "clips" / clip.stem
        place = setup.output / "runs" / ablation.name / "clips" / clip.stem
        if (base / "track").is_dir() and not place.exists():
            shutil.copytree(base / "track", place / "track")
            shutil.copyfile(base / "code.txt", place / "code.txt")


def run(chosen: Sequence[Ablation], setup: Setup) -> list[Outcome]:
    """Run ablations one after another; the table is written again after each."""
    outcomes: list[Outcome] = []
    setup.output.mkdir(parents=True, exist_ok=True)
    for ablation in chosen:
        outcomes.append(ablate(ablation, setup))
        found = _table(outcomes, setup)
        write_text(setup.output / "ablation.json", json.dumps(found, indent=1, allow_nan=False))
        frames = sum(1 for _ in setup.clips) * setup.plan.frames
        write_text(setup.output / "ablation.html", ablation_page(outcomes, setup, frames))
    return outcomes


def _table(outcomes: Sequence[Outcome], setup: Setup) -> dict[str, object]:
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "clips": [clip.path.name for clip in setup.clips],
        "frames": setup.plan.frames,
        "steps": setup.steps,
        "figures": {figure.name: figure.text for figure in FIGURES},
        "ablations": [asdict(outcome) for outcome in outcomes],
    }


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    names = [ablation.name for ablation in ABLATIONS]
    parser = argparse.ArgumentParser(
        prog="python -m training.ablate", description="What each part of the method is worth."
    )
    parser.add_argument("--footage", type=Path, required=True, help="folder: clips/, speech/")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--cache", type=Path, help="prepared data, for those that train")
    parser.add_argument("--only", nargs="*", choices=names, default=names, metavar="NAME",
                        help=f"of: {', '.join(names)}")  # fmt: skip
    parser.add_argument("--clips", nargs="*", default=(), help="file names; default: unseen people")
    parser.add_argument("--frames", type=int, default=Plan(Path()).frames, help="of each clip")
    parser.add_argument("--steps", type=int, help="bound of each training")
    parser.add_argument("--commands", action="store_true", help="print the training commands")
    return parser.parse_args(arguments)


def setup_of(options: argparse.Namespace) -> Setup:
    """What the command line asks for.

    Raises:
        InputError: there are no such clips.
    """
    footage, output = options.footage.absolute(), options.output.absolute()
    plan = Plan(footage / "speech" / DEFAULT_SPEECH, options.frames, samples=4)
    cache = options.cache.absolute() if options.cache else None
    clips = chosen_clips(footage, options.clips)
    return Setup(clips, replace(plan, dubs=DUBS), footage, output, cache, options.steps)


def main() -> int:
    """Entry point."""
    options = parse()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    chosen = [ablation for ablation in ABLATIONS if ablation.name in options.only]
    try:
        setup = setup_of(options)
        if options.commands:
            commands = (training_command(ablation, setup) for ablation in chosen)
            sys.stdout.writelines(f"python {' '.join(c)}\n" for c in commands if c)
            return 0
        if not chosen:
            raise InputError("No ablation was chosen.", "Name some (--only).")
        run(chosen, setup)
    except GSmoothError as error:
        log.error("%s (%s)", error, error.code)
        return error.exit_code
    log.info("%s", setup.output / "ablation.html")
    return 0
