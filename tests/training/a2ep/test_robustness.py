"""The measures of what a viewer feels, with a tiny model whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gsmooth_core.a2ep.features import window_spans
from gsmooth_core.face.load import load_face_model
from tests.a2ep.small import NAMES, babble, model
from training.a2ep import robustness
from training.a2ep.face import speech_face


@pytest.fixture(scope="module")
def mouth():
    made = model()
    with torch.no_grad():
        made.voice.weight.zero_()
        made.voice.bias.fill_(10.0)  # speech, wherever anything is heard
        made.rest.fill_(0.3)
        made.gain.fill_(0.05)
    return robustness.Mouth(made, speech_face(load_face_model(), NAMES))


def test_borders_are_where_windows_begin_and_end():
    count = 4000
    edges = {edge for span in window_spans(count) for edge in span} - {0, count}
    assert edges <= set(robustness.borders(count))
    assert min(robustness.borders(count)) >= 2
    assert max(robustness.borders(count)) < count - 2


def test_a_mouth_that_hears_nothing_is_calm(mouth):
    found = robustness.calm(mouth, babble(8.0))
    assert found["digital silence"] == 0.0
    assert found["pause"] < 1e-3
    assert found["music"] > 0.05  # this head takes music for speech


def test_louder_and_softer_speech_moves_the_mouth_alike(mouth):
    found = robustness.robustness(mouth, babble(8.0))
    assert found["+12 dB"] > 0.999
    assert found["-12 dB"] > 0.999
    assert found["white noise, 10 dB"] < 0.999


def test_a_long_run_tells_seams_speed_and_memory(mouth):
    found = robustness.hour(mouth, babble(20.0), 1)
    assert found["minutes"] == 1
    assert found["borders"] == len(robustness.borders(1500))
    assert found["times_real_time_of_one_core"] > 1
    assert 0 <= found["seam"] < 1


def test_a_seam_is_found(mouth, monkeypatch):
    def broken(audio):
        curve = np.sin(np.arange(int(len(audio) / 640)) / 20.0)
        curve[robustness.borders(len(curve))] += 0.3
        return curve

    monkeypatch.setattr(mouth, "aperture", broken)
    assert robustness.hour(mouth, babble(20.0), 1)["seam"] > 0.999
