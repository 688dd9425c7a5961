"""Words whose lips should meet: letters, windows and lips written by hand."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest

from gsmooth_core.a2ep.closures import (
    SHUT,
    SLACK,
    bilabials,
    frames_between,
    opening_of,
    shut_lips,
    spoken_words,
)
from gsmooth_core.a2ep.words import Word
from gsmooth_core.types import Expression


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("Maybe,", ["m", "b"]), ("phone", []), ("happy", ["pp"]), ("Wisconsin's", []),
        ("\u201cimpossible!\u201d", ["mp", "b"]), ("\u043f\u0430\u043f\u0430", ["\u043f"] * 2),
        ("\u4eca\u5929", []), ("12", []), ("", []),
    ],
)  # fmt: skip
def test_letters_at_which_lips_meet(text, letters):
    assert [name for name, _ in bilabials(text)] == letters


def test_letters_have_their_place_in_the_word():
    assert bilabials("'maybe'") == [("m", 0.1), ("b", 0.7)]  # of five letters


def test_frames_are_those_whose_middle_is_inside():
    middles = (np.arange(100) + 0.5) / 25
    for start, end in ((0.4, 0.52), (0.41, 0.7), (1.0, 1.3)):
        expected = np.flatnonzero((middles >= start) & (middles <= end))
        np.testing.assert_array_equal(np.arange(100)[frames_between(start, end, 25.0)], expected)
    assert len(np.arange(100)[frames_between(1.001, 1.002, 25.0)]) == 1


def test_lips_meet_below_a_share_of_their_widest_opening():
    opening = np.linspace(0, 1, 101)
    np.testing.assert_array_equal(shut_lips(opening), opening < SHUT * 0.95)
    assert not shut_lips(np.full(5, np.nan)).any()
    assert list(shut_lips(np.array([0.0, np.nan, 1.0]))) == [True, False, False]


def test_lips_that_never_open_are_shut():
    assert shut_lips(np.zeros(5)).all()
    assert list(shut_lips(np.array([-0.3, np.nan, 0.0, -0.01]))) == [True, False, True, True]


def test_one_closure_does_not_count_for_two():
    """ "baby" from 1 to 2 s: lips that meet early, late or between the two."""
    for shut_at, met in ((1.1, [True, False]), (1.8, [False, True]), (2.5, [False, False])):
        opening = np.ones(100)
        opening[int(shut_at * 25)] = 0
        (word,) = spoken_words([Word("baby", 1.0, 2.0)], opening, 25.0)
        assert [c.met for c in word.closures] == met
        assert word.missed == ", ".join("b" for m in met if not m)


def test_lips_may_meet_a_little_before_and_after_a_word():
    for apart, met in ((SLACK - 0.02, True), (SLACK + 0.05, False)):
        for at in (1.0 - apart, 2.0 + apart):
            opening = np.ones(1000)
            opening[int(at * 250)] = 0
            (word,) = spoken_words([Word("up", 1.0, 2.0)], opening, 250.0)
            assert [c.met for c in word.closures] == [met]


def test_lips_that_are_out_of_sight_are_not_judged():
    opening = np.ones(100)
    opening[30] = np.nan  # 1.2 s
    words = [Word("up", 1.0, 1.4), Word("hm", 1.5, 1.8), Word("by", 9.0, 9.2), Word("no", 1.0, 1.4)]
    up, hm, by, no = spoken_words(words, opening, 25.0)
    assert [word.closures[0].met for word in (up, hm, by)] == [None, False, None]
    assert (up.missed, hm.missed, no.closures) == ("", "m", ())
    assert hm.to_json()["closures"][0]["letters"] == "m"


def test_closures_lie_half_way_between_their_letters():
    baby, up = spoken_words([Word("baby", 1.0, 2.0), Word("up", 0.0, 1.0)], np.ones(100), 25.0)
    assert [(c.start, c.end) for c in baby.closures] == [(0.94, 1.375), (1.375, 2.06)]
    assert [(c.start, c.end) for c in up.closures] == [(0.0, 1.06)]


def test_lips_that_were_seen_to_meet_met_whatever_else_was_out_of_sight():
    opening = np.ones(100)
    opening[28], opening[30] = 0, np.nan
    (word,) = spoken_words([Word("up", 1.0, 1.4)], opening, 25.0)
    assert word.closures[0].met is True


def test_a_time_before_the_first_frame_is_that_frame():
    assert frames_between(-2.0, -1.0, 25.0) == slice(0, 1)


def test_curves_open_the_lips_from_where_they_rest():
    tables = {"rest": np.float32([0.2, 0.1]), "opening": np.float32([2.0, -1.0])}
    model = SimpleNamespace(names=("jawOpen", "mouthClose"), array=tables.get)
    values = np.float32([[0.1, 0.9, 0.2], [0.1, 0.9, 0.7], [0.4, 0.9, 0.2]])
    curves = Expression(("mouthClose", "browUp", "jawOpen"), values, Fraction(25))
    np.testing.assert_allclose(opening_of(curves, model), [0.0, 1.0, -0.3], atol=1e-6)
