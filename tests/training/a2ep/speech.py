"""Drawn speakers: a jaw that follows the loudness of noise, as a prepared cache."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np

from gsmooth_core.a2ep.mel import BLOCK
from gsmooth_core.face.load import load_face_model
from gsmooth_core.storage.arrays import save_arrays, save_track
from gsmooth_core.types import FaceTrack
from training.footage import Footage
from training.prepare import FULL_SCALE, prepare

FRAMES = 100
STEMS = (
    "styletalk_Obama_clip1", "styletalk_andrew_clip_1", "styletalk_feifeili_clip1",
    "sstzal-DFRF__dataset_vids_french", "sstzal-DFRF__dataset_vids_cnn2_25fps",
    "MrWhite429-face_simulate__data_trump", "styletalk_reagan_clip1",
    "aliawan01-testing_deepfake__musk",
)  # fmt: skip


def loudness(seed: int) -> np.ndarray:
    """(FRAMES,) 0..1, smooth, at times zero."""
    rng = np.random.default_rng(seed)
    time = np.arange(FRAMES) / 25
    waves = [np.sin(2 * np.pi * (f * time + rng.random())) for f in (1.1, 2.3, 3.1)]
    return np.clip(0.35 + 0.3 * np.sum(waves, axis=0), 0, 1).astype(np.float32)


def sound(level: np.ndarray, seed: int) -> np.ndarray:
    """Noise of that loudness, one block a frame."""
    rng = np.random.default_rng(seed)
    swell = np.interp(np.arange(FRAMES * BLOCK) / BLOCK - 0.5, np.arange(FRAMES), level)
    return (0.1 * (0.01 + swell) * rng.standard_normal(FRAMES * BLOCK)).astype(np.float32)


def jaw(level: np.ndarray, seed: int) -> FaceTrack:
    """A face whose jaw opens with the loudness, more or less widely, and whose lips smile."""
    model = load_face_model()
    rng = np.random.default_rng(seed)
    names = model.expression_names
    expression = np.zeros((FRAMES, len(names)), np.float32)
    expression[:, names.index("jawOpen")] = rng.uniform(0.3, 0.6) * level
    expression[:, names.index("mouthSmileLeft")] = 0.2
    vertices = model.shape(np.zeros(len(model.identity_basis), np.float32), expression)
    landmarks = 100 + 50 * model.landmarks(vertices)[..., :2]
    zeros = np.zeros((FRAMES, 3), np.float32)
    identity = 0.1 * rng.standard_normal(len(model.identity_basis))
    return FaceTrack(
        200, 200, Fraction(25), model.name, 300.0, identity.astype(np.float32), names, expression,
        zeros, zeros, np.zeros((FRAMES, 9, 3), np.float32), np.ones(FRAMES, np.float32),
        landmarks.astype(np.float32),
    )  # fmt: skip


def make(folder: Path) -> tuple[Footage, Path]:
    """Footage (a manifest only) and its cache, features of the spectrogram included."""
    footage, cache = Footage(folder / "footage"), folder / "cache"
    (footage.folder / "clips").mkdir(parents=True)
    for kind in ("tracks", "speech"):
        (cache / kind).mkdir(parents=True)
    rows = ["file\tfps\tsync_offset\tsync_C\tnull_C95"]
    for seed, stem in enumerate(STEMS):
        rows.append(f"{stem}.mp4\t25\t0\t0.9\t0.5")
        level = loudness(seed)
        save_track(cache / "tracks" / f"{stem}.safetensors", jaw(level, seed))
        samples = np.round(sound(level, seed) * FULL_SCALE).astype(np.int16)
        arrays = {"audio": samples}
        save_arrays(cache / "speech" / f"{stem}.safetensors", "speech", arrays, {"sync_offset": 0})
    (footage.folder / "clips" / "manifest.tsv").write_text("\n".join(rows), encoding="utf-8")
    prepare(footage, cache, "mel", 1, ("features",))
    return footage, cache
