"""Reenact unseen clips: `python -m training.head.reenact --footage DIR --cache DIR`.

The first frame of each clip is the photo, the clip's tracked head the movement. Reads the tracks
that `training.prepare` made; `--align` takes what they are off out of the figures
(`training.head.align`), `--refine` adds the head moved as its own looks say
(`tracking.photometry`), its shoulders as they are seen to sway (`portrait.sway`), and its hair as
it is seen to move (`portrait.hair`). What is compared: the photo as it is, the photo as one
surface, and the person turned before the background.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.media import probe, read_frames
from gsmooth_core.portrait.hair import HairPictures
from gsmooth_core.portrait.sway import SwayPictures
from gsmooth_core.storage.arrays import load_track
from gsmooth_core.tracking.photometry.poses import refine_poses
from gsmooth_core.types import FaceTrack, Image
from training.command import finish
from training.footage import Sample, add_footage, chosen_footage
from training.head.measure import FARTHEST, Row, gains, measured, table
from training.head.scene import Scene, angle_between, usable_frames
from training.split import Part

FRAMES = 16
"""Of a clip; spread evenly over the angles that it reaches."""

log = logging.getLogger(__name__)


def chosen(track: FaceTrack, frames: list[int], count: int) -> list[int]:
    """The later frames to compare: evenly over the angles from the first, none too far."""
    angles = {n: angle_between(track, frames[0], n) for n in frames[1:]}
    near = sorted((n for n in angles if angles[n] < FARTHEST), key=lambda n: angles[n])
    if not near:
        return []
    wanted = np.linspace(angles[near[0]], angles[near[-1]], count)
    reached = np.array([angles[n] for n in near])
    return sorted({near[int(np.abs(reached - angle).argmin())] for angle in wanted})


def pictures_of(path: Path, numbers: list[int]) -> Iterator[tuple[int, Image]]:
    """Some frames of a clip, with their numbers."""
    wanted = set(numbers)
    for number, picture in enumerate(read_frames(probe(path), 0, max(numbers) + 1)):
        if number in wanted:
            yield number, picture


def of_clip(
    sample: Sample,
    cache: Path,
    model: MorphableModel,
    align: bool = False,
    refine: bool = False,
) -> list[Row]:
    """All rows of one clip."""
    track = load_track(cache / "tracks" / f"{sample.stem}.safetensors")
    frames = usable_frames(track, len(track))
    numbers = chosen(track, frames, FRAMES) if frames else []
    if not numbers:
        return []
    pictures = pictures_of(sample.path, [frames[0], *numbers])
    first, photo = next(pictures)
    scene = Scene(photo, track, first, model)
    refined = _refined(track, model, sample.path) if refine else None
    return list(measured(sample.stem, scene, pictures, align, refined))


def _refined(track: FaceTrack, model: MorphableModel, path: Path) -> FaceTrack:
    """The track as a movement that is followed is given it."""
    below, beside = SwayPictures(track), HairPictures(track, model)
    frames = beside.watching(below.watching(read_frames(probe(path))))
    refined = refine_poses(track, model, frames)
    return replace(refined, sway=below.sway(refined), hair=beside.hair(refined))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_footage(parser)
    parser.add_argument("--cache", type=Path, required=True, help="what training.prepare made")
    parser.add_argument("--part", choices=[p.value for p in Part], default=Part.VALIDATION.value)
    parser.add_argument("--clips", nargs="+", help="only these clips, by their stems' beginnings")
    parser.add_argument("--align", action="store_true", help="heads are where their faces are")
    parser.add_argument("--refine", action="store_true", help="poses by the head's looks, too")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    model, rows = load_face_model(), []
    for sample in chosen_footage(options).samples():
        if sample.part.value == options.part and _named(sample, options.clips):
            rows += of_clip(sample, options.cache, model, options.align, options.refine)
            log.info("%s: %d pictures", sample.stem, len(rows))
    log.info("%s\n\n%s", table(rows), gains(rows, 3, 10))


def _named(sample: Sample, names: list[str] | None) -> bool:
    return not names or any(sample.stem.startswith(name) for name in names)


if __name__ == "__main__":
    finish(main)
