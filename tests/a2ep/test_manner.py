from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from gsmooth_core.a2ep.lesson import reach_of, spoken_frames, with_neighbours
from gsmooth_core.a2ep.manner import MOST_GAIN, Manner, Plan, drawn_ridge, learn_manner
from gsmooth_core.a2ep.manner_file import Taught, load_taught, save_taught
from gsmooth_core.errors import InputError
from tests.a2ep.talkers import MEAN, OPENING, E, heard, lesson, ways

SHUT = 0.02


def taught(plan=None, amplitude=1.0, **kind):
    return learn_manner(lesson(**kind), plan or Plan(1e-6), amplitude, OPENING, SHUT)


def test_the_ridge_is_the_least_of_what_it_minimises():
    """Against a general minimiser, which knows no closed form."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(30, 3)), rng.normal(size=(30, 2))
    drawn, penalty = rng.normal(size=(3, 2)), 4.0

    def cost(flat):
        w = flat.reshape(3, 2)
        return np.sum((x @ w - y) ** 2) + penalty * np.sum((w - drawn) ** 2)

    least = minimize(cost, np.zeros(6), tol=1e-12).x.reshape(3, 2)
    np.testing.assert_allclose(drawn_ridge(x, y, drawn, penalty), least, atol=1e-4)


def test_a_known_way_of_speaking_is_found():
    np.testing.assert_allclose(taught().weights, ways(), atol=1e-3)
    new = heard(80, seed=5)
    true = MEAN + (new - heard(500).mean(axis=0)) @ ways()
    np.testing.assert_allclose(taught().move(new), true, atol=1e-3)


def test_without_a_penalty_only_the_mean_is_learned():
    manner = taught(Plan(), amplitude=1.3)
    np.testing.assert_allclose(manner.weights, 1.3 * np.eye(E), atol=1e-6)
    np.testing.assert_allclose(manner.mean, lesson().shown.mean(axis=0), atol=1e-6)


def test_a_high_penalty_draws_to_the_amplitude_in_the_middle_frame():
    manner = taught(Plan(1e9, context=2), amplitude=0.8)
    expected = np.zeros((5 * E, E))
    expected[2 * E : 3 * E] = 0.8 * np.eye(E)
    np.testing.assert_allclose(manner.weights, expected, atol=1e-4)


def test_only_usable_frames_in_which_somebody_speaks_teach():
    whole = lesson(400)
    moved, shown, usable = whole.moved.copy(), whole.shown.copy(), whole.usable.copy()
    moved[100:150] = 0.001
    shown[100:150] = 0.9  # silence
    shown[200:230], usable[200:230] = 0.1, False  # no face
    spoiled = replace(whole, moved=moved, shown=shown, usable=usable)
    kept = np.ones(400, bool)
    kept[100:150] = kept[200:230] = False
    found = learn_manner(spoiled, Plan(1.0), 1.0, OPENING, SHUT)
    expected = learn_manner(whole.part(kept), Plan(1.0), 1.0, OPENING, SHUT)
    np.testing.assert_allclose(found.weights, expected.weights, atol=1e-6)
    np.testing.assert_allclose(found.mean, expected.mean, atol=1e-6)


def test_neighbours_are_as_far_away_at_any_rate():
    assert reach_of(2, 25.0) == (-2, -1, 0, 1, 2)
    assert reach_of(2, 50.0) == (-4, -2, 0, 2, 4)
    values = np.arange(6, dtype=np.float32)[:, None]
    np.testing.assert_array_equal(
        with_neighbours(values, (-2, 0, 1))[[0, 3, 5]], [[0, 0, 1], [1, 3, 4], [3, 5, 5]]
    )


def full(fullness=1.0, contact=-np.inf, **changes):
    """A damped speaker, whose openings shall have a spread of 0.05."""
    manner = Manner(
        0.5 * np.eye(E, dtype=np.float32), (0,), np.zeros(E, np.float32), MEAN,
        OPENING / (OPENING @ OPENING), 0.05, 0.03, fullness, contact,
    )  # fmt: skip
    return replace(manner, **changes)


def spread(manner, moved):
    said = manner.widen(manner.move(moved), OPENING, spoken_frames(moved))
    return np.std(said @ OPENING)


@pytest.mark.parametrize("size", [1.0, 1.4])
def test_any_speech_opens_the_lips_as_widely_as_the_person_does(size):
    """Long speech, so that its own spread counts and not the lesson's."""
    moved = size * heard(20_000, seed=3)
    calm = np.std(full(0.0).move(moved) @ OPENING)
    manner = full(0.9, spread=1.3 * calm)
    assert spread(manner, moved) == pytest.approx(0.9 * 1.3 * calm, rel=0.01)


