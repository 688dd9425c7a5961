from dataclasses import replace

import numpy as np
import pytest

from gsmooth_core.a2ep.manner import Plan
from gsmooth_core.a2ep.manner_choice import (
    FEWEST,
    FULLNESS,
    GAP,
    STRETCHES,
    TRUSTED,
    Mouths,
    choose_manner,
    held_back,
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
        found = MOUTHS.manner(part, Plan()).mean
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


def test_movement_is_full_where_the_lips_are_predicted_well():
    learned = choose_manner(lesson(noise=0.005), MOUTHS)
    assert learned.manner is not None
    assert learned.manner.fullness == FULLNESS[0]


def test_what_is_worse_than_the_plain_style_is_refused():
    """A mouth that follows the sound in its first half, and is turned around in the second."""
    way = ways()
    turned = lesson(400, weights=way, noise=0.01)
    still = turned.shown.mean(axis=0)
    later = np.arange(400)[:, None] >= 200
    odd = replace(turned, shown=np.where(later, 2 * still - turned.shown, turned.shown))
    assert choose_manner(turned, MOUTHS).manner is not None
    learned = choose_manner(odd, MOUTHS)
    assert learned.manner is None
