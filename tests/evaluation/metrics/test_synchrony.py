"""Sync figures come when there is something to judge, and are left out when not."""

from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.evaluation.metrics.synchrony import sync_figures, sync_of
from gsmooth_core.models import registry
from gsmooth_core.sync import measure_sync
from tests.evaluation.metrics.test_compare import with_landmarks
from tests.taft import scene

FPS = Fraction(25)


@pytest.fixture(scope="module")
def faces():
    return with_landmarks(scene.track(50)).landmarks


@pytest.fixture(scope="module")
def audio():
    return np.random.default_rng(0).normal(0, 0.1, 32000).astype(np.float32)


def test_figures_are_the_experts(faces, audio):
    expected = measure_sync(faces, FPS, audio)
    figures = sync_figures(sync_of(faces, FPS, audio))
    assert figures == {"sync": expected.confidence, "offset": expected.offset_frames}


def test_nothing_is_said_without_a_face_a_sound_or_an_expert(faces, audio, monkeypatch):
    nobody = np.full_like(faces, np.nan)
    assert sync_of(nobody, FPS, audio) is None
    assert sync_of(faces, FPS, None) is None
    assert sync_of(faces, FPS, audio[:1000]) is None
    monkeypatch.setattr(registry, "find", lambda name: None)
    assert sync_of(faces, FPS, audio) is None
    assert sync_figures(None) == {"sync": None, "offset": None}
