"""Tracked clips -> samples for TAFT: `python -m training.taft.prepare --footage DIR --cache DIR`.

Reads `tracks/<stem>.safetensors` of the cache and writes `taft/<stem>/`. Clips of validation
speakers give a run of consecutive frames, so that flicker can be measured; the others give
frames spread over the clip. What is there already is left as it is.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import cv2
import numpy as np

from gsmooth_core.errors import GSmoothError
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.media import probe, read_frames
from gsmooth_core.models import registry
from gsmooth_core.storage.arrays import load_track
from gsmooth_core.sync.load import load_expert
from gsmooth_core.sync.windows import FPS
from gsmooth_core.types import FaceTrack, Float
from training.command import finish
from training.footage import Footage, Sample, add_footage, chosen_footage
from training.split import Part
from training.taft.data import FIELDS, GAP, SOUND, composed, reconstruction, sample_arrays, store

REFERENCES = 6
VALIDATION_FRAMES = 40

log = logging.getLogger(__name__)


def chosen_frames(track: FaceTrack, part: Part, most: int) -> list[int]:
    """Frames of a clip that become samples."""
    usable = np.flatnonzero(track.usable)
    if part is Part.VALIDATION:
        first = max(0, (len(usable) - VALIDATION_FRAMES) // 2)
        return [int(frame) for frame in usable[first : first + VALIDATION_FRAMES]]
    step = max(1, -(-len(usable) // most))
    return [int(frame) for frame in usable[::step]]


def prepare_clip(sample: Sample, model: MorphableModel, cache: Path, most: int) -> int:
    """Write the samples of one clip; returns how many."""
    track = load_track(cache / "tracks" / f"{sample.stem}.safetensors")
    if len(track) / float(track.fps) < 2.2 * GAP:
        return 0
    frames, clip = chosen_frames(track, sample.part, most), probe(sample.path)
    pictures = list(read_frames(clip, 0, min(clip.frame_count, len(track))))
    settings = reconstruction(REFERENCES)
    made = {
        frame: sample_arrays(composition, truth, REFERENCES)
        for frame, (composition, truth) in zip(
            frames, composed(pictures, track, model, frames, settings), strict=True
        )
        if composition.members
    }
    if not made:
        return 0
    sound = heard(sample, list(made), float(track.fps))
    names = FIELDS if sound is None else (*FIELDS, SOUND)
    for n, arrays in enumerate(made.values()):
        arrays |= {} if sound is None else {SOUND: sound[n]}
    store(cache / "taft" / sample.stem, list(made.values()), names)
    return len(made)


def heard(sample: Sample, frames: list[int], fps: float) -> Float | None:
    """(N, D) vectors of the sound of frames; None where it is not known to belong to the lips."""
    if not sample.trusted:
        return None
    expert = load_expert(registry.locate("sync"))
    vectors = expert.embed_sound(sample.aligned_audio())
    rows = np.rint((np.array(frames) + 0.5) / fps * FPS - 0.5).astype(int)
    found: Float = vectors[rows.clip(0, len(vectors) - 1)]
    return found


def prepare(footage: Footage, cache: Path, most: int) -> None:
    """Prepare every tracked clip of the footage that is not prepared yet."""
    model = load_face_model()
    for sample in footage.samples():
        track = cache / "tracks" / f"{sample.stem}.safetensors"
        if not track.is_file() or (cache / "taft" / sample.stem).is_dir():
            continue
        limit = most if not sample.many else max(4, most // 16)
        try:
            log.info("%s: %d samples", sample.stem, prepare_clip(sample, model, cache, limit))
        except GSmoothError as error:
            log.warning("%s is left out: %s", sample.stem, error)


def folders(cache: Path, footage: Footage, part: Part) -> list[Path]:
    """Prepared clips of one part."""
    stems = [s.stem for s in footage.samples() if s.part is part]
    return [cache / "taft" / stem for stem in stems if (cache / "taft" / stem).is_dir()]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_footage(parser)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--most", type=int, default=96, help="samples a clip")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    (options.cache / "taft").mkdir(parents=True, exist_ok=True)
    prepare(chosen_footage(options), options.cache, options.most)


if __name__ == "__main__":
    finish(main)
