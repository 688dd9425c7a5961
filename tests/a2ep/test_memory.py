from dataclasses import replace

import numpy as np
import pytest

from gsmooth_core.a2ep.lesson import joined
from gsmooth_core.a2ep.manner import Plan, learn_manner
from gsmooth_core.a2ep.memory import MOST, Memory, likeness, remember, sureness, thinned
from tests.a2ep.talkers import OPENING, E, lesson

RNG = np.random.default_rng(4)


def drawn(count: int, size: int) -> np.ndarray:
    return RNG.normal(size=(count, size)).astype(np.float32)


def test_likeness_is_one_for_the_same_and_falls_to_1_over_e_at_its_width():
    a = np.array([[0.0, 0.0], [3.0, 4.0]], np.float32)
    np.testing.assert_allclose(likeness(a, a, 25.0), [[1, np.exp(-1)], [np.exp(-1), 1]], rtol=1e-5)


def test_map_and_memory_are_the_posterior_mean_of_a_gaussian_process():
    """Against the conditional of the joint normal distribution, written out frame by frame."""
    x, y, sounds, start = drawn(25, 3), drawn(25, 2), drawn(25, 4), drawn(3, 2)
    new_x, new_sounds, penalty, noise = drawn(6, 3), drawn(6, 4), 2.0, 0.7
    sure, new_sure = RNG.uniform(0.2, 1, 25), RNG.uniform(0.2, 1, 6)
    weights, memory, _ = remember(x, y, sounds, sure, start, penalty, noise)
    made = new_x @ weights + new_sure[:, None] * memory.recall(new_sounds)
    width = sounds.var(axis=0).sum()
    expected = np.zeros((6, 2))
    for n in range(6):
        prior = [
            new_sure[n] * a * np.exp(-np.sum((new_sounds[n] - s) ** 2) / width) / noise
            + new_x[n] @ v / penalty
            for s, v, a in zip(sounds, x, sure, strict=True)
        ]
        cov = np.array(
            [
                [
                    a * b * np.exp(-np.sum((s - t) ** 2) / width) / noise
                    + u @ v / penalty
                    + (i == j)
                    for j, (t, v, b) in enumerate(zip(sounds, x, sure, strict=True))
                ]
                for i, (s, u, a) in enumerate(zip(sounds, x, sure, strict=True))
            ]
        )
        expected[n] = new_x[n] @ start + np.linalg.solve(cov, y - x @ start).T @ np.array(prior)
    np.testing.assert_allclose(made, expected, atol=1e-4)


def test_what_a_frame_is_made_of_without_itself_is_what_the_others_say():
    x, y, sounds, start = drawn(12, 3), drawn(12, 2), drawn(12, 4), np.zeros((3, 2), np.float32)
    _, whole, without = remember(x, y, sounds, np.ones(12), start, 1.0, 1.0)
    kept = np.arange(12) != 5
    # The width is that of all frames, so that one frame less changes nothing else.
    inverse = np.linalg.inv(
        likeness(sounds[kept], sounds[kept], whole.width) + x[kept] @ x[kept].T + np.eye(11)
    )
    row = likeness(sounds[5:6], sounds[kept], whole.width) + x[5:6] @ x[kept].T
    np.testing.assert_allclose(without[5], (row @ inverse @ y[kept])[0], atol=1e-4)


def test_what_sounds_like_nothing_learned_is_left_to_the_map():
    memory = Memory(drawn(5, 3), drawn(5, 2), 1.0)
    assert np.abs(memory.recall(np.full((2, 3), 99.0, np.float32))).max() < 1e-6


@pytest.mark.parametrize("count", [1, MOST, MOST + 1, 5 * MOST + 3])
def test_long_lessons_are_thinned_evenly(count):
    kept = np.arange(count)[thinned(count)]
    assert 0 < len(kept) <= MOST
    assert len(set(np.diff(kept))) <= 1
    assert len(kept) > min(count, MOST) / 2 - 1


def odd(frames: int, seed: int = 0):
    """A person whose mouth does something that no map of the movement can: by the sound's size."""
    plain = lesson(frames, np.eye(E, dtype=np.float32), seed=seed)
    sounds = np.random.default_rng(seed + 1).normal(size=(frames, 1)).astype(np.float32)
    shown = plain.shown.copy()
    shown[:, 1] += 0.15 * np.cos(2 * sounds[:, 0])
    return replace(plain, shown=shown, sounds=sounds)


def test_a_memory_learns_what_a_map_cannot():
    new = odd(200, seed=8)

    def error(plan):
        manner = learn_manner(odd(500), plan, 1.0, OPENING, 0.0)
        made = manner.move(new.moved, new.sounds)
        return float(np.mean((made - new.shown)[:, 1] ** 2))

    assert error(Plan(3.0, noise=0.1)) < 0.1 * error(Plan(3.0))


def test_a_memory_is_silent_where_nobody_speaks_and_without_sounds():
    manner = learn_manner(odd(300), Plan(3.0, noise=1.0), 1.0, OPENING, 0.0)
    new = odd(50, seed=8)
    still = np.zeros_like(new.moved)
    np.testing.assert_array_equal(manner.move(still, new.sounds), manner.move(still))
    assert np.abs(manner.move(new.moved, new.sounds) - manner.move(new.moved)).max() > 0.05


def test_memory_counts_as_far_as_something_moves():
    moved = np.array([[0, 0], [0.02, -0.05], [-0.4, 0]], np.float32)
    np.testing.assert_allclose(sureness(moved), [0, 0.5, 1], atol=1e-6)


def test_lessons_of_several_clips_are_one_with_nothing_between_that_teaches():
    first, second = odd(100), replace(odd(60, seed=3), fps=50.0)
    whole = joined([first, second])
    assert whole.fps == first.fps
    assert whole.usable.sum() == pytest.approx(100 + 30, abs=2)
    np.testing.assert_array_equal(whole.moved[:100], first.moved)
    np.testing.assert_array_equal(whole.sounds[:100], first.sounds)
    assert not whole.usable[100:125].any()
    start = int(np.flatnonzero(whole.usable)[100])
    # Two frames of 20 ms lie around the middle of one of 40 ms.
    expected = (second.shown[10] + second.shown[11]) / 2
    np.testing.assert_allclose(whole.shown[start + 5], expected, atol=0.02)
    assert joined([first]) is first


def test_lessons_are_without_sounds_where_one_has_none():
    assert joined([odd(30), replace(odd(30), sounds=None)]).sounds is None
