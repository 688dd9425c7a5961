"""Make edits of footage, dub each, and measure the dubs against what is true of the edits.

    python -m training.edits --footage DATA --speech FILE --output FOLDER

Writes `edit_NN.mp4` and its truth `edit_NN.json`, the dub and its job `edit_NN_dub.*`, and
`figures.json`. What is there already is kept, so an interrupted run goes on. `--clip FILE` dubs
and measures a clip as it is, whose truth nobody knows: its tone alone.
"""

from __future__ import annotations

import argparse
import logging
from itertools import cycle
from pathlib import Path

from gsmooth_core import Job, dub_job
from gsmooth_core.dub import DubPipeline
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.storage.arrays import save_expression
from training.command import finish
from training.edits.make import make_edit
from training.edits.measure import Measured, measure_dub, save_measured, totals
from training.edits.shots import encode, some, takes_of
from training.edits.truth import load_truth, save_truth
from training.split import OWN, read_split

_SIZE = 960, 540
_SHOTS = 4
_SETTINGS = DubSettings(crf=10, preset="ultrafast")
_QUALITY = "16"  # of x264; what the codec smears is no tone

log = logging.getLogger(__name__)


def main() -> None:
    """Make, dub, measure."""
    options = _parser().parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    if options.footage is not None:
        _make(options)
    edits = sorted(options.output.glob("edit_??.mp4"))
    measured = []
    for clip, speech in zip([*edits, *options.clip], cycle(options.speech), strict=False):
        folder = _dub(clip, speech, options)
        truth = clip.with_suffix(".json")
        edit = load_truth(truth) if clip in edits and truth.is_file() else None
        measured.append(measure_dub(clip.stem, folder, edit)[0])
        log.info(in_words(measured[-1]))
        save_measured(options.output / "figures.json", measured)
    log.info("%s", totals(measured))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.edits", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--footage", type=Path, help="folder with clips/")
    parser.add_argument("--split", type=Path, default=OWN, help="who is in which clip")
    parser.add_argument("--speech", type=Path, nargs="+", required=True, help="what is said")
    parser.add_argument("--output", type=Path, required=True, help="folder for edits and dubs")
    parser.add_argument("--count", type=int, default=10, help="edits to make")
    parser.add_argument("--seed", type=int, default=0, help="of the first edit")
    parser.add_argument("--size", type=int, nargs=2, default=_SIZE, help="width and height of them")
    text = "give each mouth the shape it has: what differs then is light, and not words"
    parser.add_argument("--own-mouth", action="store_true", help=text)
    parser.add_argument("--clip", type=Path, nargs="*", default=[], help="dub and measure these")
    return parser


def _make(options: argparse.Namespace) -> None:
    takes = list(takes_of(options.footage / "clips", read_split(options.split)))
    size = options.size[0], options.size[1]
    for seed in range(options.seed, options.seed + options.count):
        path = options.output / f"edit_{seed:02d}.mp4"
        if path.is_file():
            continue
        edit = make_edit(some(takes, seed), seed, _SHOTS, bars=True, size=size, lit=True)
        save_truth(path.with_suffix(".json"), edit)
        encode(edit, path, _QUALITY)


def _dub(clip: Path, speech: Path, options: argparse.Namespace) -> Path:
    """Dub as anybody would; the job's folder."""
    name = f"{clip.stem}_{'own' if options.own_mouth else 'dub'}"
    folder: Path = options.output / name
    job = Job(clip, folder.with_suffix(".mp4"), speech, settings=_SETTINGS)
    if options.own_mouth:
        job.save(folder)
        curves = DubPipeline(job, folder).track().curves
        save_expression(folder / "expression.json", curves)  # as an edit of the user
    dub_job(job, folder)
    return folder


def in_words(m: Measured) -> str:
    """One clip's figures in a line."""
    return (
        f"{m.name}: tone {m.tone:.2f}, worst {m.worst:.1f} at {m.worst_frame}; of the skin "
        f"{m.skin:.2f}, worst {m.worst_skin:.1f}; dubbed {m.dubbed} "
        f"of {m.own} in {m.frames}, {m.foreign} with foreign references, {m.strangers} of others"
    )


if __name__ == "__main__":
    finish(main)
