"""How much of a sound is speech, by the model's own ear."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from gsmooth_core.a2ep.features import FPS, feature_blocks, frame_count
from gsmooth_core.a2ep.interface import SpeechModel
from gsmooth_core.a2ep.mel import level_gain
from gsmooth_core.a2ep.predict import fit_length
from gsmooth_core.a2ep.voice import speech_presence
from gsmooth_core.types import Float


def spoken_share(audio: Float, model: SpeechModel) -> float:
    """Share of (S,) samples at 16 kHz in which somebody speaks, 0..1."""
    heard = fit_length(audio, frame_count(audio), Fraction(FPS))
    if not heard.any():
        return 0.0
    gain, logits = level_gain(heard), []
    for block in feature_blocks(model.encoder, heard, gain):
        logits.append(model.voice_logits(block))
    return float(speech_presence(np.concatenate(logits), heard, gain).mean())
