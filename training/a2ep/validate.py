"""Holds what is predicted from the speech of tracked clips against what their faces did."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from gsmooth_core.a2ep import PredictSettings, SpeechModel, predict_expression, style_of
from gsmooth_core.storage.arrays import load_track
from gsmooth_core.types import Expression, FaceTrack, Float
from training.a2ep.data import Utterance
from training.a2ep.face import SpeechFace
from training.a2ep.measure import Figures, measure
from training.prepare import load_speech

WHOLE = PredictSettings(bounded=False)


def as_person(model: SpeechModel, predicted: Expression, track: FaceTrack) -> Float:
    """(T, E) driven components of the prediction, on this person's mouth as the product has it."""
    style = style_of(track, model)
    places = [predicted.names.index(name) for name in model.names]
    values = predicted.values[:, places]
    return style.speak(values - model.array("rest"), model.array("opening")) if style else values


def validate_clip(
    model: SpeechModel,
    face: SpeechFace,
    cache: Path,
    clip: Utterance,
) -> Figures:
    """Figures of one clip at 25 fps, spoken by its own sound."""
    stem = clip.sample.stem
    track = load_track(cache / "tracks" / f"{stem}.safetensors")
    audio = load_speech(cache / "speech" / f"{stem}.safetensors")
    count = len(clip.truth)
    predicted = predict_expression(audio, count, Fraction(25), settings=WHOLE, model=model)
    return measure(face, as_person(model, predicted, track), clip.truth, clip.takes[0].valid)


def table(
    model: SpeechModel, face: SpeechFace, cache: Path, clips: Sequence[Utterance]
) -> dict[str, Figures]:
    """Figures of each clip by its stem."""
    return {clip.sample.stem: validate_clip(model, face, cache, clip) for clip in clips}
