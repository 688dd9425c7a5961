"""Evaluate the current models on people whom none of them has seen.

    python -m training.evaluate --footage DIR --output DIR

Runs the paper's protocols and baselines (`rows`) on every clip of a validation speaker,
through the product's own way, and writes `evaluation.json` and `evaluation.html`. First the
generator is poisoned on each clip: one that looks at what it should make is refused. Pixels are
borrowed from at least half a second away. What is finished is kept; running it again is cheap.
The page shows people's faces: it belongs where the footage belongs.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import torch

from gsmooth_core.dub import DubPipeline
from gsmooth_core.errors import GSmoothError, InputError
from gsmooth_core.evaluation.metrics.figures import FIGURES, Figures
from gsmooth_core.storage.files import write_text
from training.evaluate.clip import ClipResult, LeftOut, try_clip
from training.evaluate.clips import EvalClip, chosen_clips
from training.evaluate.page import evaluation_page
from training.evaluate.result import Evaluation
from training.evaluate.rows import ROWS, Plan
from training.workers import workers

log = logging.getLogger(__name__)

DEFAULT_SPEECH = "RD_Radio31_000.wav"


def evaluate(
    clips: Sequence[EvalClip],
    plan: Plan,
    output: Path,
    processes: int = 1,
    make: type[DubPipeline] = DubPipeline,
) -> Evaluation:
    """Evaluate clips and write `evaluation.json` and `evaluation.html` into `output`.

    Args:
        clips: the clips.
        plan: how.
        output: folder of the results; each clip has a folder of its own in it.
        processes: clips at a time.
        make: how jobs are run.

    Raises:
        LeakError: the generator looks at what it should make; nothing is written then.
        InputError: not one clip could be evaluated.
    """
    output.mkdir(parents=True, exist_ok=True)
    return written(list(judged_clips(clips, plan, output, processes, make)), plan, output)


def written(judged: Sequence[ClipResult | LeftOut], plan: Plan, output: Path) -> Evaluation:
    """Write `evaluation.json` and `evaluation.html` from what was found on the clips.

    Raises:
        InputError: nothing was found on any of them.
    """
    results = [result for result in judged if isinstance(result, ClipResult)]
    left_out = [result for result in judged if isinstance(result, LeftOut)]
    if not results:
        reasons = " ".join(f"{left.clip}: {left.reason}" for left in left_out)
        raise InputError(f"No clip could be evaluated. {reasons}", "Choose others (--clips).")
    found = Evaluation(
        datetime.now(UTC).date().isoformat(),
        {
            "speech": plan.speech.name,
            "frames": plan.frames,
            "gap": plan.gap,
            "adapt": plan.adapt,
        },
        models_of(results),
        means(results),
        in_sync(results),
        results,
        left_out,
    )
    write_text(output / "evaluation.json", json.dumps(asdict(found), indent=1, allow_nan=False))
    write_text(output / "evaluation.html", evaluation_page(found, output))
    return found


def known_results(clips: Sequence[EvalClip], output: Path) -> list[ClipResult]:
    """What earlier runs found on the clips, whatever the program was then.

    Raises:
        InputError: nothing was found yet.
    """
    paths = (output / "clips" / clip.stem / "result.json" for clip in clips)
    texts = [path.read_text(encoding="utf-8") for path in paths if path.is_file()]
    if not texts:
        raise InputError(f"'{output}' holds no results yet.", "Run without --page-only first.")
    return [ClipResult.from_json(json.loads(text)) for text in texts]


def models_of(results: Sequence[ClipResult]) -> dict[str, str]:
    """First digits of each model file; more than one where it changed from clip to clip."""
    names = dict.fromkeys(name for result in results for name in result.models)
    found = {name: dict.fromkeys(r.models[name] for r in results if name in r.models)
             for name in names}  # fmt: skip
    return {name: " / ".join(digits) for name, digits in found.items()}


def means(results: Sequence[ClipResult]) -> dict[str, Figures]:
    """Row -> figure -> mean over the clips that have it."""
    table: dict[str, Figures] = {}
    for row in ROWS:
        judged = [r.rows[row.name].figures for r in results if row.name in r.rows]
        columns = {f.name: [figures.get(f.name) for figures in judged] for f in FIGURES}
        known = {name: [v for v in column if v is not None] for name, column in columns.items()}
        table[row.name] = {k: float(np.mean(v)) if v else None for k, v in known.items()}
        # Signed offsets would cancel out.
        if known["offset"]:
            table[row.name]["offset"] = float(np.mean(np.abs(known["offset"])))
    return table


def in_sync(results: Sequence[ClipResult]) -> dict[str, float | None]:
    """Row -> share of its clips whose offset is at most one frame."""
    shares: dict[str, float | None] = {}
    for row in ROWS:
        judged = [r.rows[row.name].figures for r in results if row.name in r.rows]
        offsets = [figures.get("offset") for figures in judged]
        near = [abs(v) <= 1 for v in offsets if v is not None]
        shares[row.name] = float(np.mean(near)) if near else None
    return shares


def judged_clips(
    clips: Sequence[EvalClip],
    plan: Plan,
    output: Path,
    processes: int,
    make: type[DubPipeline] = DubPipeline,
) -> Iterator[ClipResult | LeftOut]:
    """Evaluate clips, in their order; see `evaluate`."""
    folders = [output / "clips" / clip.stem for clip in clips]
    if processes == 1:
        _calm()
        for clip, folder in zip(clips, folders, strict=True):
            yield _told(try_clip(clip, plan, folder, make))
        return
    with workers(processes, _calm) as pool:
        jobs = [
            pool.submit(try_clip, clip, plan, folder, make)
            for clip, folder in zip(clips, folders, strict=True)
        ]
        for job in jobs:
            yield _told(job.result())


def _calm() -> None:
    """One thread a process: clips run side by side instead."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def _told(result: ClipResult | LeftOut) -> ClipResult | LeftOut:
    if isinstance(result, LeftOut):
        log.warning("%s is left out: %s", result.clip, result.reason)
    else:
        log.info("%s: done in %.0f s", result.clip, result.seconds)
    return result


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    plan = Plan(Path(DEFAULT_SPEECH))
    parser = argparse.ArgumentParser(
        prog="python -m training.evaluate", description="Evaluate the current models."
    )
    parser.add_argument("--footage", type=Path, required=True, help="folder: clips/, speech/")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--clips", nargs="*", default=(), help="file names; default: unseen people")
    parser.add_argument("--speech", type=Path, help="the other speech, any file with sound")
    parser.add_argument("--frames", type=int, default=plan.frames, help="of each clip")
    parser.add_argument("--samples", type=int, default=plan.samples, help="for slow measures")
    parser.add_argument("--processes", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--adapt", type=float, default=0.0, help="seconds to learn from each clip")
    parser.add_argument("--page-only", action="store_true", help="write the page again")
    parser.add_argument("--reuse", action="store_true", help="keep dubs of an older version")
    return parser.parse_args(arguments)


def plan_of(options: argparse.Namespace) -> Plan:
    """How to evaluate, by the command line.

    Raises:
        InputError: there is no other speech.
    """
    speech = options.speech or options.footage / "speech" / DEFAULT_SPEECH
    if not speech.is_file():
        raise InputError(f"There is no speech '{speech}'.", "Name a file with sound (--speech).")
    plan = Plan(speech.absolute(), options.frames, samples=options.samples)
    return replace(plan, reuse=options.reuse, adapt=options.adapt)


def main() -> int:
    """Entry point; the exit status is 0 only when there is a page."""
    options = parse()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    try:
        clips = chosen_clips(options.footage.absolute(), options.clips)
        output = options.output.absolute()
        if options.page_only:
            written(known_results(clips, output), plan_of(options), output)
        else:
            evaluate(clips, plan_of(options), output, options.processes)
    except GSmoothError as error:
        log.error("%s (%s)", error, error.code)
        return error.exit_code
    log.info("%s", output / "evaluation.html")
    return 0
