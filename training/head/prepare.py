"""Clips -> samples of `training.head.train`: `python -m training.head.prepare --footage --cache`.

Reads the tracks that `training.prepare` made and writes `head/<stem>/`: crops of a clip's frames,
and what each kind of moved photo shows in their place. What is there already is left as it is.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.storage.arrays import load_track
from gsmooth_core.types import Bool
from training.command import finish
from training.footage import Sample, add_footage, chosen_footage
from training.head.measure import FARTHEST
from training.head.reenact import chosen, pictures_of
from training.head.scene import KINDS, Scene, angle_between, usable_frames
from training.split import Part
from training.taft.data import store

PHOTOS, FRAMES = 3, 10
"""Photos that a clip gives, and frames that each of them is moved to."""

FIELDS = ("truth", *KINDS, "free", "region")
_INNER = 7  # pixels of the face's rim that the generator may mend

log = logging.getLogger(__name__)


def samples_of(sample: Sample, cache: Path, model: MorphableModel) -> Iterator[dict[str, Any]]:
    """Samples of one clip, each photo with its frames."""
    track = load_track(cache / "tracks" / f"{sample.stem}.safetensors")
    frames = usable_frames(track, len(track))
    for n in range(PHOTOS if len(frames) > PHOTOS else 0):
        first = frames[n * len(frames) // PHOTOS]
        others = [first, *(f for f in frames if angle_between(track, first, f) < FARTHEST)]
        later = chosen(track, others, FRAMES)
        pictures = dict(pictures_of(sample.path, [first, *later]))
        scene = Scene(pictures[first], track, first, model)
        for frame in later:
            truth, regions = pictures[frame], scene.regions(pictures[frame], frame)
            yield {
                "truth": scene.cut(truth), **scene.made(*scene.pose(frame)),
                "free": free_of(regions["face"]),
                "region": (regions["hair"] | regions["neck"]).astype(np.uint8),
            }  # fmt: skip


def free_of(face: Bool) -> NDArray[np.uint8]:
    """(H, W) 1 where the generator may change the picture: not inside the face (H, W)."""
    closed = cv2.morphologyEx(face.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((31, 31), np.uint8))
    return np.asarray(1 - cv2.erode(closed, np.ones((2 * _INNER + 1,) * 2, np.uint8)), np.uint8)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_footage(parser)
    parser.add_argument("--cache", type=Path, required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    model = load_face_model()
    (options.cache / "head").mkdir(parents=True, exist_ok=True)
    for sample in chosen_footage(options).samples():
        track = options.cache / "tracks" / f"{sample.stem}.safetensors"
        target = options.cache / "head" / sample.stem
        if sample.part is Part.VALIDATION or not track.is_file() or target.is_dir():
            continue
        made = list(samples_of(sample, options.cache, model))
        if made:
            store(target, made, FIELDS)
        log.info("%s: %d samples", sample.stem, len(made))


if __name__ == "__main__":
    finish(main)
