"""A manner from other clips on the mouth of the dubbed one."""

from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np

from gsmooth_core.a2ep.lesson import sounds_of
from gsmooth_core.a2ep.manner import Plan, learn_manner
from gsmooth_core.a2ep.merge import merge_expression, settled, style_of
from gsmooth_core.types import Expression
from tests.a2ep.small import ALL_NAMES, NAMES
from tests.a2ep.talkers import OPENING, heard, lesson
from tests.job.test_own_speech import track
from tests.job.test_teaching import ears

PLACES = [ALL_NAMES.index(name) for name in NAMES]
SETTINGS = SimpleNamespace(strength=1.0, smoothing=0.0)


def test_the_mouth_lies_where_the_dubbed_clip_has_it():
    model, seen = ears(), track(lesson(200, seed=2))
    elsewhere = learn_manner(
        replace(lesson(300), shown=lesson(300).shown + 0.2), Plan(1.0), 1.0, OPENING, 0.9
    )
    style, there = style_of(seen, model), settled(elsewhere, seen, model)
    usual = lesson(300).moved.mean(axis=0)[None]
    np.testing.assert_allclose(there.mean, style.speak(usual, OPENING)[0], atol=1e-6)
    assert there.contact == np.float32(style.rest @ OPENING)
    np.testing.assert_array_equal(there.weights, elsewhere.weights)


def test_what_is_heard_reaches_the_memory_at_the_tracks_rate():
    model, seen = ears(), replace(track(lesson(200, seed=2)), fps=Fraction(50))
    manner = learn_manner(lesson(300), Plan(3.0, 2, noise=1.0), 1.0, OPENING, 0.0)
    anchors = sounds_of(heard(300), heard(300), 25.0)
    width = float(anchors.var(axis=0).sum())
    manner = replace(manner, memory=replace(manner.memory, anchors=anchors, width=width))
    moved, said = heard(200, seed=7), heard(200, seed=9)
    values = np.zeros((200, len(ALL_NAMES)), np.float32)
    values[:, PLACES] = moved + model.array("rest")
    predicted = Expression(ALL_NAMES, values, Fraction(50))
    made = merge_expression(seen, predicted, SETTINGS, model, manner, said).values[:, PLACES]
    there = replace(manner, reach=(-4, -2, 0, 2, 4))
    expected = there.speak(moved, OPENING, sounds=sounds_of(said, moved, 50.0))
    np.testing.assert_allclose(made, expected, atol=1e-5)
    silent = merge_expression(seen, predicted, SETTINGS, model, manner).values[:, PLACES]
    assert np.abs(silent - made).max() > 1e-3
