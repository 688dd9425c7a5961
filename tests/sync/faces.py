"""A face of 478 points whose mouth moves as told, seen from anywhere."""

from __future__ import annotations

import numpy as np

from gsmooth_core.face.landmarks import SPEECH_POINTS, STILL_POINTS

LOWER = tuple(SPEECH_POINTS.index(i) for i in (14, 17, 84, 314, 87, 317, 178, 402, 88, 318, 152))


def face(opening, seed=0):
    """(T,) opening -> (T, 478, 2) pixels: still points still, the lower lip and the chin move."""
    dice = np.random.default_rng(seed)
    base = dice.normal(size=(478, 2)) * 10 + 128
    base[list(STILL_POINTS)] = dice.normal(size=(len(STILL_POINTS), 2)) * (40, 15) + (128, 100)
    base[[33, 263]] = (88, 100), (168, 100)
    landmarks = np.repeat(base[None], len(opening), axis=0)
    landmarks[:, [SPEECH_POINTS[i] for i in LOWER], 1] += 12 * np.asarray(opening)[:, None]
    return landmarks.astype(np.float32)


def babble(frames, seed=0, fps=25.0):
    """(frames,) a mouth's opening at `fps`, the same movement in time whatever the rate."""
    dice = np.random.default_rng(seed)
    waves = [(dice.uniform(1, 5), dice.uniform(0, 6.3), dice.uniform(0.3, 1)) for _ in range(6)]
    time = (np.arange(frames) + 0.5) / fps
    total = sum(w * np.sin(2 * np.pi * f * time + p) for f, p, w in waves)
    return (np.asarray(total) + 2) / 4
