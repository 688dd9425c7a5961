"""Checkpoints on the validation clips: `python -m training.taft.validate --help`.

Prints, for each clip and as means over clips, what `measure.Quality.row` says: mouth PSNR / SSIM,
mask PSNR, flicker, Laplacian variance, and four bands each of mouth and mask.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import torch

from gsmooth_core.taft.generators.checkpoint import load_generator
from training.footage import Footage, add_footage, chosen_footage
from training.split import Part
from training.taft.data import Samples
from training.taft.measure import Picture, Quality
from training.taft.prepare import folders
from training.taft.train import compare


def validate(
    checkpoints: list[Path], footage: Footage, cache: Path, frames: int
) -> dict[str, Quality]:
    """Figures of each checkpoint and of the shipped one, on each clip's first `frames`."""
    clips = {f.name: Samples([f]) for f in folders(cache, footage, Part.VALIDATION)}
    for samples in clips.values():
        samples.places = samples.places[:frames]
    paths: dict[str, str | Path] = {"shipped": "taft"}
    paths |= {str(path.parent.name): path for path in checkpoints}
    pictures: dict[str, Picture] = {
        name: load_generator(path).on("cpu") for name, path in paths.items()
    }
    return compare(clips, pictures)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoints", type=Path, nargs="*", help="named by their folders")
    add_footage(parser)
    parser.add_argument("--cache", type=Path, required=True, help="with taft/ of training.prepare")
    parser.add_argument("--frames", type=int, default=40, help="of a clip, consecutive")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    validate(options.checkpoints, chosen_footage(options), options.cache, options.frames)


if __name__ == "__main__":
    main()
