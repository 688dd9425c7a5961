import numpy as np

from gsmooth_core.a2ep.mel import BLOCK, SPEECH_LEVEL
from gsmooth_core.a2ep.voice import QUIET, REACH, SHORT_PAUSE, speech_presence


def tone(level, frames=100):
    """Noise at `level` dBFS."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(frames * BLOCK)
    return (noise / noise.std() * 10 ** (level / 20)).astype(np.float32)


def presence(logits, audio=None):
    audio = tone(SPEECH_LEVEL, len(logits)) if audio is None else audio
    return speech_presence(np.asarray(logits, np.float32), audio, 1.0)


def test_sure_speech_is_there_and_sure_noise_is_not():
    assert presence(np.full(100, 9.0)).min() > 0.99
    assert presence(np.full(100, -9.0)).max() < 0.01


def test_what_is_too_soft_is_no_speech_whatever_the_head_says():
    assert presence(np.full(100, 9.0), tone(SPEECH_LEVEL - QUIET - 3)).max() < 0.01
    assert presence(np.full(100, 9.0), tone(SPEECH_LEVEL - QUIET + 3)).min() > 0.99


def test_flicker_is_not_believed_either_way():
    burst, gap = np.full(100, -9.0), np.full(100, 9.0)
    burst[50:52], gap[50:52] = 9.0, -9.0
    assert presence(burst).max() < 0.01
    assert presence(gap).min() > 0.99


def test_short_pauses_stay_and_long_ones_rest_after_half_a_second():
    short, long = np.full(200, 9.0), np.full(200, 9.0)
    short[80 : 80 + SHORT_PAUSE - 2] = -9.0
    long[80:140] = -9.0
    audio = tone(SPEECH_LEVEL, 200)
    assert presence(short, audio).min() > 0.99
    found = presence(long, audio)
    assert found[80 + 13 : 140 - 13].max() < 0.01
    assert found[: 80 + REACH // 2].min() > 0.5  # the mouth may finish


def test_presence_is_smooth():
    logits = np.where(np.arange(200) // 40 % 2 == 0, 9.0, -9.0)
    found = presence(logits)
    assert np.abs(np.diff(found)).max() < 0.3
    assert found.min() >= 0
    assert found.max() <= 1
