"""A2EP on the card against the processor."""

from __future__ import annotations

import copy
from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.a2ep import predict_expression
from gsmooth_core.a2ep.features import feature_blocks
from gsmooth_core.a2ep.model import load_checkpoint
from gsmooth_core.models import registry
from tests.a2ep import small
from tests.gpu.precision import without_tf32

pytestmark = pytest.mark.gpu


def features(encoder, audio):
    return np.concatenate(list(feature_blocks(encoder, audio)))


def test_the_encoder_hears_the_same(card) -> None:
    here = load_checkpoint(registry.locate("a2ep")).encoder
    audio = small.babble(18.0)  # two windows
    ours, theirs = features(here, audio), features(copy.deepcopy(here).to(card), audio)
    assert np.abs(ours - theirs).mean() < 0.01 * ours.std()


def test_a_lively_model_says_the_same(card) -> None:
    """Every weight counts: the shipped decoder's last ones are zero."""
    here = small.model()
    there = copy.deepcopy(here).to(card)
    audio = small.babble(6.0)
    with without_tf32():
        ours, theirs = (
            predict_expression(audio, 180, Fraction(30), model=m).values for m in (here, there)
        )
    assert np.ptp(ours, axis=0).max() > 0.05
    np.testing.assert_allclose(theirs, ours, atol=2e-3)
