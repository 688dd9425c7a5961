"""Make the motion library: `python -m training.motion --footage DIR --cache DIR --output DIR`.

Reads what `training.prepare` made (tracks and speech) and writes `motion.safetensors`: curves of
angles, shifts and loudness of the training people, without names. `--evaluate` compares stitched
movements and true ones of training people with those of the validation people; `--posevae` trains
SadTalker's PoseVAE first and compares it, too.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from gsmooth_core.motion.library import save_library
from training.footage import add_footage, chosen_footage
from training.motion.collect import about, collect, without_copies
from training.motion.data import Moving, read_moving
from training.motion.posetrain import pose_maker, save, train
from training.motion.table import DRAWS, measured, text
from training.split import Part

log = logging.getLogger(__name__)


def of_part(pieces: list[Moving], part: Part) -> list[Moving]:
    """The pieces of one part."""
    return [piece for piece in pieces if piece.sample.part is part]


def make(pieces: list[Moving], output: Path) -> Path:
    """Write the library of the training people; returns its path."""
    output.mkdir(parents=True, exist_ok=True)
    taught, path = without_copies(of_part(pieces, Part.TRAIN)), output / "motion.safetensors"
    save_library(path, collect(taught), about(taught))
    log.info("%s: %s", path, about(taught))
    return path


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m training.motion", description="Collect the movements of heads."
    )
    add_footage(parser)
    parser.add_argument("--cache", type=Path, required=True, help="what training.prepare made")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--evaluate", action="store_true", help="compare with validation people")
    parser.add_argument("--draws", type=int, default=DRAWS, help="of 10 seeds a speech, compared")
    parser.add_argument("--posevae", action="store_true", help="train PoseVAE, and compare it")
    parser.add_argument("--steps", type=int, default=4000, help="optimiser steps of PoseVAE")
    parser.add_argument("--minutes", type=float, default=60, help="after which PoseVAE stops")
    return parser.parse_args()


def main() -> None:
    """Entry point."""
    options = parse()
    pieces = read_moving(chosen_footage(options), options.cache)
    if options.evaluate or options.posevae:
        taught = without_copies(of_part(pieces, Part.TRAIN))
        others = {}
        if options.posevae:
            vae = train(collect(taught), options.steps, options.minutes)
            options.output.mkdir(parents=True, exist_ok=True)
            save(options.output / "posevae.pt", vae)
            others["PoseVAE"] = pose_maker(vae)
        judged = of_part(pieces, Part.VALIDATION)
        log.info("%s", text(measured(taught, judged, others, options.draws)))
    else:
        make(pieces, options.output)
