"""Movements and loudness of the footage's clips, as the cache of `training.prepare` has them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gsmooth_core.a2ep.mel import SAMPLE_RATE
from gsmooth_core.motion.brows import brow_curve
from gsmooth_core.motion.curves import FPS, count_for, resampled
from gsmooth_core.motion.energy import speech_energy
from gsmooth_core.motion.reference import head_curves
from gsmooth_core.ranges import ranges_of
from gsmooth_core.storage.arrays import load_track
from gsmooth_core.types import Bool, FaceTrack, Float
from training.footage import Footage, Sample
from training.prepare import load_speech

SHORTEST = 4.0  # seconds of a piece without a cut: one of a few words tells little
CUT = np.deg2rad(8.0)
"""Radians that no head turns between two frames at 25 a second."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Moving:
    """A clip, or what lies between two cuts of it, at 25 frames a second.

    Attributes:
        sample: the clip.
        motion: (T, 6) turn and shift away from its median pose.
        energy: (T,) of its speech.
        brow: (T,) how far brows are raised, away from their median.
    """

    sample: Sample
    motion: Float
    energy: Float
    brow: Float

    @property
    def seconds(self) -> float:
        """Length."""
        return len(self.motion) / float(FPS)


def read_moving(footage: Footage, cache: Path) -> list[Moving]:
    """All pieces that are long enough, of the clips that are prepared."""
    found = []
    for sample in footage.samples():
        name = f"{sample.stem}.safetensors"
        track, speech = cache / "tracks" / name, cache / "speech" / name
        if not (track.exists() and speech.exists()):
            log.warning("%s is not prepared; it is left out", sample.stem)
            continue
        found += _pieces(sample, load_track(track), load_speech(speech))
    return found


def _pieces(sample: Sample, track: FaceTrack, audio: Float) -> list[Moving]:
    energy = speech_energy(audio, len(track), track.fps)
    heard = np.arange(len(track)) < len(audio) / SAMPLE_RATE * float(track.fps)
    found = []
    for first, last in ranges_of(uncut(track) & heard):
        frames = np.zeros(len(track), np.bool_)
        frames[first : last + 1] = True
        count = count_for(last + 1 - first, track.fps)
        beside = np.stack([energy, brow_curve(track, frames)], axis=1)
        curves = np.concatenate([head_curves(track, frames), beside], axis=1)
        both = resampled(curves[first : last + 1], track.fps, count, FPS)
        if count / float(FPS) >= SHORTEST:
            found.append(Moving(sample, both[:, :6], np.clip(both[:, 6], 0, 1), both[:, 7]))
    return found


def uncut(track: FaceTrack) -> Bool:
    """(T,) usable frames whose head is not elsewhere all at once in the next."""
    steps = np.linalg.norm(np.diff(track.rotation, axis=0, append=track.rotation[-1:]), axis=1)
    return np.asarray(track.usable & (steps * float(track.fps) < CUT * float(FPS)))
