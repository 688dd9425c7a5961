"""How far picture and sound of a talking face lie apart, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import numpy as np

from gsmooth_core.errors import InputError, NoFaceError, NoSpeechError
from gsmooth_core.models import registry
from gsmooth_core.networks.engine import require_torch
from gsmooth_core.sync.expert import LipSound
from gsmooth_core.sync.face import Face
from gsmooth_core.sync.load import load_expert
from gsmooth_core.sync.offset import (
    MOST_SHIFT,
    SHIFTS,
    SyncResult,
    judge,
    mean_curve,
    shifted_distances,
)
from gsmooth_core.sync.windows import present
from gsmooth_core.types import Bool, FaceTrack, Float, Image

FEWEST_WINDOWS = 13
"""Half a second: below this nothing can be said."""
FARTHEST = 75
"""Frames (3 s) over which is looked for sound that does not fit within 15."""
FAR_FACTOR = 1.5
"""How many times the usual threshold such a find must reach."""


@lru_cache(maxsize=4)
def _load_once(path: Path, stamp: tuple[int, int, int]) -> LipSound:
    if path.suffix == ".safetensors":
        return load_expert(path)
    require_torch("SyncNet v2")
    from gsmooth_core.sync.syncnet import load_syncnet  # torch, an optional package

    return load_syncnet(path)


def load_sync_expert(path: Path | str | None = None) -> LipSound:
    """The shipped expert, one of the user's training, or the user's SyncNet v2.

    It is read once a process, and again when the file was replaced.

    Args:
        path: None is the shipped one; .safetensors a file of `training.sync`; anything else
            the published SyncNet v2 weights.

    Raises:
        ModelError: missing, damaged or of the wrong kind.
    """
    found = registry.locate("sync") if path is None else Path(path)
    return _load_once(found, registry.stamp(found))


def measure_sync(
    face: FaceTrack | Float,
    fps: Fraction | float,
    audio: Float,
    expert: LipSound | None = None,
    frames: Iterable[Image] | None = None,
    sound: Float | None = None,
) -> SyncResult:
    """Measure the AV offset of a clip and how well lips and sound fit.

    Args:
        face: the tracked face, or its landmarks (N, 478, 2) in pixels, NaN where there is none.
        fps: rate of the pictures; windows are read at 25 a second whatever it is.
        audio: (S,) samples at 16 kHz; sample 0 is heard at the first picture.
        expert: None is the shipped one.
        frames: the pictures (H, W, 3), for an expert that looks at them.
        sound: (T, D) what the expert makes of the sound, where that is known.

    Raises:
        NoFaceError: there is hardly a frame with a face.
        NoSpeechError: there is hardly any sound while the face is seen.
        InputError: the expert wants pictures and got none, or `fps` is no rate.
    """
    landmarks = face.landmarks if isinstance(face, FaceTrack) else np.asarray(face)
    if isinstance(face, FaceTrack):
        landmarks = np.where(face.usable[:, None, None], landmarks, np.float32(np.nan))
    if not fps > 0:
        raise InputError(f"{fps} is no frame rate.", "Pass frames a second.")
    if not len(landmarks) or not present(landmarks).any():
        raise NoFaceError("No frame shows a face.", "Choose a clip in which a face is seen.")
    expert = expert or load_sync_expert()
    lips, valid = expert.embed_face(Face(landmarks, float(fps), frames))
    sound = expert.embed_sound(audio) if sound is None else sound
    found = compare(expert, lips, valid, sound)
    return found if found.sure else _look_farther(expert, lips, sound, valid) or found


def compare(expert: LipSound, lips: Float, valid: Bool, sound: Float) -> SyncResult:
    """Offset and confidence of vectors that `expert` has made, within 15 frames.

    Args:
        expert: who made them.
        lips: (T, D) vectors of the lips.
        valid: (T,) where a face was seen.
        sound: (S, D) vectors of the sound.

    Raises:
        NoFaceError: there is hardly a frame with a face.
        NoSpeechError: there is hardly any sound while the face is seen.
    """
    if valid.sum() < FEWEST_WINDOWS:
        raise NoFaceError(
            f"A face is seen for {valid.sum() / 25:.1f} seconds only.",
            "Half a second is the least, six seconds are dependable.",
        )
    distances = shifted_distances(lips, sound, valid)
    compared = int(np.isfinite(distances).sum(axis=0).max())
    if compared < FEWEST_WINDOWS:
        raise NoSpeechError(
            f"There are {compared / 25:.1f} seconds of sound while the face is seen.",
            "Half a second is the least, six seconds are dependable.",
        )
    return judge(distances, expert.threshold(compared), expert.name)


def _look_farther(expert: LipSound, lips: Float, sound: Float, valid: Bool) -> SyncResult | None:
    """A fit beyond 15 frames, when it is clearer than chance among so many shifts would be."""
    shifts = np.arange(-FARTHEST, FARTHEST + 1)
    curve = mean_curve(shifted_distances(lips, sound, valid, shifts))
    centre = int(shifts[np.nanargmin(curve)])
    if abs(centre) <= MOST_SHIFT:
        return None
    distances = shifted_distances(lips, sound, valid, SHIFTS + centre)
    compared = int(np.isfinite(distances).sum(axis=0).max())
    found = judge(distances, expert.threshold(compared), expert.name, centre)
    return found if found.confidence > FAR_FACTOR * found.threshold else None
