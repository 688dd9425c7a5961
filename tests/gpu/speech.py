"""A2EP: curves on the card against the processor's, and seconds of speech a second."""

from __future__ import annotations

import copy
from fractions import Fraction

import numpy as np

from gsmooth_core.a2ep import PredictSettings, predict_expression
from gsmooth_core.a2ep.features import FPS, feature_blocks
from gsmooth_core.a2ep.mel import SAMPLE_RATE
from gsmooth_core.a2ep.model import A2EP, load_checkpoint
from gsmooth_core.models import registry
from gsmooth_core.types import Float
from tests.a2ep.small import babble
from tests.gpu.clock import wall_seconds
from tests.gpu.part import Part
from tests.gpu.precision import without_tf32

NEAR = 0.01
"""Curves run from 0 to 1; a hundredth of the way is nothing that anybody sees."""
SHARE = 0.999


def run(part: Part) -> None:
    here = load_checkpoint(registry.locate("a2ep"))
    there = copy.deepcopy(here).to(part.device)
    seconds = 4.0 if part.quick else 20.0
    with part.attempt("agreement"):
        agreement(part, here, there, seconds)
    with part.attempt("speed"):
        speed(part, "card", there, seconds if part.quick else 60.0)
        speed(part, "processor", here, seconds)


def curves(model: A2EP, audio: Float) -> Float:
    """(T, 52) curves at 25 fps; the noise that is heard is no voice, and still moves the mouth."""
    frames, settings = round(len(audio) / SAMPLE_RATE * FPS), PredictSettings(voice_gate=False)
    return predict_expression(audio, frames, Fraction(round(FPS)), None, settings, model).values


def agreement(part: Part, here: A2EP, there: A2EP, seconds: float) -> None:
    audio = babble(seconds)
    truth = curves(here, audio)
    apart = np.abs(curves(there, audio) - truth)
    part.figure("curves_apart", figures(apart))
    part.check("the card's curves are the processor's", holds=share(apart) >= SHARE)
    part.check("the curves move at all", holds=float(np.ptp(truth, axis=0).max()) > 0.05)
    with without_tf32():
        part.figure("curves_apart_without_tf32", figures(np.abs(curves(there, audio) - truth)))


def figures(apart: Float) -> dict[str, float]:
    """Of absolute differences."""
    return {"share": share(apart), "largest": float(apart.max()), "mean": float(apart.mean())}


def share(apart: Float) -> float:
    """Of the values that are near."""
    return float((apart <= NEAR).mean())


def speed(part: Part, name: str, model: A2EP, seconds: float) -> None:
    """Seconds of speech a second, of the whole way and of the encoder alone."""
    audio = babble(seconds)
    curves(model, audio[: 2 * SAMPLE_RATE])  # loads kernels
    device = next(model.parameters()).device
    whole = wall_seconds(lambda: curves(model, audio), device)
    heard = wall_seconds(lambda: list(feature_blocks(model.encoder, audio)), device)
    part.figure(f"{name}_speech_seconds_per_second", seconds / whole)
    part.figure(f"{name}_encoder_seconds_per_second", seconds / heard)
