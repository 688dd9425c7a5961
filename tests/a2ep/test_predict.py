import copy
from fractions import Fraction

import numpy as np
import pytest
import torch

from gsmooth_core.a2ep import PredictSettings, predict_expression
from gsmooth_core.a2ep.features import feature_blocks
from gsmooth_core.a2ep.hearing import directions_of
from gsmooth_core.a2ep.mel import BLOCK, speech_weights
from gsmooth_core.a2ep.predict import fit_length, predict_speech
from gsmooth_core.a2ep.stream import normalise
from tests.a2ep.small import ALL_NAMES, NAMES, babble, model

FPS = Fraction(25)
OPEN = PredictSettings(voice_gate=False, closing=False)


@pytest.fixture(scope="module")
def quiet():
    """A model whose voice head hears speech everywhere and whose closing head nothing."""
    made = model()
    with torch.no_grad():
        made.voice.weight.zero_()
        made.voice.bias.fill_(10.0)
        made.closing.weight.zero_()
        made.closing.bias.fill_(-20.0)
        made.rest.fill_(0.5)
        made.gain.fill_(0.1)
        made.way.zero_()
        made.way[0] = 1.0
        made.silence[0] = -2.0
    return made


@pytest.mark.parametrize(
    ("frames", "fps"),
    [(1, FPS), (2, FPS), (33, Fraction(30000, 1001)), (90, Fraction(60)), (7, Fraction(12))],
)
def test_curves_have_the_videos_length_rate_and_names(quiet, frames, fps):
    made = predict_expression(babble(1.0), frames, fps, model=quiet)
    assert made.values.shape == (frames, len(ALL_NAMES))
    assert made.fps == fps
    assert made.names == ALL_NAMES
    assert np.isfinite(made.values).all()
    assert made.values.min() >= 0
    assert made.values.max() <= 1
    assert (made.values[:, 0] == 0).all()  # eyes are not driven by speech


def test_unbounded_curves_are_cut_to_the_bounded_ones(quiet):
    audio, strong = babble(2.0), 20.0
    cut, whole = (
        predict_expression(
            audio, 50, FPS, settings=PredictSettings(strong, bounded=bounded), model=quiet
        ).values
        for bounded in (True, False)
    )
    assert whole.min() < 0
    assert whole.max() > 1
    np.testing.assert_array_equal(cut, np.clip(whole, 0, 1))


@pytest.mark.parametrize("samples", [0, 1, 100, 639, 640, 641])
def test_any_sound_will_do(quiet, samples):
    audio = babble(1.0)[:samples]
    made = predict_expression(audio, 10, FPS, model=quiet)
    assert np.isfinite(made.values).all()


def test_numbers_that_are_none_are_silence(quiet):
    audio = babble(2.0)
    audio[1000:1100] = 0
    poisoned = audio.copy()
    poisoned[1000:1100:2] = np.nan
    poisoned[1001:1100:2] = np.inf
    clean = predict_expression(audio, 50, FPS, model=quiet).values
    np.testing.assert_array_equal(predict_expression(poisoned, 50, FPS, model=quiet).values, clean)


def test_loudness_does_not_matter(quiet):
    audio = babble(3.0)
    soft, loud = (predict_expression(audio * g, 75, FPS, model=quiet).values for g in (0.25, 4.0))
    np.testing.assert_allclose(soft, loud, atol=1e-4)


def test_what_is_beyond_the_video_changes_nothing(quiet):
    audio = babble(6.0)
    short = predict_expression(audio[: 50 * BLOCK], 50, FPS, model=quiet).values
    np.testing.assert_array_equal(predict_expression(audio, 50, FPS, model=quiet).values, short)


def test_strength_scales_movement_around_rest(quiet):
    audio = babble(2.0)
    base, twice = (
        predict_expression(
            audio, 50, FPS, settings=PredictSettings(s, voice_gate=False), model=quiet
        ).values[:, 1:6]
        for s in (0.01, 0.02)
    )
    np.testing.assert_allclose(twice - 0.5, 2 * (base - 0.5), atol=1e-5)


def test_the_mouth_rests_where_nobody_speaks(quiet):
    audio = np.concatenate([babble(2.0), np.zeros(32_000, np.float32), babble(2.0)])
    gated = predict_expression(audio, 150, FPS, model=quiet).values[:, 1:6]
    free = predict_expression(audio, 150, FPS, settings=OPEN, model=quiet).values[:, 1:6]
    np.testing.assert_allclose(gated[64:86], 0.5, atol=1e-4)
    assert np.abs(free[64:86] - 0.5).max() > 0.01


def test_a_sure_head_shuts_lips_that_are_not_wide_apart(quiet):
    """Against the formula, on curves too small to be cut off at 0 or 1."""
    audio, usual, reach = babble(2.0), 2.0, 0.1 * 0.02
    free, shut = (
        predict_expression(
            audio, 50, FPS, settings=PredictSettings(0.02, 0.0, False, closing), model=sure
        ).values[:, 1]
        for closing, sure in ((False, quiet), (True, with_closing_bias(quiet, 20.0)))
    )
    apart = np.maximum((free - 0.5) / reach, 0)
    expected = free - reach * apart * np.exp(-((apart / usual) ** 2))
    assert apart.max() > 0.5
    np.testing.assert_allclose(shut, expected, atol=1e-5)


def with_closing_bias(made, bias):
    changed = copy.deepcopy(made)
    with torch.no_grad():
        changed.closing.bias.fill_(bias)
    return changed


def test_progress_reaches_the_end_and_may_stop_the_work(quiet):
    seen = []
    predict_expression(babble(40.0), 1000, FPS, seen.append, model=quiet)
    assert seen == sorted(seen)
    assert seen[-1] == 1000

    def stop(done):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        predict_expression(babble(2.0), 50, FPS, stop, model=quiet)


def test_length_is_whole_blocks():
    for frames, fps in ((1, FPS), (10, Fraction(30)), (59, Fraction(60000, 1001))):
        fitted = fit_length(babble(5.0), frames, fps)
        assert len(fitted) % BLOCK == 0
        assert len(fitted) / 16_000 >= frames / fps
        assert len(fitted) / 16_000 < frames / fps + 0.04


def test_an_hour_of_sound_is_not_copied():
    audio = babble(2.0)
    assert np.shares_memory(fit_length(audio, 50, FPS), audio)
    audio[100] = np.nan
    assert np.isfinite(fit_length(audio, 50, FPS)).all()


def test_names_of_the_model_lie_among_all(quiet):
    assert set(NAMES) < set(ALL_NAMES)
    assert quiet.names == NAMES


def test_what_is_heard_are_the_features_in_the_directions_that_lips_care_for(quiet):
    """By the encoder alone, without a decoder beside it."""
    audio = babble(3.0)
    spoken = predict_speech(audio, 75, FPS, model=quiet, keep_features=True)
    blocks = feature_blocks(quiet.encoder, audio)
    features = np.concatenate(list(normalise(blocks, speech_weights(audio))))
    np.testing.assert_allclose(spoken.features, features, atol=1e-5)
    np.testing.assert_allclose(spoken.heard, features @ directions_of(quiet), atol=1e-5)
    faster = predict_speech(audio, 150, Fraction(50), model=quiet)
    assert faster.features is None
    assert faster.heard.shape == (150, len(NAMES))
    np.testing.assert_array_equal(
        spoken.curves.values, predict_expression(audio, 75, FPS, model=quiet).values
    )
