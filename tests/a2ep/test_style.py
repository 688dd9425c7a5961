from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.a2ep import PredictSettings, merge_expression
from gsmooth_core.a2ep.merge import style_of
from gsmooth_core.a2ep.style import AMPLITUDE_RANGE, Style, mouth_amplitude, resting
from gsmooth_core.errors import InputError, NoFaceError
from gsmooth_core.types import Expression, FaceTrack
from tests.a2ep.small import ALL_NAMES, NAMES, model

GRAM = np.diag([2.0, 1.0, 0.5]).astype(np.float32)
OPENING = np.array([1.0, -0.2, 0.0], np.float32)
USUAL_REST = np.zeros(3, np.float32)


def track(expression, names, aperture=None, usable=None):
    """A track whose inner lips are `aperture` eye distances apart."""
    count = len(expression)
    landmarks = np.zeros((count, 478, 2), np.float32)
    landmarks[:, 33, 0] = 1.0
    if aperture is not None:
        landmarks[:, (178, 14, 402), 1] = np.asarray(aperture)[:, None]
    zeros = np.zeros((count, 3), np.float32)
    confidence = np.ones(count, np.float32) if usable is None else usable
    return FaceTrack(
        64, 48, Fraction(25), "face", 100.0, np.zeros(4, np.float32), names, expression, zeros,
        zeros, np.zeros((count, 9, 3), np.float32), confidence, landmarks,
    )  # fmt: skip


def speaking(frames, seed=0, size=0.2):
    return (0.4 + size * np.random.default_rng(seed).uniform(-1, 1, (frames, 3))).astype(np.float32)


def style(beta, usual, aperture=None):
    found = Style.from_track(
        track(beta, ("a", "b", "c"), aperture), ("a", "b", "c"), GRAM, OPENING, usual, USUAL_REST
    )
    assert found is not None
    return found


def test_amplitude_is_the_movement_of_vertices():
    """Against the vertices themselves: gram = B^T B."""
    rng = np.random.default_rng(1)
    basis = rng.normal(size=(3, 30))
    beta = speaking(50)
    vertices = beta @ basis
    moved = vertices - vertices.mean(axis=0)
    expected = np.sqrt(np.mean(np.sum(moved**2, axis=1)))
    assert mouth_amplitude(beta, (basis @ basis.T).astype(np.float32)) == pytest.approx(expected)


def test_amplitude_follows_the_person_within_reason():
    usual = mouth_amplitude(speaking(200), GRAM)
    assert style(speaking(200), usual).amplitude == pytest.approx(1.0, abs=1e-5)
    assert style(speaking(200, size=0.24), usual).amplitude == pytest.approx(1.2, abs=1e-3)
    assert style(speaking(200, size=0.4), usual / 2).amplitude == AMPLITUDE_RANGE[1]
    assert style(speaking(200, size=0.1), usual).amplitude == AMPLITUDE_RANGE[0]


def test_the_mouth_rests_where_the_picture_shows_it_shut():
    """The landmarks decide, not what the components would open."""
    beta = speaking(200)
    aperture = np.full(200, 0.2)
    shut = np.arange(40, 55)
    aperture[shut] = 0.01
    expected = np.median(beta[shut], axis=0)
    np.testing.assert_allclose(style(beta, 0.1, aperture).rest, expected, atol=1e-6)


def test_resting_is_the_median_of_the_least_open_frames():
    beta = speaking(100)
    openness = np.arange(100.0)
    np.testing.assert_allclose(resting(beta, openness), np.median(beta[:5], axis=0), atol=1e-6)


def test_no_style_without_the_components_or_a_face():
    beta = speaking(50)
    other = Style.from_track(
        track(beta, ("x", "y", "z")), ("a", "b", "c"), GRAM, OPENING, 1.0, USUAL_REST
    )
    hidden = track(beta, ("a", "b", "c"), usable=np.zeros(50, np.float32))
    assert other is None
    assert Style.from_track(hidden, ("a", "b", "c"), GRAM, OPENING, 1.0, USUAL_REST) is None


def merged(strength=1.0, smoothing=0.0, frames=60):
    rng = np.random.default_rng(2)
    made = model()
    clip = track(rng.uniform(0.2, 0.6, (frames, len(ALL_NAMES))).astype(np.float32), ALL_NAMES)
    values = np.zeros((frames, len(ALL_NAMES)), np.float32)
    values[:, 1:6] = rng.uniform(0.2, 0.5, (frames, 5))
    predicted = Expression(ALL_NAMES, values, Fraction(25))
    settings = PredictSettings(strength, smoothing)
    return clip, predicted, merge_expression(clip, predicted, settings, made)


def test_a_clip_without_a_usable_face_is_no_clip_of_another_face_model():
    clip, predicted, _ = merged()
    hidden = replace(clip, confidence=np.zeros_like(clip.confidence))
    with pytest.raises(NoFaceError, match="No frame shows the face well enough"):
        merge_expression(hidden, predicted, PredictSettings(), model())


