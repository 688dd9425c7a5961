"""Speech -> expression curves of a video's length and rate, for any length of speech."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from gsmooth_core.a2ep.closing import apply_closure, touching
from gsmooth_core.a2ep.curves import smooth_curves
from gsmooth_core.a2ep.features import FPS, feature_blocks
from gsmooth_core.a2ep.hearing import directions_of
from gsmooth_core.a2ep.interface import SpeechModel
from gsmooth_core.a2ep.load import load_a2ep
from gsmooth_core.a2ep.mel import BLOCK, level_gain, speech_weights
from gsmooth_core.a2ep.stream import decode, normalise
from gsmooth_core.a2ep.voice import speech_presence
from gsmooth_core.face.curves import resample
from gsmooth_core.types import Expression, Float

CHUNK = 1 << 20  # samples that are looked at together


@dataclass(frozen=True)
class PredictSettings:
    """How curves are made of speech.

    Attributes:
        strength: how far the mouth moves from rest; 1 as predicted.
        smoothing: 0 as predicted, 1 very calm.
        voice_gate: whether the mouth rests where nobody speaks.
        closing: whether lips that should meet are pulled together.
        bounded: whether curves are cut to 0..1, as any ARKit character wants them. A person whose
            mouth rests elsewhere can do more of the movement (`merge_expression`).
    """

    strength: float = 1.0
    smoothing: float = 0.0
    voice_gate: bool = True
    closing: bool = True
    bounded: bool = True


@dataclass(frozen=True)
class Spoken:
    """Speech, as the model says it and as it hears it.

    Attributes:
        curves: (T, 52) how the average face speaks.
        heard: (T, H) what is heard, in the directions of `directions_of`.
        features: (N, F) all features at 25 frames a second; None unless they were asked for, since
            they take 184 MB an hour.
    """

    curves: Expression
    heard: Float
    features: Float | None = None


def fit_length(audio: Float, frame_count: int, fps: Fraction) -> Float:
    """Cut or pad (S,) samples with silence to whole 40 ms frames that span the video."""
    frames = max(1, math.ceil(frame_count / fps * Fraction(FPS)))
    part = audio[: frames * BLOCK]
    if len(part) == frames * BLOCK and part.dtype == np.float32 and _all_finite(part):
        return part  # no copy: an hour of sound is 230 MB
    fitted = np.zeros(frames * BLOCK, np.float32)
    for start in range(0, len(part), CHUNK):
        piece = part[start : start + CHUNK]
        fitted[start : start + len(piece)] = np.where(np.isfinite(piece), piece, 0.0)
    return fitted


def _all_finite(audio: Float) -> bool:
    starts = range(0, len(audio), CHUNK)
    return all(np.isfinite(audio[start : start + CHUNK]).all() for start in starts)


def predict_expression(
    audio: Float,
    frame_count: int,
    fps: Fraction,
    on_progress: Callable[[int], None] | None = None,
    settings: PredictSettings | None = None,
    model: SpeechModel | None = None,
) -> Expression:
    """Predict how a face speaks.

    The model steps at 25 frames a second, the rate it was trained at; the curves are then read
    at the video's own frame times. What it predicts is the average person;
    `merge_expression` gives the curves to a certain one.

    Args:
        audio: (S,) samples at 16 kHz; silence follows where it is shorter than the video.
        frame_count: T, length of the video.
        fps: frame rate of the video.
        on_progress: called with the number of frames that are done; may raise to stop.
        settings: strength, smoothing and so on.
        model: the model to use; None is the shipped one.

    Returns:
        (T, 52) curves, 0..1 if bounded; components that speech does not drive are zero.

    Raises:
        ModelError: the checkpoint is missing or damaged.
    """
    return predict_speech(audio, frame_count, fps, on_progress, settings, model).curves


def predict_speech(
    audio: Float,
    frame_count: int,
    fps: Fraction,
    on_progress: Callable[[int], None] | None = None,
    settings: PredictSettings | None = None,
    model: SpeechModel | None = None,
    *,
    keep_features: bool = False,
) -> Spoken:
    """As `predict_expression`, with what the model hears; `keep_features` asks for all of it."""
    settings = settings or PredictSettings()
    model = model or load_a2ep()
    listener = _Listener(model, fit_length(audio, frame_count, fps), keep_features)
    made, done = [], 0
    for block in decode(model.decoder, listener.features(), on_features=listener.close):
        made.append(block)
        done += len(block)
        if on_progress:
            on_progress(min(frame_count, int(done / FPS * fps)))
    moved = np.concatenate(made) - model.array("silence")
    if settings.closing:
        moved = listener.apply_closure(moved)
    if settings.voice_gate:
        moved = moved * listener.presence()[:, None]
    reach = float(model.array("gain")) * settings.strength
    curves = resample(moved * reach, FPS, frame_count, fps)
    curves = model.array("rest") + smooth_curves(curves, settings.smoothing, fps)
    curves = np.clip(curves, 0, 1) if settings.bounded else curves
    heard = resample(np.concatenate(listener.heard), FPS, frame_count, fps)
    features = np.concatenate(listener.kept) if keep_features else None
    return Spoken(Expression(model.all_names, _all_components(model, curves), fps), heard, features)


class _Listener:
    """Makes features of (S,) samples and keeps what the small heads say of them."""

    def __init__(self, model: SpeechModel, audio: Float, keep_features: bool) -> None:
        self.model = model
        self.audio = audio
        self.keep_features = keep_features
        self.directions = directions_of(model)
        self.gain = level_gain(audio)
        self.voice: list[Float] = []
        self.heard: list[Float] = []
        self.kept: list[Float] = []
        self.closing: list[Float] = []

    def features(self) -> Iterator[Float]:
        """Blocks of features for the decoder."""
        blocks = self._listen()
        freed = normalise(blocks, speech_weights(self.audio)) if self._normalised else blocks
        for block in freed:
            self.heard.append(block @ self.directions)
            if self.keep_features:
                self.kept.append(block)
            yield block

    @property
    def _normalised(self) -> bool:
        return self.model.config.normalise

    def _listen(self) -> Iterator[Float]:
        for block in feature_blocks(self.model.encoder, self.audio, self.gain):
            self.voice.append(self.model.voice_logits(block))
            yield block

    def close(self, features: Float) -> None:
        """Hear (m + 2 context, F) features of m frames."""
        self.closing.append(self.model.closing_logits(features))

    def presence(self) -> Float:
        """(T,) how far each frame is speech."""
        return speech_presence(np.concatenate(self.voice), self.audio, self.gain)

    def apply_closure(self, moved: Float) -> Float:
        """(T, E) with lips that meet where they should."""
        model, share = self.model, touching(np.concatenate(self.closing))
        opening = model.array("opening")
        usual_gap = float(-model.array("silence") @ opening)  # outputs: around the mean of speech
        return apply_closure(moved, share, opening, model.array("way"), usual_gap)


def _all_components(model: SpeechModel, values: Float) -> Float:
    """(T, E) driven components -> (T, all)."""
    full = np.zeros((len(values), len(model.all_names)), np.float32)
    full[:, [model.all_names.index(name) for name in model.names]] = values
    return full
