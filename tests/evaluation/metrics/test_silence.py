"""Silence of sounds that are made here."""

import numpy as np

from gsmooth_core.evaluation.metrics.silence import silent_frames

RATE = 16000


def test_a_pause_is_found_without_its_edges():
    rng = np.random.default_rng(0)
    level = np.repeat([1.0, 0.003, 1.0], RATE)  # a second each; -50 dB between
    audio = (level * rng.normal(0, 0.1, 3 * RATE)).astype(np.float32)
    for fps in (25.0, 29.97):
        silent = silent_frames(audio, int(3 * fps), fps)
        found = np.flatnonzero(silent) / fps
        assert 1.05 <= found.min() <= 1.2
        assert 1.8 <= found.max() <= 1.95
        assert np.diff(np.flatnonzero(silent)).max() == 1


def test_steady_sound_has_no_silence_and_silence_is_silent():
    tone = np.sin(np.arange(RATE) / 20).astype(np.float32)
    assert not silent_frames(tone, 25, 25.0).any()
    assert silent_frames(np.zeros(RATE, np.float32), 25, 25.0).all()


def test_nothing_is_heard_after_the_sound():
    tone = np.sin(np.arange(RATE) / 20).astype(np.float32)
    silent = silent_frames(tone, 50, 25.0)
    assert not silent[:23].any()
    assert silent[29:].all()
