"""Whether somebody speaks: a mouth that moves in silence is what viewers notice first."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d, grey_closing, maximum_filter1d, median_filter

from gsmooth_core.a2ep.mel import SPEECH_LEVEL, block_levels
from gsmooth_core.types import Float

QUIET = 38.0  # dB below usual speech under which nothing is heard as speech
FLICKER = 5  # frames: shorter bursts or gaps are not believed
SHORT_PAUSE = 25  # frames: in shorter pauses the mouth does what the sound around asks for
REACH = 7  # frames: lips part before a sound and close after it
SOFT = 1.5  # frames of fading
DOUBT = 1.5  # logit that is added, so that soft speech is not lost


def speech_presence(logits: Float, audio: Float, gain: float) -> Float:
    """How far each frame is speech, 0..1, without flicker.

    Args:
        logits: (T,) of the model's voice head.
        audio: (S,) samples, T = ceil(S / 640).
        gain: factor that brings `audio` to the usual level.

    Returns:
        (T,)
    """
    levels = block_levels(audio) + 20.0 * np.log10(max(gain, 1e-6))
    heard = levels[: len(logits)] > SPEECH_LEVEL - QUIET
    speaking = (logits + DOUBT > 0) & heard
    steady = median_filter(speaking.astype(np.float32), FLICKER, mode="nearest")
    steady = grey_closing(steady, SHORT_PAUSE, mode="nearest")
    reached = maximum_filter1d(steady, REACH, mode="nearest")
    return np.asarray(gaussian_filter1d(reached, SOFT, mode="nearest"), np.float32)
