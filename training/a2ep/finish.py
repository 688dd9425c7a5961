"""Makes a whole A2EP of a trained decoder: rest, silence, amplitude, voice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from gsmooth_core.a2ep.encoders import Wav2VecFrames
from gsmooth_core.a2ep.expnet import ExpNet
from gsmooth_core.a2ep.model import A2EP
from gsmooth_core.a2ep.style import resting
from gsmooth_core.types import Float
from training.a2ep.closing import fit_closing
from training.a2ep.data import AMPLITUDE_RANGE, Utterance
from training.a2ep.expnet import ExpNetStudent
from training.a2ep.face import SpeechFace
from training.a2ep.fit import Student
from training.a2ep.voice import fit_voice, gap_features, speechless_features

LONG = 100  # frames; shorter clips need not hold a moment of rest
SPEECHLESS = 12  # stretches of noise, and of music
SECONDS = 8.0
PAUSES = 40


def opening_of(face: SpeechFace) -> Float:
    """(E,) how far a step of each component opens lips that are apart already."""
    parted = np.zeros((1, len(face.names)), np.float32)
    parted[:, face.names.index("jawOpen")] = 0.4
    stepped = parted + 0.1 * np.eye(len(face.names), dtype=np.float32)
    return ((face.aperture(stepped) - face.aperture(parted)) / 0.1).astype(np.float32)


def opening_direction_of(beta: Float, opening: Float) -> Float:
    """(E,) regression of (N, E) expressions on how far they open the lips."""
    moved = beta - beta.mean(axis=0)
    open_by = moved @ opening
    return (moved.T @ open_by / np.sum(open_by**2)).astype(np.float32)  # type: ignore[no-any-return]


def _put(buffer: Tensor, value: Float | float) -> None:
    buffer.copy_(torch.as_tensor(value, dtype=torch.float32))


def finish(
    student: Student | ExpNetStudent,
    gain: float,
    encoder: nn.Module,
    utterances: list[Utterance],
    face: SpeechFace,
    all_names: tuple[str, ...],
    folds: Sequence[int],
    spoken: Sequence[Float],
) -> A2EP:
    """The whole model, in evaluation mode.

    Args:
        student: trained.
        gain: on its output.
        encoder: the one that made the features; the student's own goes first.
        utterances: that it was trained on.
        face: the face it was trained for.
        all_names: components of the whole face model.
        folds: fold of each utterance.
        spoken: samples of some of their clips, for the voice head.
    """
    encoder = student.encoder or encoder
    settings = encoder.wav2vec.config.to_dict() if isinstance(encoder, Wav2VecFrames) else None
    model = A2EP(student.decoder.config, face.names, all_names, settings)
    model.encoder.load_state_dict(encoder.state_dict())
    model.decoder.load_state_dict(student.decoder.state_dict())
    opening = opening_of(face)
    long = [u for u in utterances if u.takes[0].valid.sum() >= LONG] or utterances
    shown = [u.truth[u.takes[0].valid] for u in long]
    seen = [u.seen[u.takes[0].valid] for u in long]
    rests = np.stack([resting(b, s) for b, s in zip(shown, seen, strict=True)])
    means = np.stack([u.mean for u in long])
    scales = np.clip([u.amplitude for u in long], *AMPLITUDE_RANGE)[:, None]
    rest = np.median(rests, axis=0)
    own = isinstance(model.decoder, ExpNet)  # it makes expressions, and no movements around a mean
    _put(model.rest, rest)
    _put(model.silence, rest if own else np.mean((rests - means) / scales, axis=0))
    _put(model.gram, face.gram)
    _put(model.opening, opening)
    _put(model.way, opening_direction_of(np.concatenate(shown), opening))
    _put(model.usual, face.amplitude)
    _put(model.gain, gain)
    _listen(model, utterances, spoken)
    _watch_closures(model, utterances, folds)
    return model.eval()


def _listen(model: A2EP, utterances: list[Utterance], spoken: Sequence[Float]) -> None:
    """Fit the voice head: the loud frames of all clips against noise, music and pauses."""
    speech = np.concatenate([u.raw[u.weights > 0.5] for u in utterances])
    rng = np.random.default_rng(0)
    encoder = model.encoder.eval()
    other = [
        speechless_features(encoder, SPEECHLESS, SECONDS, rng),
        gap_features(encoder, spoken, PAUSES, rng),
    ]
    weights, bias = fit_voice(speech, np.concatenate(other))
    with torch.no_grad():
        _put(model.voice.weight, weights[None])
        _put(model.voice.bias, bias)


def _watch_closures(model: A2EP, utterances: list[Utterance], folds: Sequence[int]) -> None:
    """Fit the closing head: frames in which lips touch against those in which they do not."""
    context = model.decoder.context
    weights = fit_closing(utterances, folds, context)
    kernel = weights[:-1].reshape(2 * context + 1, -1).T  # (F, window)
    state = {
        "weight": torch.from_numpy(np.ascontiguousarray(kernel)[None]),
        "bias": torch.from_numpy(weights[-1:].copy()),
    }
    model.closing.load_state_dict(state)