def test_merging_keeps_eyes_and_brows_and_replaces_the_mouth():
    clip, _, whole = merged()
    driven = [ALL_NAMES.index(name) for name in NAMES]
    others = [place for place in range(len(ALL_NAMES)) if place not in driven]
    np.testing.assert_array_equal(whole.values[:, others], clip.expression[:, others])
    assert np.abs(whole.values[:, driven] - clip.expression[:, driven]).max() > 0.05
    assert whole.values.min() >= 0
    assert whole.values.max() <= 1


def test_a_held_picture_says_no_more_of_a_person_than_one():
    shown = np.minimum(np.arange(240), 59).astype(np.int32)
    moving = np.zeros((60, len(ALL_NAMES)), np.float32)
    moving[:, [ALL_NAMES.index(name) for name in NAMES]] = speaking(60, size=0.8)[:, :1]
    once = style_of(track(moving, ALL_NAMES), model())
    held = style_of(replace(track(moving[shown], ALL_NAMES), picture=shown), model())
    assert AMPLITUDE_RANGE[0] < once.amplitude < AMPLITUDE_RANGE[1]
    assert held.amplitude == once.amplitude
    assert held.trust == once.trust
    np.testing.assert_array_equal(held.mean, once.mean)


def test_movement_below_the_average_rest_is_not_lost():
    """A mouth that rests half pursed can be spread by what the average mouth has no room for."""
    spread = np.zeros((40, 3), np.float32)
    spread[:, 1] = -0.3 * np.sin(np.arange(40)) ** 2
    pursed = np.float32([0.1, 0.5, 0.1])
    spoken = Style(pursed).speak(spread, np.zeros(3, np.float32))
    np.testing.assert_allclose(spoken - pursed, spread, atol=1e-6)


def test_strength_moves_the_mouth_in_proportion():
    curves = [merged(strength)[2].values[:, 1:6] for strength in (0.0, 0.2, 0.4)]
    assert np.ptp(curves[0], axis=0).max() == 0
    np.testing.assert_allclose(curves[2] - curves[0], 2 * (curves[1] - curves[0]), atol=1e-5)


def test_smoothing_calms():
    rough, calm = (merged(0.3, amount)[2].values[:, 1:6] for amount in (0.0, 1.0))
    assert np.abs(np.diff(calm, axis=0)).mean() < 0.3 * np.abs(np.diff(rough, axis=0)).mean()


def test_a_clip_of_another_length_is_refused():
    clip, predicted, _ = merged()
    shorter = Expression(predicted.names, predicted.values[:-1], predicted.fps)
    with pytest.raises(InputError, match="59 frames"):
        merge_expression(clip, shorter, PredictSettings(), model())


def test_speech_has_the_persons_usual_shape_as_its_mean() -> None:
    rng = np.random.default_rng(3)
    opening = np.float32([0.3, 0.0, -0.05])
    rest, mean = np.float32([0.0, 0.9, 0.2]), np.float32([0.3, 0.2, 0.1])
    moved = rng.uniform(0.1, 0.4, (50, 3)).astype(np.float32)
    silent = np.zeros((200, 3), np.float32)
    style = Style(rest, 1.2, mean)
    start = style.start(np.concatenate([silent, moved]), opening)
    said = start + 1.2 * moved.mean(axis=0)
    np.testing.assert_allclose(said, mean, atol=1e-6)  # pauses do not count


def test_the_less_is_seen_of_someone_the_closer_speech_stays_to_their_rest() -> None:
    rest, mean = np.float32([0.0, 0.9]), np.float32([0.3, 0.2])
    moved = np.full((50, 2), 0.1, np.float32)
    starts = [
        Style(rest, 1.0, mean, trust).start(moved, np.zeros(2, np.float32))
        for trust in (0.0, 0.5, 1.0)
    ]
    np.testing.assert_allclose(starts[0], rest, atol=1e-6)
    np.testing.assert_allclose(starts[1], (starts[0] + starts[2]) / 2, atol=1e-6)
    half = Style(rest, 1.0, mean, 0.5).start(moved, np.float32([0.3, 0.0]))
    assert half[0] == pytest.approx(0.75 * rest[0] + 0.25 * (mean[0] - 0.1))  # it opens the lips
    assert half[1] == pytest.approx(starts[1][1])
    short, long = style(speaking(40), 0.1), style(speaking(400), 0.1)
    assert short.trust == pytest.approx(0.5)
    assert long.trust > 0.9


def test_without_speech_or_a_speaker_the_mouth_is_at_rest() -> None:
    rest, opening = np.float32([0.1, 0.2]), np.float32([0.3, 0.0])
    silent, spoken = np.zeros((9, 2), np.float32), np.full((9, 2), 0.3, np.float32)
    assert np.array_equal(Style(rest, 1.0, rest + 1).start(silent, opening), rest)
    assert np.array_equal(Style(rest).start(spoken, opening), rest)
