"""The baselines and their figures, on drawn speakers and on numbers whose answers are known."""

from __future__ import annotations

import json
from dataclasses import astuple, replace

import numpy as np
import pytest

from gsmooth_core.a2ep.mel import speech_weights
from tests.a2ep.small import babble
from tests.training.a2ep import speech
from training.a2ep import baselines
from training.a2ep.measure import Figures
from training.a2ep.plans import DEFAULT, PLANS
from training.split import Part


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speech")
    return baselines.Comparison(*speech.make(folder), "mel"), folder


def figures(lip_error, **others):
    return replace(Figures(0.5, 0.5, lip_error, 0.5, 0.5, 0.5), **others)


def test_cepstra_are_free_of_loudness_and_of_their_mean():
    audio = babble(4.0)
    cepstra = baselines.mfcc(audio)
    assert cepstra.shape == (100, baselines.COEFFICIENTS)
    np.testing.assert_allclose(baselines.mfcc(audio * 0.1), cepstra, atol=0.02)
    weights = speech_weights(audio)
    np.testing.assert_allclose(np.average(cepstra, axis=0, weights=weights), 0, atol=1e-4)


def test_merging_folds_takes_one_penalty_for_all():
    """Penalty 1 suits the first fold, 2 the second; 2 is better on the whole."""
    first = {1.0: {"a": figures(0.4)}, 2.0: {"a": figures(0.5)}}
    second = {1.0: {"b": figures(0.9)}, 2.0: {"b": figures(0.3)}}
    rows = baselines.merged([first, second])
    assert {stem: row.lip_error for stem, row in rows.items()} == {"a": 0.5, "b": 0.3}


def test_intervals_hold_the_mean_and_narrow_with_clips():
    rng = np.random.default_rng(0)
    rows = [Figures(*rng.uniform(0, 1, 6)) for _ in range(60)]
    low, high = baselines.intervals(rows)
    mean = np.array(astuple(Figures.mean(rows)))
    assert (low < mean).all()
    assert (mean < high).all()
    few_low, few_high = baselines.intervals(rows[:6])
    assert (few_high - few_low > high - low).all()
    expected = 2 * 1.96 * np.std([astuple(row) for row in rows], axis=0) / np.sqrt(60)
    np.testing.assert_allclose(high - low, expected, rtol=0.15)


def test_nobody_is_judged_by_what_has_learned_from_them(comparison):
    whole, _ = comparison
    tested = {u.sample.stem for u in whole.clips if u.sample.part is Part.VALIDATION}
    taught, judged = whole._split(whole.clips, tested)
    assert {u.sample.stem for u in judged} == tested
    assert not tested & {u.sample.stem for u in taught}
    assert not {u.sample.speaker for u in judged} & {u.sample.speaker for u in taught}


def test_a_jaw_that_follows_loudness_is_found_by_both_ridges(comparison):
    whole, _ = comparison
    tested = {u.sample.stem for u in whole.clips if u.sample.part is Part.VALIDATION}
    for parts in whole.simple(tested):
        row = Figures.mean(list(baselines.merged([parts]).values()))
        assert row.aperture_r > 0.8
        assert row.lip_error < 0.5


@pytest.mark.slow
def test_folds_judge_every_clip_once(comparison):
    whole, folder = comparison
    short = replace(DEFAULT.fit, steps=2, batch=2, frames=25, check=2, warm_up=1)
    quick = replace(PLANS["no-temporal-audio"], folds=2, fit=short)
    systems = whole.folded(3, folder, quick)
    for rows in systems.values():
        assert set(rows) == set(speech.STEMS)
    assert Figures.mean(list(systems["A2EP"].values())).aperture_r > 0.7
    told = json.loads(baselines.as_json(systems))
    assert told["mean face"]["mean"]["lip_error"] == 1.0
    assert len(told["A2EP"]["clips"]) == len(speech.STEMS)
    assert "A2EP" in baselines.report(systems)