def test_the_gain_has_bounds_and_never_calms():
    moved = heard(2000)
    calm = np.std(full(0.0).move(moved) @ OPENING)
    assert spread(full(1.0, spread=9.0), moved) == pytest.approx(MOST_GAIN * calm, rel=1e-4)
    assert spread(full(1.0, spread=1e-4), moved) == pytest.approx(calm, rel=1e-6)


def test_full_movement_changes_the_opening_alone():
    moved = heard(300)
    manner = full(1.0, spread=1.0)
    change = manner.widen(manner.move(moved), OPENING, spoken_frames(moved)) - manner.move(moved)
    along = change @ OPENING
    np.testing.assert_allclose(change, along[:, None] * manner.way, atol=1e-5)
    before = manner.move(moved) @ OPENING
    assert np.array_equal(np.argsort(before), np.argsort(before + along))  # no opening is swapped


def test_lips_are_never_pressed_beyond_where_they_meet():
    moved = heard(300)
    free = full(1.0, spread=1.0)
    before = free.move(moved) @ OPENING
    contact = float(np.quantile(before, 0.2))
    held = replace(free, contact=contact)
    after = held.widen(held.move(moved), OPENING, spoken_frames(moved)) @ OPENING
    assert after.min() >= before.min() - 1e-6
    assert (after[before > contact] >= contact - 1e-6).all()
    wide = free.widen(free.move(moved), OPENING, spoken_frames(moved)) @ OPENING
    assert wide.min() < before.min() - 0.01


def test_lips_that_meet_for_the_average_speaker_meet_for_this_person():
    """And lips that are usually far apart are left as they are."""
    moved = np.zeros((3, E), np.float32)
    moved[1:, 0] = 0.1, 0.5  # shut, nearly, wide open
    manner = replace(full(0.0), gap=0.2, contact=0.05)
    said = manner.move(moved)
    met = manner.meet(said, moved, OPENING) @ OPENING
    before = said @ OPENING
    assert met[0] == pytest.approx(0.05, abs=1e-6)
    assert 0.05 < met[1] < before[1]
    assert met[2] == pytest.approx(before[2], abs=1e-4)
    shut = replace(manner, contact=9.0)
    np.testing.assert_array_equal(shut.meet(said, moved, OPENING), said)


def test_strength_moves_the_mouth_from_where_it_lies_without_speech():
    manner, moved = taught(Plan(1.0)), 0.3 * heard(60, seed=4)
    still, half, whole = (manner.speak(moved, OPENING, s) for s in (0.0, 0.5, 1.0))
    assert np.ptp(still, axis=0).max() < 1e-6
    np.testing.assert_allclose(half - still, (whole - still) / 2, atol=1e-5)


def test_what_was_taught_is_read_back(tmp_path):
    manner = replace(taught(Plan(3.0, 2)), fullness=0.9)
    save_taught(tmp_path / "m.safetensors", Taught("words", manner))
    back = load_taught(tmp_path / "m.safetensors")
    assert back.said == "words"
    assert back.manner is not None
    moved = heard(50, seed=6)
    np.testing.assert_array_equal(back.manner.speak(moved, OPENING), manner.speak(moved, OPENING))
    save_taught(tmp_path / "n.safetensors", Taught("why not"))
    assert load_taught(tmp_path / "n.safetensors") == Taught("why not")


@pytest.mark.parametrize("known", [True, False])
def test_what_was_heard_is_read_back_with_its_gaps(tmp_path, known):
    manner = taught(Plan(3.0, 2)) if known else None
    sounds = heard(40, seed=3)
    sounds[10:20] = np.nan
    save_taught(tmp_path / "m.safetensors", Taught("words", manner, heard=sounds))
    back = load_taught(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(back.heard, sounds.astype(np.float32))
    assert (back.manner is not None) == known


def test_damaged_sounds_are_refused(tmp_path):
    sounds = np.full((5, 3), np.inf, np.float32)
    save_taught(tmp_path / "m.safetensors", Taught("", heard=sounds))
    with pytest.raises(InputError, match="no numbers"):
        load_taught(tmp_path / "m.safetensors")


def test_a_file_whose_parts_do_not_fit_is_refused(tmp_path):
    wrong = replace(taught(Plan(3.0, 2)), reach=(0,))
    save_taught(tmp_path / "m.safetensors", Taught("", wrong))
    with pytest.raises(InputError, match="damaged"):
        load_taught(tmp_path / "m.safetensors")


def test_a_manner_on_another_mouth_moves_the_same_way():
    manner, moved = taught(Plan(1.0, 2)), heard(60, seed=4)
    there = manner.settled(MEAN + 0.1, 0.3)
    np.testing.assert_allclose(there.move(moved) - manner.move(moved), 0.1, atol=1e-6)
    assert there.contact == 0.3
    np.testing.assert_allclose(manner.usual, heard(500).mean(axis=0), atol=1e-6)
