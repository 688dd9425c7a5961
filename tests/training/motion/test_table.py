"""Figures of movements, held against movements whose figures are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.motion import made
from training.footage import Sample
from training.motion import table
from training.motion.data import Moving
from training.motion.windows import WINDOW, features, filtered, windows


def moving(degrees=2.0, seed=0, count=600, name="a"):
    energy = np.random.default_rng(seed).random(count).astype(np.float32)
    sample = Sample(Path(f"{name}.mp4"), name, 0.0, trusted=True)
    return Moving(sample, made.waves(count, degrees, seed), energy, np.zeros(count, np.float32))


def take(turn, energy):
    return table.Take("a", 0, turn.astype(np.float32), energy.astype(np.float32))


def test_windows_stand_around_their_own_mean():
    turn = filtered(made.waves(400, 3.0, 0))
    cut = windows(turn)
    assert cut.shape == (13, WINDOW, 3)
    np.testing.assert_allclose(cut.mean(axis=1), 0, atol=1e-4)
    np.testing.assert_allclose(np.diff(cut[2], axis=0), np.diff(turn[50:150], axis=0), atol=1e-4)
    assert len(windows(turn[:99])) == 0


def test_features_see_size_and_how_axes_go_together_and_no_place():
    cut = windows(filtered(made.waves(400, 3.0, 0)))
    small, large = features(cut), features(2 * cut)
    np.testing.assert_allclose(large[:, :21] - small[:, :21], np.log(2), atol=0.03)
    np.testing.assert_allclose(large[:, 21:], small[:, 21:], atol=1e-4)
    both = np.repeat(cut[..., :1], 3, axis=2) * (1, 1, -1)
    np.testing.assert_allclose(features(both)[:, 21:24], [[1, -1, -1]] * len(cut), atol=1e-4)
    np.testing.assert_allclose(features(cut + 5)[:, 21:], small[:, 21:], atol=1e-3)


def test_heard_is_what_goes_with_the_own_sound_alone():
    energy = np.random.default_rng(1).random(1000)
    way = np.cumsum(energy)[:, None] * (1, 0, 0)
    assert table.heard(take(way, energy)) > 0.9
    assert abs(table.heard(take(way, np.roll(energy, 100)))) < 0.3
    assert table.heard(take(np.zeros((50, 3)), np.zeros(50))) == 0


def test_diversity_is_the_distance_of_movements_for_one_speech():
    still = np.zeros((60, 3), np.float32)
    three = [table.Take("a", 1, still + n, np.zeros(60, np.float32)) for n in (0, 1)]
    other = [table.Take("b", 2, still + 100, np.zeros(60, np.float32))]
    assert table.diversity([*three, *other]) == pytest.approx(3**0.5)
    assert table.diversity(three[:1]) == 0


def test_movements_like_the_true_ones_come_off_better():
    taught = [moving(2.0, n, name=f"t{n}") for n in range(6)]
    judged = [moving(2.0, 20 + n, name=f"j{n}") for n in range(4)]
    others = {"calm": lambda energy, seed: made.waves(len(energy), 0.2, seed)}
    rows = table.measured(taught, judged, others)
    assert list(rows) == ["real test", "real training", "stitch", "calm"]
    assert rows["calm"].area > 0.95
    assert rows["calm"].area >= rows["stitch"].area
    assert rows["calm"].distance > 3 * rows["stitch"].distance
    assert rows["calm"].speed < 0.3 * rows["real test"].speed
    lines = table.text(rows).splitlines()
    assert len(lines) == 6
    assert len({line.count("|") for line in lines}) == 1


def test_draws_are_of_other_seeds_and_told_by_their_mean_and_range():
    taught, judged = [moving(2.0, 0)], [moving(2.0, n, name=f"j{n}") for n in (20, 21)]
    seeds = []

    def waves(energy, seed):
        seeds.append(seed)
        return made.waves(len(energy), 1.0 + 2 * (seed >= 1000), seed)

    rows = table.measured(taught, judged, {"waves": waves}, draws=2)
    assert len(set(seeds)) == len(seeds) == 2 * 2 * table.SEEDS
    one, other = (table.made(waves, judged, draw) for draw in (0, 1))
    test = [table.Take(p.sample.speaker, 0, filtered(p.motion), p.energy) for p in judged]
    parts, whole = [table.row(takes, test) for takes in (one, other)], rows["waves"]
    assert whole.areas == (parts[0].area, parts[1].area)
    assert whole.area == pytest.approx(np.mean(whole.areas))
    assert whole.speed == pytest.approx((parts[0].speed + parts[1].speed) / 2)
    low, high = sorted(whole.areas)
    assert f"| {whole.area:.3f} ({low:.3f}-{high:.3f}) |" in table.text(rows)
