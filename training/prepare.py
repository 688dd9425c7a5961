"""Clips -> what training reads: `python -m training.prepare --footage DIR --cache DIR`.

The cache has one folder a kind and one file (or folder) a clip in it, under the clip's stem:

    tracks/<stem>.safetensors              FaceTrack
    speech/<stem>.safetensors              sound at 16 kHz, aligned with the first picture
    features/<encoder>/<stem>.safetensors  encoder features at 25 fps, as it is and augmented
    taft/<stem>/                           face crops with references (`training.taft.prepare`)

What is there already is left as it is, so a run that was stopped goes on where it ended.
"""

from __future__ import annotations

import argparse
import logging
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gsmooth_core.a2ep.encoders import (
    MelFrames,
    SpectrogramFrames,
    TorchFrames,
    Wav2VecFrames,
)
from gsmooth_core.a2ep.features import feature_blocks
from gsmooth_core.a2ep.interface import FrameEncoder
from gsmooth_core.a2ep.mel import speech_weights
from gsmooth_core.errors import GSmoothError
from gsmooth_core.face.load import load_face_model
from gsmooth_core.media import probe, read_frames
from gsmooth_core.storage.arrays import load_arrays, save_arrays, save_track
from gsmooth_core.tracking import track_face
from gsmooth_core.types import Float
from training.a2ep.augment import augment
from training.a2ep.whisper import whisper_frames
from training.command import finish
from training.footage import Footage, Sample, add_footage, chosen_footage
from training.split import Part
from training.taft import prepare as crops

FULL_SCALE = 32767
CROPS = 96  # at most, a clip
STAGES = ("tracks", "speech", "features", "crops")

log = logging.getLogger(__name__)


def prepare_track(sample: Sample, target: Path) -> None:
    """Follow the face of one clip."""
    clip = probe(sample.path)
    save_track(target, track_face(read_frames(clip), clip, load_face_model()))


def prepare_speech(sample: Sample, target: Path) -> None:
    """Write the aligned sound of one clip."""
    audio = sample.aligned_audio()
    samples = np.round(np.clip(audio, -1, 1) * FULL_SCALE).astype(np.int16)
    save_arrays(target, "speech", {"audio": samples}, {"sync_offset": sample.sync_offset})


def load_speech(path: Path) -> Float:
    """(S,) samples that `prepare_speech` wrote."""
    arrays, _ = load_arrays(path, "speech")
    return (arrays["audio"] / FULL_SCALE).astype(np.float32)


def prepare_features(
    audio: Float, stem: str, encoder: FrameEncoder, variants: int, target: Path
) -> None:
    """Write features and frame weights, of the sound as it is ("x0", "w0") and of variants."""
    arrays: dict[str, NDArray[Any]] = {}
    speeds = []
    for variant in range(variants + 1):
        rng = np.random.default_rng([variant, zlib.crc32(stem.encode())])
        heard, speed = augment(audio, rng) if variant else (audio, 1.0)
        features = np.concatenate(list(feature_blocks(encoder, heard)))
        arrays[f"x{variant}"] = features.astype(np.float16)
        arrays[f"w{variant}"] = speech_weights(heard)
        speeds.append(speed)
    save_arrays(target, "features", arrays, {"speeds": speeds})


def chosen_encoder(name: str) -> tuple[str, TorchFrames]:
    """A folder name and the encoder.

    Args:
        name: "whisper" (base, layer 3), "mel", "spectrogram" or a wav2vec 2.0 folder.

    Raises:
        ModelError: the folder holds no wav2vec 2.0.
    """
    if name == "whisper":
        return "whisper-base-3", whisper_frames()
    if name == "mel":
        return name, MelFrames()
    if name == "spectrogram":
        return name, SpectrogramFrames()
    folder = Path(name)
    return f"wav2vec2-{folder.name}", Wav2VecFrames.from_folder(folder).eval()


def each(samples: list[Sample], folder: Path, make: Callable[[Sample, Path], None]) -> None:
    """Make the missing files of one kind; a clip that cannot be used is named and left out."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, sample in enumerate(samples, 1):
        target = folder / f"{sample.stem}.safetensors"
        if target.exists():
            continue
        try:
            make(sample, target)
            log.info("%s %d/%d: %s", folder.name, index, len(samples), sample.stem)
        except GSmoothError as error:
            log.warning("%s is left out: %s", sample.stem, error)


def prepare(
    footage: Footage, cache: Path, encoder: str, variants: int, stages: tuple[str, ...] = STAGES
) -> None:
    """Run the stages over all clips."""
    samples = footage.samples()
    if "tracks" in stages:
        each(samples, cache / "tracks", prepare_track)
    if "speech" in stages:
        each(samples, cache / "speech", prepare_speech)
    if "features" in stages:
        name, frames = chosen_encoder(encoder)

        def make(sample: Sample, target: Path) -> None:
            audio = load_speech(cache / "speech" / target.name)
            count = variants if sample.part is Part.TRAIN else 0
            prepare_features(audio, sample.stem, frames, count, target)

        each(samples, cache / "features" / name, make)
    if "crops" in stages:
        (cache / "taft").mkdir(parents=True, exist_ok=True)
        crops.prepare(footage, cache, CROPS)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Prepare footage for training.")
    add_footage(parser)
    parser.add_argument("--cache", type=Path, required=True, help="where prepared data goes")
    parser.add_argument(
        "--encoder",
        default="whisper",
        help="whisper, mel, spectrogram, or a wav2vec 2.0 folder",
    )
    parser.add_argument("--variants", type=int, default=6, help="augmented variants a clip")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    return parser.parse_args()


def main() -> None:
    """Entry point."""
    torch.set_num_threads(1)
    options = parse()
    footage, stages = chosen_footage(options), tuple(options.stages)
    prepare(footage, options.cache, options.encoder, options.variants, stages)


if __name__ == "__main__":
    finish(main)
