"""Counting lips that meet, on apertures and phones written by hand; and words as spelled."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from gsmooth_core.a2ep.closures import SHUT
from gsmooth_core.a2ep.words import Word
from training.a2ep.align import LONGEST, Phone, spelled, stretches
from training.a2ep.closures import ApertureMeter, Closures, count_closures, frames_of, middle_of


def test_frames_are_those_whose_middle_is_inside():
    times = (np.arange(100) + 0.5) / 25
    for start, end, slack in ((0.40, 0.52, 0.0), (0.41, 0.47, 0.04), (1.0, 1.2, 0.04)):
        expected = np.flatnonzero((times >= start - slack) & (times <= end + slack))
        made = np.arange(100)[frames_of(Phone("P", start, end), slack)]
        np.testing.assert_array_equal(made, expected)


def test_a_phone_between_two_middles_still_has_a_frame():
    assert len(np.arange(100)[middle_of(Phone("AA", 0.405, 0.415))]) == 1


def test_closures_are_counted_by_phone():
    open_, shut = 0.5, SHUT / 2
    true, made = np.full(100, open_), np.full(100, open_)
    true[10:13] = shut  # p at 0.4-0.52: both shut
    made[11] = shut
    true[30:33] = shut  # b at 1.2-1.32: only the truth
    made[60:65] = shut  # vowel at 2.4-2.6: only the prediction
    true[80:85] = shut  # vowel at 3.2-3.4 that the person swallows: not judged
    phones = [
        Phone("P", 0.4, 0.52), Phone("B", 1.2, 1.32), Phone("M", 1.8, 1.92),
        Phone("AA", 2.4, 2.6), Phone("AE", 3.2, 3.4), Phone("AO", 2.0, 2.2), Phone("S", 0.4, 0.5),
    ]  # fmt: skip
    found = count_closures(phones, made, true, np.ones(100, bool))
    assert (found.bilabials, found.truth, found.met) == (3, 2, 1)
    assert (found.vowels, found.false) == (2, 1)
    assert found.summary()["met_share"] == 0.5
    assert found.summary()["false_share"] == 0.5


def test_phones_out_of_sight_do_not_count():
    valid = np.ones(50, bool)
    valid[11] = False
    phones = [Phone("P", 0.4, 0.52), Phone("B", 5.0, 5.1)]
    assert count_closures(phones, np.zeros(50), np.zeros(50), valid).bilabials == 0


def test_counts_add_up():
    whole = Closures(3, 2, 1, 4, 1, [0.1, 0.2])
    whole.add(Closures(1, 1, 1, 0, 0, [0.05]))
    assert whole == Closures(4, 3, 2, 4, 1, [0.1, 0.2, 0.05])


def test_the_meter_reads_zero_where_the_picture_shows_lips_together():
    seen = np.array([0.002] * 5 + [0.1] * 50)
    mesh = np.where(seen < 0.01, 0.013, 0.12)
    face = SimpleNamespace(aperture=lambda beta: beta)
    meter = ApertureMeter(face, mesh, seen)
    np.testing.assert_allclose(meter.read(np.array([0.013, 0.12, 0.0665])), [0, 1, 0.5])


@pytest.mark.parametrize(
    ("text", "words"),
    [("It's", ["it's"]), ("P2", ["p", "two"]), ("'bout,", ["bout"]), ("U.S.", ["u", "s"]),
     ("19", ["one", "nine"]), ("\u2026", []), ("don\u2019t", ["don't"])],
)  # fmt: skip
def test_words_are_spelled_as_the_dictionary_does(text, words):
    assert spelled(text) == words


def test_stretches_keep_all_words_in_order_and_are_short():
    words = [Word(str(i), 0.5 * i, 0.5 * i + 0.4) for i in range(40)]
    runs = list(stretches(words))
    assert [word for run in runs for word in run] == words
    assert all(run[-1].end - run[0].start <= LONGEST for run in runs)
