"""Footage that anybody may use: people of the face model whose jaw follows the sound of noise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from gsmooth_core.a2ep.mel import BLOCK, SAMPLE_RATE
from gsmooth_core.face.load import load_face_model
from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.types import Image
from tests.media import made
from training.face.render import random_view, take

FRAMES = 60
SIZE = 256


def loudness(random: np.random.Generator) -> np.ndarray:
    """(FRAMES,) 0..1, smooth, at times zero."""
    time = np.arange(FRAMES) / 25
    waves = [np.sin(2 * np.pi * (f * time + random.random())) for f in (1.1, 2.3, 3.1)]
    return np.clip(0.35 + 0.3 * np.sum(waves, axis=0), 0, 1).astype(np.float32)


def sound(level: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Noise of that loudness, one block of 640 samples a frame."""
    places = np.arange(FRAMES * BLOCK) / BLOCK - 0.5
    swell = np.interp(places, np.arange(FRAMES), level)
    return (0.2 * (0.01 + swell) * random.standard_normal(len(places))).astype(np.float32)


def pictures(
    model: MorphableModel, person: int, level: np.ndarray, random: np.random.Generator
) -> list[Image]:
    """FRAMES pictures of one of endless people, who sways and opens the jaw."""
    view = random_view(model, np.random.default_rng(person), SIZE, open_mouth=False)
    jaw = model.expression_names.index("jawOpen")
    skin = cv2.resize(random.normal(1, 0.06, (SIZE // 4, SIZE // 4, 3)), (SIZE, SIZE))
    frames = []
    for n in range(FRAMES):
        turn = np.array([0.03, 0.08, 0.02]) * np.sin(2 * np.pi * n / 50)
        expression = view.expression.copy()
        expression[jaw] = 0.5 * level[n]
        now = replace(view, rotation=turn.astype(np.float32), expression=expression)
        frames.append(np.clip(take(model, now, SIZE).image * skin, 0, 255).astype(np.uint8))
    return frames


def footage(folder: Path, clips: dict[str, int]) -> Path:
    """A folder of short clips: file name without suffix -> number of the person."""
    folder.mkdir(parents=True)
    model = load_face_model()
    for seed, (name, person) in enumerate(clips.items()):
        random = np.random.default_rng(seed)
        level = loudness(random)
        frames = np.array(pictures(model, person, level, random))
        silent = made.write_video(folder / "silent.mkv", frames, 25, "-crf", 4)
        spoken = made.write_wav(folder / "spoken.wav", sound(level, random), SAMPLE_RATE)
        both = ("-i", silent, "-i", spoken, "-c:v", "copy", "-c:a", "aac", "-shortest")
        made.ffmpeg(*both, folder / f"{name}.mp4")
        silent.unlink()
        spoken.unlink()
    return folder
