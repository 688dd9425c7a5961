"""The cache as A2EP reads it: what is heard and what the lips do, frame by frame at 25 fps.

Targets are freed of what audio cannot know: the person's mean expression, how widely they move
their mouth (each clip is brought to one amplitude), and which side of the face moves more
(left and right are averaged).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gsmooth_core.a2ep.components import driven_components, mirror_order
from gsmooth_core.a2ep.features import FPS
from gsmooth_core.a2ep.loss import LAMBDA_MOUTH
from gsmooth_core.a2ep.stream import normalise
from gsmooth_core.a2ep.style import mouth_amplitude
from gsmooth_core.face.mouth import aperture
from gsmooth_core.storage.arrays import load_arrays, load_track
from gsmooth_core.types import Bool, FaceTrack, Float
from training.a2ep.face import SpeechFace
from training.footage import Footage, Sample
from training.split import Part

FEWEST_FRAMES = 15
AMPLITUDE_RANGE = (0.5, 2.0)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reading:
    """How clips are read.

    Attributes:
        normalised: whether features are freed of their mean over the speech around them.
        template: whether targets are freed of who it is (eq. 5 to 7).
    """

    normalised: bool = True
    template: bool = True


@dataclass(frozen=True)
class Take:
    """One way to hear a clip (as it is, or augmented) and what its lips do.

    Attributes:
        features: (T, F) normalised.
        targets: (T, E) at unit amplitude, around the clip's mean.
        valid: (T,) frames with a usable face.
        speed: how fast the clip is played.
    """

    features: Float
    targets: Float
    valid: Bool
    speed: float = 1.0


@dataclass(frozen=True)
class Utterance:
    """A clip.

    Attributes:
        sample: where it comes from.
        takes: the clip as it is, then its augmented variants.
        mean: (E,) the clip's mean expression.
        amplitude: how widely this person moves, relative to all.
        truth: (T, E) the tracked expression, both sides as they are.
        seen: (T,) aperture of the lips in the picture over its 95th percentile.
        raw: (T, F) features before normalisation.
        weights: (T,) how much each frame is speech.
    """

    sample: Sample
    takes: tuple[Take, ...]
    mean: Float
    amplitude: float
    truth: Float
    seen: Float
    raw: Float
    weights: Float


def at_times(values: Float, usable: Bool, fps: float, seconds: Float) -> tuple[Float, Bool]:
    """Read curves at given times, linearly between usable frames.

    Args:
        values: (N, E) at frame centres.
        usable: (N,)
        fps: of the values.
        seconds: (T,)

    Returns:
        (T, E), and (T,) whether the nearest frame is usable.
    """
    position = seconds * fps - 0.5
    frames = np.flatnonzero(usable)
    columns = [np.interp(position, frames, values[frames, e]) for e in range(values.shape[1])]
    nearest = np.clip(np.round(position).astype(int), 0, len(values) - 1)
    inside = (position > -0.6) & (position < len(values) - 0.4)
    return np.stack(columns, axis=1).astype(np.float32), usable[nearest] & inside


def driven_curves(track: FaceTrack, names: tuple[str, ...]) -> Float:
    """(T, E) the components `names` of a track."""
    places = [track.expression_names.index(name) for name in names]
    return np.ascontiguousarray(track.expression[:, places])


def frame_times(count: int, speed: float = 1.0) -> Float:
    """(count,) seconds of the original at the centres of the frames of a take."""
    return ((np.arange(count) + 0.5) / FPS * speed).astype(np.float32)


def mistaken_for_expression(face: SpeechFace, identity: Float) -> Float:
    """(E,) expression that comes closest to B_id alpha when both stand on the mean face.

    What the vertex loss of a prediction without the identity adds to the target; the part of
    B_id alpha that no expression reaches is a constant.
    """
    basis = face.basis.reshape(len(face.names), -1).astype(np.float64)  # (E, 3 V)
    offset = np.einsum("i,ivc->vc", identity, face.model.identity_basis).ravel()
    weight = np.repeat(np.where(face.model.mouth_mask, LAMBDA_MOUTH, 1.0), 3)  # (3 V,)
    gram, reached = (basis * weight) @ basis.T, (basis * weight) @ offset
    return np.asarray(np.linalg.lstsq(gram, reached, rcond=1e-3)[0], np.float32)


def read_utterance(
    sample: Sample, cache: Path, encoder: str, face: SpeechFace, how: Reading | None = None
) -> Utterance | None:
    """One clip, or None when too little of it can be used."""
    how = how or Reading()
    track = load_track(cache / "tracks" / f"{sample.stem}.safetensors")
    arrays, meta = load_arrays(
        cache / "features" / encoder / f"{sample.stem}.safetensors", "features"
    )
    curves, fps = driven_curves(track, face.names), float(track.fps)
    if track.usable.sum() < FEWEST_FRAMES:
        return None
    truth, valid = at_times(curves, track.usable, fps, frame_times(len(arrays["x0"])))
    if valid.sum() < FEWEST_FRAMES:
        return None
    seen, _ = at_times(
        aperture(track.landmarks)[:, None], track.usable, fps, frame_times(len(truth))
    )
    seen = seen[:, 0] / np.percentile(seen[valid], 95)
    mean = truth[valid].mean(axis=0)
    amplitude = mouth_amplitude(truth[valid], face.gram) / face.amplitude
    unit = (curves - mean) / np.clip(amplitude, *AMPLITUDE_RANGE)
    unit = (unit + unit[:, mirror_order(face.names)]) / 2
    if not how.template:
        unit = unit + mistaken_for_expression(face, track.identity)
    takes = []
    for variant, speed in enumerate(meta["speeds"]):
        raw, weights = arrays[f"x{variant}"].astype(np.float32), arrays[f"w{variant}"]
        features = np.concatenate(list(normalise([raw], weights))) if how.normalised else raw
        targets, usable = at_times(unit, track.usable, fps, frame_times(len(raw), speed))
        takes.append(Take(features, targets, usable, speed))
    raw = arrays["x0"].astype(np.float32)
    return Utterance(sample, tuple(takes), mean, float(amplitude), truth, seen, raw, arrays["w0"])


def read_cache(
    footage: Footage, cache: Path, encoder: str, face: SpeechFace, how: Reading | None = None
) -> list[Utterance]:
    """All prepared clips of the footage."""
    found = []
    for sample in footage.samples():
        name = f"{sample.stem}.safetensors"
        if not (
            (cache / "tracks" / name).exists() and (cache / "features" / encoder / name).exists()
        ):
            log.warning("%s is not prepared; it is left out", sample.stem)
            continue
        utterance = read_utterance(sample, cache, encoder, face, how)
        if utterance:
            found.append(utterance)
    return found


def of_part(utterances: list[Utterance], part: Part) -> list[Utterance]:
    """The utterances of one part."""
    return [utterance for utterance in utterances if utterance.sample.part is part]


def folds_of(utterances: list[Utterance], count: int) -> list[int]:
    """Fold 0..count-1 of each utterance; a speaker is in one, many under one name in blocks."""
    readers = sorted(u.sample.stem for u in utterances if u.sample.many)
    places = {stem: place * count // len(readers) for place, stem in enumerate(readers)}
    speakers = sorted({u.sample.speaker for u in utterances if not u.sample.many})
    places |= {speaker: place % count for place, speaker in enumerate(speakers)}
    return [places[u.sample.stem if u.sample.many else u.sample.speaker] for u in utterances]


def driven_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Components that the model is trained on: speech-driven and able to move in the track."""
    return tuple(name for name in driven_components(names) if name != "tongueOut")
