"""What the sync expert hears: the middle of A2EP's own speech encoder, freed of the speaker."""

from __future__ import annotations

from functools import cache

import numpy as np

from gsmooth_core.a2ep import SpeechModel, load_a2ep
from gsmooth_core.a2ep.features import feature_blocks
from gsmooth_core.a2ep.mel import SAMPLE_RATE, level_gain, speech_weights
from gsmooth_core.a2ep.stream import normalise
from gsmooth_core.errors import ModelError
from gsmooth_core.models import registry
from gsmooth_core.types import Float

_MARKS = 16  # features that a fingerprint holds


@cache
def _encoder() -> SpeechModel:
    """The shipped model, never a user's own: the expert was trained on what this one hears."""
    path = registry.PACKAGE_WEIGHTS / registry.MODELS["a2ep"].filename
    if not path.is_file():
        raise ModelError("The speech model that hears for the sync expert is missing.",
                         "Reinstall GSmooth.")  # fmt: skip
    return load_a2ep(path)


def hears_with(model: SpeechModel) -> bool:
    """Whether the features of this model are those of `hear`."""
    return model is _encoder()


def hear(audio: Float) -> Float:
    """Features of speech, as clips of any loudness, speaker and room give them alike.

    Args:
        audio: (S,) samples at 16 kHz, -1..1.

    Returns:
        (ceil(S / 640), 512), 25 rows a second.
    """
    audio = np.nan_to_num(np.asarray(audio, np.float32))
    blocks = feature_blocks(_encoder().encoder, audio, level_gain(audio))
    return np.concatenate(list(normalise(blocks, speech_weights(audio))))


def fingerprint() -> list[float]:
    """What the encoder makes of a known sound: tells whether an expert was trained on its like."""
    time = np.arange(SAMPLE_RATE, dtype=np.float32) / SAMPLE_RATE
    chirp = 0.1 * np.sin(2 * np.pi * (200 * time + 900 * time**2))
    return [round(float(v), 4) for v in hear(chirp)[12, :_MARKS]]
