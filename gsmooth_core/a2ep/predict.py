"""Speech -> expression curves of a video's length and rate, for any length of speech."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch

from gsmooth_core.a2ep.curves import resample_curves, smooth_curves
from gsmooth_core.a2ep.features import FPS, feature_blocks
from gsmooth_core.a2ep.mel import BLOCK, level_gain, speech_weights
from gsmooth_core.a2ep.model import A2EP, load_a2ep
from gsmooth_core.a2ep.stream import decode, normalise
from gsmooth_core.a2ep.voice import speech_presence
from gsmooth_core.data import Expression, Float


@dataclass(frozen=True)
class PredictSettings:
    """How curves are made of speech.

    Attributes:
        strength: how far the mouth moves from rest; 1 is usual.
        smoothing: 0 as predicted, 1 very calm.
        voice_gate: whether the mouth rests where nobody speaks.
    """

    strength: float = 1.0
    smoothing: float = 0.0
    voice_gate: bool = True


def fit_length(audio: Float, frame_count: int, fps: Fraction) -> Float:
    """Cut or pad (S,) samples with silence to whole 40 ms frames that span the video."""
    frames = max(1, math.ceil(frame_count / fps * Fraction(FPS)))
    part = np.nan_to_num(audio[: frames * BLOCK], nan=0.0, posinf=0.0, neginf=0.0)
    return np.pad(part.astype(np.float32), (0, frames * BLOCK - len(part)))


def predict_expression(
    audio: Float,
    frame_count: int,
    fps: Fraction,
    on_progress: Callable[[int], None] | None = None,
    settings: PredictSettings | None = None,
    model: A2EP | None = None,
) -> Expression:
    """Predict how a face speaks.

    The model steps at 25 frames a second, the rate it was trained at; the curves are then read
    at the video's own frame times. What it predicts is the average person;
    `merge_expression` gives the curves to a certain one.

    Args:
        audio: (S,) samples at 16 kHz; silence follows where it is shorter than the video.
        frame_count: T, length of the video.
        fps: its rate.
        on_progress: called with the number of frames that are done; may raise to stop.
        settings: strength, smoothing and so on.
        model: the model to use; None is the shipped one.

    Returns:
        (T, 52) curves, 0..1; components that speech does not drive are zero.

    Raises:
        ModelError: the checkpoint is missing or damaged.
    """
    settings = settings or PredictSettings()
    model = model or load_a2ep()
    heard = fit_length(audio, frame_count, fps)
    gain = level_gain(heard)
    logits: list[Float] = []
    made, done = [], 0
    for block in decode(model.decoder, _features(model, heard, gain, logits)):
        made.append(block)
        done += len(block)
        if on_progress:
            on_progress(min(frame_count, int(done / FPS * fps)))
    presence = np.ones(done, np.float32)
    if settings.voice_gate:
        presence = speech_presence(np.concatenate(logits), heard, gain)
    moved = (np.concatenate(made) - model.array("silence")) * presence[:, None]
    reach = float(model.gain) * settings.strength
    curves = resample_curves(moved * reach, frame_count, fps)
    curves = model.array("rest") + smooth_curves(curves, settings.smoothing, fps)
    return Expression(model.all_names, _all_components(model, np.clip(curves, 0, 1)), fps)


def _features(model: A2EP, audio: Float, gain: float, logits: list[Float]) -> Iterator[Float]:
    """Features for the decoder; the voice head's verdict on each frame goes to `logits`."""

    def listen() -> Iterator[Float]:
        for block in feature_blocks(model.encoder, audio, gain):
            with torch.inference_mode():
                logits.append(model.voice(torch.from_numpy(block)).numpy()[:, 0])
            yield block

    return normalise(listen(), speech_weights(audio)) if model.config.normalise else listen()


def _all_components(model: A2EP, values: Float) -> Float:
    """(T, E) driven components -> (T, all)."""
    full = np.zeros((len(values), len(model.all_names)), np.float32)
    full[:, [model.all_names.index(name) for name in model.names]] = values
    return full
