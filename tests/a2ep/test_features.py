from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gsmooth_core.a2ep.encoders import WhisperFrames, frame_centres, interpolate
from gsmooth_core.a2ep.features import (
    OVERLAP,
    WINDOW,
    feature_blocks,
    frame_count,
    window_spans,
)
from gsmooth_core.a2ep.whisper import WhisperDims
from tests.a2ep.small import babble, lively


class Local:
    """An encoder whose features depend on their own frame alone; counts what it is given."""

    def __init__(self):
        self.longest = 0

    def listen(self, samples, frames):
        self.longest = max(self.longest, frames)
        blocks = samples.reshape(frames, 640)
        return np.stack([blocks.mean(-1), blocks.max(-1)], axis=-1)


@given(st.integers(1, 5000))
def test_windows_cover_every_frame_and_overlap(frames):
    spans = window_spans(frames)
    assert spans[0][0] == 0
    assert spans[-1][1] == frames
    for (_, stop), (start, _) in pairwise(spans):
        assert stop - start == OVERLAP
    assert all(0 < stop - start <= WINDOW for start, stop in spans)


@pytest.mark.parametrize("frames", [1, 99, 400, 401, 450, 700, 1234])
def test_blocks_hold_every_frame_once_and_without_a_seam(frames):
    audio = babble(frames * 0.04)
    encoder = Local()
    made = np.concatenate(list(feature_blocks(encoder, audio, gain=1.0)))
    expected = encoder.listen(audio, frames)
    np.testing.assert_allclose(made, expected, atol=1e-6)


def test_memory_is_that_of_a_window():
    encoder = Local()
    sizes = [len(block) for block in feature_blocks(encoder, babble(120.0))]
    assert encoder.longest == WINDOW
    assert max(sizes) <= WINDOW


def test_windowed_whisper_has_no_seam():
    """Second differences at the borders of windows are like those elsewhere."""
    encoder = lively(WhisperFrames(WhisperDims(24, 2, 2)), seed=3)
    features = np.concatenate(list(feature_blocks(encoder, babble(60.0))))
    rough = np.abs(np.diff(features, 2, axis=0)).mean(axis=1)
    borders = [b + d for b in range(300, 1400, 300) for d in (0, OVERLAP) for d in range(d - 2, d)]
    assert rough[borders].max() < np.quantile(rough, 0.999)
    assert rough[borders].mean() < 1.5 * rough.mean()


def test_no_numbers_become_silence():
    audio = babble(1.0)
    audio[100:200] = np.nan
    assert all(np.isfinite(block).all() for block in feature_blocks(Local(), audio, gain=1.0))


def test_interpolation_equals_numpy():
    values = torch.randn(1, 13, 2, generator=torch.Generator().manual_seed(0))
    at = np.array([-3.0, 0.0, 0.25, 5.5, 11.99, 12.0, 40.0])
    made = interpolate(values, torch.from_numpy(at))[0]
    for channel in range(2):
        oracle = np.interp(at, np.arange(13), values[0, :, channel].numpy())
        np.testing.assert_allclose(made[:, channel], oracle, atol=1e-6)


def test_one_feature_is_held():
    assert interpolate(torch.ones(1, 1, 3), torch.arange(4.0)).eq(1).all()


def test_frame_centres_lie_in_the_middle():
    assert frame_centres(3, 50.0).tolist() == pytest.approx([1.0, 3.0, 5.0])
    assert frame_centres(2, 50.0, first=0.01).tolist() == pytest.approx([0.5, 2.5])


def test_frame_count_rounds_up():
    assert [frame_count(np.zeros(n, np.float32)) for n in (0, 1, 640, 641)] == [1, 1, 1, 2]
