"""Makes a whole A2EP of a trained decoder: rest, silence, amplitude, voice."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from gsmooth_core.a2ep import A2EP
from gsmooth_core.a2ep.encoders import Wav2VecFrames
from gsmooth_core.a2ep.style import resting
from gsmooth_core.data import Float
from training.a2ep_data import AMPLITUDE_RANGE, Utterance
from training.a2ep_face import SpeechFace
from training.a2ep_fit import Student
from training.a2ep_voice import fit_voice, speechless_features

LONG = 100  # frames; shorter clips need not hold a moment of rest
SPEECHLESS = 12  # stretches of noise, and of music
SECONDS = 8.0


def opening_of(face: SpeechFace) -> Float:
    """(E,) how far a small step of each component opens the lips."""
    rest = np.full((1, len(face.names)), 0.2, np.float32)
    stepped = rest + 0.1 * np.eye(len(face.names), dtype=np.float32)
    return ((face.aperture(stepped) - face.aperture(rest)) / 0.1).astype(np.float32)


def _put(buffer: Tensor, value: Float | float) -> None:
    buffer.copy_(torch.as_tensor(value, dtype=torch.float32))


def finish(
    student: Student,
    gain: float,
    encoder: nn.Module,
    utterances: list[Utterance],
    face: SpeechFace,
    all_names: tuple[str, ...],
) -> A2EP:
    """The whole model, in evaluation mode.

    Args:
        student: trained.
        gain: on its output.
        encoder: the one that made the features; the student's own goes first.
        utterances: that it was trained on.
        face: the face it was trained for.
        all_names: components of the whole face model.
    """
    encoder = student.encoder or encoder
    settings = encoder.wav2vec.config.to_dict() if isinstance(encoder, Wav2VecFrames) else None
    model = A2EP(student.decoder.config, face.names, all_names, settings)
    model.encoder.load_state_dict(encoder.state_dict())
    model.decoder.load_state_dict(student.decoder.state_dict())
    opening = opening_of(face)
    long = [u for u in utterances if u.takes[0].valid.sum() >= LONG]
    rests = np.stack([resting(u.truth[u.takes[0].valid], opening) for u in long])
    means = np.stack([u.mean for u in long])
    scales = np.clip([u.amplitude for u in long], *AMPLITUDE_RANGE)[:, None]
    _put(model.rest, np.median(rests, axis=0))
    _put(model.silence, np.mean((rests - means) / scales, axis=0))
    _put(model.gram, face.gram)
    _put(model.opening, opening)
    _put(model.usual, face.amplitude)
    _put(model.gain, gain)
    _listen(model, utterances)
    return model.eval()


def _listen(model: A2EP, utterances: list[Utterance]) -> None:
    """Fit the voice head: the loud frames of all clips against noise and music."""
    speech = np.concatenate([u.raw[u.weights > 0.5] for u in utterances])
    rng = np.random.default_rng(0)
    other = speechless_features(model.encoder.eval(), SPEECHLESS, SECONDS, rng)
    weights, bias = fit_voice(speech, other)
    with torch.no_grad():
        _put(model.voice.weight, weights[None])
        _put(model.voice.bias, bias)
