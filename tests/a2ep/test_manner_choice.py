from dataclasses import replace

import numpy as np
import pytest

from gsmooth_core.a2ep.manner_choice import (
    FEWEST,
    FULLNESS,
    GAP,
    PLANS,
    STRETCHES,
    TRUSTED,
    Mouths,
    choose_manner,
    held_back,
    safest,
)
from tests.a2ep.talkers import GRAM, OPENING, REST, USUAL, E, heard, lesson, ways

MOUTHS = Mouths(GRAM, OPENING, USUAL, REST)


def test_a_speaker_of_their_own_is_learned_and_new_speech_follows_them():
    learned = choose_manner(lesson(noise=0.01), MOUTHS)
    assert learned.manner is not None
    assert learned.gain > 0.3
    assert learned.seconds == pytest.approx(20.0, abs=0.2)
    new = lesson(200, seed=7)
    plain = MOUTHS.style(lesson(noise=0.01)).speak(new.moved, OPENING)
    own = learned.manner.speak(new.moved, OPENING, sounds=new.sounds)
    assert MOUTHS.error(own, new.shown) < 0.4 * MOUTHS.error(plain, new.shown)


def test_a_face_that_does_not_belong_to_the_sound_teaches_nothing():
    """A mouth that follows other speech: learned from nine such, at most one is believed."""
    believed = 0
    for seed in range(9):
        other = lesson(300, weights=ways(seed), seed=50 + seed)
        stranger = replace(other, moved=heard(300, seed=seed), sounds=heard(300, seed=seed))
        learned = choose_manner(stranger, MOUTHS)
        believed += bool(learned.manner and learned.manner.fullness)
    assert believed <= 1


def test_too_little_speech_teaches_nothing():
    assert choose_manner(lesson(FEWEST - 10), MOUTHS).manner is None
    silent = replace(lesson(500), moved=np.zeros((500, E), np.float32))
    learned = choose_manner(silent, MOUTHS)
    assert learned.manner is None
    assert learned.seconds == 0


def test_the_mean_of_a_short_lesson_is_shared_with_the_plain_style():
    whole, half = lesson(400), np.arange(400) < TRUSTED / 2
    for part, trust in ((whole, 1.0), (whole.part(half), 0.5)):
        plain = MOUTHS.style(part).speak(part.moved[part.spoken], OPENING).mean(axis=0)
        own = part.shown[part.spoken].mean(axis=0)
        found = MOUTHS.manner(part, PLANS[0]).mean
        np.testing.assert_allclose(found, trust * own + (1 - trust) * plain, atol=2e-3)


def test_held_back_stretches_do_not_touch_what_teaches():
    found = list(held_back(lesson(400)))
    assert len(found) == STRETCHES
    judged = np.zeros(400, int)
    for teach, where in found:
        judged[where] += 1
        near = np.flatnonzero(teach)
        assert near[near < where.start].max(initial=-99) < where.start - GAP * 25 + 1
        assert near[near >= where.stop].min(initial=999) >= where.stop + GAP * 25 - 1
    assert (judged == 1).all()


def test_a_safer_plan_wins_where_a_bolder_one_is_better_by_chance_only():
    errors = np.full((len(PLANS) + 1, 4), 10.0)
    errors[-2] = (9.0, 11.0, 8.0, 11.5)  # best by a hair, and unsteady
    assert safest(errors) == 0
    errors[-2] = (9.0, 9.1, 8.9, 9.0)  # best every time
    assert safest(errors) == len(PLANS) - 1


def test_movement_is_full_where_the_lips_are_predicted_well():
    learned = choose_manner(lesson(noise=0.005), MOUTHS)
    assert learned.manner is not None
    assert learned.manner.fullness == FULLNESS[0]


def test_plans_stand_from_the_safest_to_the_boldest():
    assert PLANS[0].penalty is None
    plain = [plan.penalty for plan in PLANS[1:] if plan.noise is None]
    assert plain == sorted(plain, reverse=True)
