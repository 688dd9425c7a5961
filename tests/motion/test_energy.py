"""Loudness and the ends of phrases."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.motion.energy import phrase_ends, speech_energy

FPS = Fraction(25)


def speech(*runs: tuple[float, float], seconds: float = 6.0, gain: float = 0.2) -> np.ndarray:
    """Noise from and to some seconds, in silence."""
    time = np.arange(int(16000 * seconds)) / 16000
    loud = np.any([(time >= a) & (time < b) for a, b in runs], axis=0)
    noise = np.random.default_rng(0).normal(size=len(time))
    return (gain * noise * loud).astype(np.float32)


def test_it_is_high_in_speech_and_zero_in_silence():
    energy = speech_energy(speech((1, 3)), 150, FPS)
    assert energy[28:72].min() > 0.9
    assert energy[:22].max() == energy[80:].max() == 0


def test_half_as_loud_in_decibels_is_less():
    sound = speech((0, 6))
    sound[48000:] *= 10 ** (-15 / 20)
    energy = speech_energy(sound, 150, FPS)
    assert energy[90:].mean() == pytest.approx(energy[:60].mean() - 0.5, abs=0.03)


@pytest.mark.parametrize("gain", [0.01, 0.2])
def test_the_recordings_level_does_not_matter(gain):
    found = speech_energy(speech((1, 3), gain=gain), 150, FPS)
    np.testing.assert_allclose(found, speech_energy(speech((1, 3), gain=1.0), 150, FPS), atol=1e-4)


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(9000), speech((0, 6), gain=1e-5)])
def test_no_speech_has_no_energy(samples):
    assert not speech_energy(samples.astype(np.float32), 50, FPS).any()


def test_frames_beyond_the_sound_are_silent():
    energy = speech_energy(speech((0, 2), seconds=2), 100, FPS)
    assert energy[:48].min() > 0.9
    assert not energy[51:].any()


@pytest.mark.parametrize("fps", [Fraction(24000, 1001), Fraction(30), Fraction(60)])
def test_the_rate_does_not_move_the_speech(fps):
    energy = speech_energy(speech((1, 3)), int(6 * fps), fps)
    spoken = np.flatnonzero(energy > 0.5)
    assert spoken[[0, -1]] / float(fps) == pytest.approx([1, 3], abs=0.06)


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(60)])
def test_a_phrase_ends_where_a_pause_follows(fps):
    sound = speech((1, 2), (2.15, 3), (4, 4.1), (5, 6))  # a gap in a word; a click
    ends = phrase_ends(speech_energy(sound, int(6 * fps), fps), fps)
    assert ends == pytest.approx((3.0, 6.0), abs=0.08)


def test_silence_has_no_phrases():
    assert phrase_ends(np.zeros(50, np.float32), FPS) == ()
