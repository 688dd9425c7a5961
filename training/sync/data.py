"""The cache as the sync expert's training reads it: lips and sound of each clip, re-aligned."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.a2ep.stream import normalise
from gsmooth_core.storage.arrays import load_arrays, load_track
from gsmooth_core.sync.windows import FPS, Lips, lips_at, mouth_shapes, present
from gsmooth_core.types import Float
from training.footage import Footage, Sample
from training.split import Part

ENCODER = "whisper-base-3"
FEWEST_FRAMES = 15
LONG = 6.0
"""Seconds from which on a clip is long enough to measure its sync."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Take:
    """One way to hear a clip (as it is, or at another speed and in another room) and its lips.

    Attributes:
        lips: (T, 96) mouth shapes at 25 fps.
        sound: (T, F) features, float16; frame t is heard while frame t is seen.
    """

    lips: Lips
    sound: NDArray[np.float16]


@dataclass(frozen=True)
class Pair:
    """A clip: its lips and its sound.

    Attributes:
        sample: where it comes from.
        takes: the clip as it is, then its variants.
    """

    sample: Sample
    takes: tuple[Take, ...]

    @property
    def is_word(self) -> bool:
        """Whether it is a word-length clip."""
        return self.sample.path.parent.name == "words"

    @property
    def seconds(self) -> float:
        """Length in which lips are seen."""
        return float(self.takes[0].lips.valid.sum()) / FPS

    @property
    def judges(self) -> bool:
        """Whether it belongs to those that the expert is judged by."""
        return not self.is_word and self.sample.trusted and self.seconds >= LONG - 0.1


def read_pair(sample: Sample, cache: Path) -> Pair | None:
    """One clip, or None when too little of it can be used."""
    track = load_track(cache / "tracks" / f"{sample.stem}.safetensors")
    path = cache / "features" / ENCODER / f"{sample.stem}.safetensors"
    arrays, meta = load_arrays(path, "features")
    landmarks = np.where(track.usable[:, None, None], track.landmarks, np.float32(np.nan))
    seen = np.flatnonzero(present(landmarks))
    if len(seen) < FEWEST_FRAMES:
        return None
    shapes, fps = mouth_shapes(landmarks[seen]), float(track.fps)
    takes = []
    for variant, speed in enumerate(meta["speeds"]):
        raw = arrays[f"x{variant}"].astype(np.float32)
        sound = np.concatenate(list(normalise([raw], arrays[f"w{variant}"])))
        lips = lips_at(shapes, seen, fps, (np.arange(len(raw)) + 0.5) / FPS * speed)
        takes.append(Take(lips, sound.astype(np.float16)))
    return Pair(sample, tuple(takes))


def read_pairs(footage: Footage, cache: Path) -> list[Pair]:
    """All prepared clips whose sync is trusted, words included."""
    found = []
    for sample in footage.samples():
        name = f"{sample.stem}.safetensors"
        places = (cache / "tracks" / name, cache / "features" / ENCODER / name)
        if not all(path.exists() for path in places):
            log.warning("%s is not prepared; it is left out", sample.stem)
            continue
        pair = read_pair(sample, cache) if sample.trusted else None
        if pair:
            found.append(pair)
    return found


def of_part(pairs: list[Pair], part: Part) -> list[Pair]:
    """The pairs of one part."""
    return [pair for pair in pairs if pair.sample.part is part]


def folds_of(pairs: list[Pair], count: int) -> list[int]:
    """Fold 0..count-1 of each pair; -1 (never tested) for many people under one name.

    A speaker is in one fold; speakers with clips to judge by are dealt out first, so that every
    fold has as many as the others.
    """
    speakers = sorted({p.sample.speaker for p in pairs if not p.sample.many})
    judging = {p.sample.speaker for p in pairs if p.judges}
    speakers.sort(key=lambda speaker: speaker not in judging)
    places = {speaker: place % count for place, speaker in enumerate(speakers)}
    return [places.get(p.sample.speaker, -1) for p in pairs]


def centred(lips: Lips) -> Float:
    """(N, 96) valid shapes around their clip's mean."""
    known = lips.shape[lips.valid]
    out: Float = known - known.mean(axis=0)
    return out
