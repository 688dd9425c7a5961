"""MFCCs against a twin in plain loops."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from gsmooth_core.sync.mfcc import mfcc


def naive(samples):
    """The definition in loops, with a DFT written out where it matters."""
    wave = [samples[0]] + [b - 0.97 * a for a, b in itertools.pairwise(samples)]
    count = 1 + max(0, math.ceil((len(wave) - 400) / 160))
    wave += [0.0] * ((count - 1) * 160 + 400 - len(wave))
    corners = []
    top = 2595 * math.log10(1 + 8000 / 700)
    for i in range(28):
        hz = 700 * (10 ** (top * i / 27 / 2595) - 1)
        corners.append(math.floor(513 * hz / 16000))
    rows = []
    for m in range(count):
        spectrum = np.fft.fft(wave[160 * m : 160 * m + 400], 512)[:257]
        power = [abs(v) ** 2 / 512 for v in spectrum]
        bands = []
        for j in range(26):
            low, middle, high = corners[j : j + 3]
            total = sum(power[i] * (i - low) / (middle - low) for i in range(low, middle))
            total += sum(power[i] * (high - i) / (high - middle) for i in range(middle, high))
            bands.append(math.log(max(total, 2.2e-16)))
        row = []
        for n in range(13):
            value = sum(b * math.cos(math.pi * n * (j + 0.5) / 26) for j, b in enumerate(bands))
            value *= math.sqrt((1 if n == 0 else 2) / 26)
            row.append(value * (1 + 11 * math.sin(math.pi * n / 22)))
        row[0] = math.log(max(sum(power), 2.2e-16))
        rows.append(row)
    return np.array(rows)


@pytest.mark.parametrize("length", [399, 400, 401, 4000, 4801])
def test_twin(length):
    dice = np.random.default_rng(length)
    audio = (0.2 * dice.normal(size=length)).astype(np.float32)
    found = mfcc(audio)
    expected = naive([float(v) * 32768 for v in audio])
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_louder_speech_raises_the_energy_alone():
    audio = (0.01 * np.random.default_rng(1).normal(size=8000)).astype(np.float32)
    soft, loud = mfcc(audio), mfcc(audio * 10)
    np.testing.assert_allclose(loud[:, 0] - soft[:, 0], 2 * np.log(10), atol=1e-3)
    np.testing.assert_allclose(loud[:, 1:], soft[:, 1:], atol=1e-2)


def test_silence_is_a_number():
    assert np.isfinite(mfcc(np.zeros(2000, np.float32))).all()
