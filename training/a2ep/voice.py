"""Trains the voice head: speech against silence, noise and music that nobody sings to.

The negatives are synthesised, so that no further data is needed: coloured noise, hum, and
simple music (chords, plucked strings, drums).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.optimize import minimize

from gsmooth_core.a2ep.features import feature_blocks
from gsmooth_core.a2ep.interface import FrameEncoder
from gsmooth_core.a2ep.mel import BLOCK, SAMPLE_RATE, SPEECH_LEVEL, level_gain
from gsmooth_core.types import Float
from training.a2ep.augment import coloured_noise

PENALTY = 1e-3
AROUND = 3 * SAMPLE_RATE  # samples of speech before and after a pause
GAP_DEPTH = (22.0, 50.0)  # dB of the room's noise in pauses below speech
EDGE = 5  # frames of a pause next to speech that are neither
NOTES = 110.0 * 2.0 ** (np.arange(36) / 12.0)


def noise(seconds: float, rng: np.random.Generator) -> Float:
    """Room tone: coloured noise, at times with mains hum and clicks."""
    count = int(seconds * SAMPLE_RATE)
    out = coloured_noise(count, float(rng.uniform(0, 2)), rng)
    if rng.random() < 0.5:
        time = np.arange(count) / SAMPLE_RATE
        out = out + float(rng.uniform(0, 3)) * np.sin(2 * np.pi * rng.choice([50, 60, 120]) * time)
    if rng.random() < 0.3:
        out[rng.integers(count, size=int(seconds * 2))] += 20.0
    return np.asarray(out, np.float32)


def _tone(pitch: float, count: int, rng: np.random.Generator) -> Float:
    """One note: harmonics that fade, at once or slowly."""
    time = np.arange(count) / SAMPLE_RATE
    fade = np.exp(-time * rng.choice([0.5, 3.0, 8.0])) * np.minimum(1.0, time / 0.01)
    steepness = rng.uniform(0.7, 2.0)
    harmonics = np.arange(1, max(2, min(20, int(7000 / pitch))))
    waves = [np.sin(2 * np.pi * h * pitch * time) / h**steepness for h in harmonics]
    return np.asarray(np.sum(waves, axis=0) * fade, np.float32)


def _drum(count: int, rng: np.random.Generator) -> Float:
    time = np.arange(count) / SAMPLE_RATE
    hit = rng.standard_normal(count) * np.exp(-time * rng.uniform(20, 80))
    thud = np.sin(2 * np.pi * rng.uniform(50, 120) * time) * np.exp(-time * 12)
    return np.asarray(rng.uniform(0, 1) * hit + rng.uniform(0, 2) * thud, np.float32)


def music(seconds: float, rng: np.random.Generator) -> Float:
    """Chords, a tune and at times drums, in a steady beat."""
    count = int(seconds * SAMPLE_RATE)
    out = np.zeros(count, np.float32)
    beat = int(rng.uniform(0.2, 0.6) * SAMPLE_RATE)
    drums, voices = rng.random() < 0.6, int(rng.integers(1, 5))
    for start in range(0, count, beat):
        length = min(int(beat * rng.choice([1, 2, 4])), count - start)
        for pitch in rng.choice(NOTES, voices):
            out[start : start + length] += _tone(float(pitch), length, rng)
        if drums:
            out[start : start + length] += 2 * _drum(length, rng)
    return out + 0.01 * coloured_noise(count, 1.0, rng)


def speechless_features(
    encoder: FrameEncoder, count: int, seconds: float, rng: np.random.Generator
) -> Float:
    """(T, F) features of `count` stretches of noise and of as many of music."""
    makers: Sequence[Callable[[float, np.random.Generator], Float]] = (noise, music)
    found = []
    for maker in makers:
        for _ in range(count):
            audio = maker(seconds, rng)
            audio = audio / max(float(np.abs(audio).max()), 1e-9)
            gain = level_gain(audio) * 10.0 ** (float(rng.uniform(-20, 3)) / 20.0)
            found.append(np.concatenate(list(feature_blocks(encoder, audio, gain))))
    return np.concatenate(found)


def gap_features(
    encoder: FrameEncoder, spoken: Sequence[Float], count: int, rng: np.random.Generator
) -> Float:
    """(T, F) features of pauses in which a room is heard, in the midst of speech.

    The encoder's attention carries speech into the pauses around it, so that they do not look
    like noise alone does.

    Args:
        encoder: samples -> features.
        spoken: speech of some clips, each of a few seconds; one at least.
        count: pauses.
        rng: source of chance.
    """
    found = []
    for _ in range(count):
        audio = spoken[int(rng.integers(len(spoken)))]
        side = min(AROUND, len(audio) // 2)
        start = int(rng.integers(max(1, len(audio) - 2 * side)))
        before, after = audio[start : start + side], audio[start + side : start + 2 * side]
        gain = level_gain(np.concatenate([before, after]))
        room = noise(float(rng.uniform(0.8, 3.0)), rng)
        depth = float(rng.uniform(*GAP_DEPTH))
        room *= np.float32(10.0 ** ((SPEECH_LEVEL - depth) / 20.0) / gain / room.std())
        whole = np.concatenate([before, room, after])
        features = np.concatenate(list(feature_blocks(encoder, whole, gain)))
        first, last = len(before) // BLOCK, (len(before) + len(room)) // BLOCK
        found.append(features[first + EDGE : last - EDGE])
    return np.concatenate(found)


def fit_voice(speech: Float, speechless: Float) -> tuple[Float, float]:
    """Logistic regression of (T, F) speech against (T', F) other sound, both weighing the same.

    Returns:
        (F,) weights and the bias.
    """
    x = np.concatenate([speech, speechless]).astype(np.float64)
    y = np.concatenate([np.ones(len(speech)), -np.ones(len(speechless))])
    share = np.concatenate([np.full(len(p), 0.5 / len(p)) for p in (speech, speechless)])
    centre, spread = x.mean(axis=0), x.std(axis=0) + 1e-6
    z = (x - centre) / spread

    def cost(w: Float) -> tuple[float, Float]:
        margin = y * (z @ w[:-1] + w[-1])
        value = share @ np.logaddexp(0, -margin) + PENALTY * w[:-1] @ w[:-1]
        slope = -share * y / (1 + np.exp(np.clip(margin, -50, 50)))
        return float(value), np.append(z.T @ slope + 2 * PENALTY * w[:-1], slope.sum())

    w = minimize(cost, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B").x
    weights = w[:-1] / spread
    return weights.astype(np.float32), float(w[-1] - weights @ centre)
