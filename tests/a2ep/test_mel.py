import numpy as np
import pytest
import torch
from transformers import WhisperFeatureExtractor

from gsmooth_core.a2ep import mel
from gsmooth_core.a2ep.mel import (
    MAX_GAIN,
    SPEECH_LEVEL,
    block_levels,
    level_gain,
    mel_filters,
    speech_weights,
)
from gsmooth_core.a2ep.whisper import log_mel
from tests.a2ep.small import babble


def test_filters_are_those_of_whisper():
    oracle = WhisperFeatureExtractor().mel_filters.T
    np.testing.assert_allclose(mel_filters(), oracle, atol=1e-6)


@pytest.mark.parametrize("seconds", [0.5, 3.0, 30.0])
def test_log_mel_is_that_of_whisper(seconds):
    audio = babble(seconds)
    oracle = WhisperFeatureExtractor()(
        audio, sampling_rate=16_000, return_tensors="np", padding=False
    ).input_features
    np.testing.assert_allclose(log_mel(torch.from_numpy(audio)[None], None), oracle, atol=1e-4)


@pytest.mark.parametrize("seconds", [0.5, 12.0])
def test_log_mel_is_one_for_arrays_and_tensors(seconds):
    audio = babble(seconds)
    tensors = log_mel(torch.from_numpy(audio)[None])[0]
    np.testing.assert_allclose(mel.log_mel(audio), tensors, atol=1e-4)


def test_a_fixed_peak_makes_windows_agree():
    audio = torch.from_numpy(babble(4.0))[None]
    whole = log_mel(audio)
    part = log_mel(audio[:, 16_000:48_000])
    np.testing.assert_allclose(whole[:, :, 102:298], part[:, :, 2:198], atol=1e-5)


def test_levels_are_root_mean_squares_of_blocks():
    audio = babble(400.0)[: 640 * 9000 + 100]
    levels = block_levels(audio)
    assert len(levels) == 9001
    block = audio[640 * 5004 : 640 * 5005].astype(np.float64)
    expected = 10 * np.log10(np.mean(block**2))
    assert levels[5004] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("decibels", [-12.0, 0.0, 12.0])
def test_gain_brings_any_loudness_to_one_level(decibels):
    audio = babble(5.0) * 10 ** (decibels / 20)
    levelled = block_levels(audio * np.float32(level_gain(audio)))
    assert np.percentile(levelled, 95) == pytest.approx(SPEECH_LEVEL, abs=0.01)


def test_silence_is_not_blown_up():
    assert level_gain(np.zeros(16_000, np.float32)) == pytest.approx(10 ** (MAX_GAIN / 20))
    assert level_gain(np.zeros(0, np.float32)) == 1.0


def test_pauses_hardly_count():
    audio = np.concatenate([babble(2.0), np.full(32_000, 1e-4, np.float32)])
    weights = speech_weights(audio)
    assert weights.shape == (100,)
    assert weights[50:].max() < 0.1
    assert weights[:50].mean() > 0.4
