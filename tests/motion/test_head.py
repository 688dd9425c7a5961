"""Signs and limits of head movements."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.motion import head


@pytest.mark.parametrize(
    ("axis", "point", "goes"),
    [
        (0, [0, 0, 1], [0, -1, 0]),  # a nod takes the nose down
        (1, [0, 0, 1], [1, 0, 0]),  # a turn takes it to the viewer's right
        (2, [0, 1, 0], [1, 0, 0]),  # clockwise: the crown goes to the right
    ],
)
def test_signs_are_those_that_a_viewer_sees(axis, point, goes):
    turn = np.zeros((1, 3), np.float32)
    turn[0, axis] = np.pi / 2
    np.testing.assert_allclose(head.turn_matrices(turn)[0] @ point, goes, atol=1e-6)


def test_pitch_comes_before_yaw_and_roll_before_both():
    """A head that is turned far nods about its own ears, and tilts about its own nose."""
    turned = head.turn_matrices(np.array([[0.3, 1.2, 0.0]], np.float32))[0]
    ears = turned @ [1, 0, 0]
    np.testing.assert_allclose(ears, [np.cos(1.2), 0, -np.sin(1.2)], atol=1e-6)
    tilted = head.turn_matrices(np.array([[0.3, 1.2, 0.7]], np.float32))[0]
    np.testing.assert_allclose(tilted @ [0, 0, 1], turned @ [0, 0, 1], atol=1e-6)


def test_turns_are_found_again():
    turn = np.random.default_rng(0).uniform(-1.2, 1.2, (50, 3)).astype(np.float32)
    found = head.matrix_turns(head.turn_matrices(turn))
    np.testing.assert_allclose(found, turn, atol=1e-5)


def test_small_movements_are_only_scaled():
    motion = np.random.default_rng(1).uniform(-0.05, 0.05, (40, 6)).astype(np.float32)
    np.testing.assert_allclose(head.scaled(motion, 0.5), motion / 2, rtol=1e-5)
    assert not head.scaled(motion, 0.0).any()


def test_large_movements_keep_their_direction_and_come_to_a_soft_end():
    size = np.linspace(0.01, 2, 400, dtype=np.float32)[:, None]
    way = np.array([[0.6, -0.8, 0.0, 0.0, 1.0, 0.0]], np.float32)
    kept = head.scaled(size * way, 1.0)
    turns, shifts = np.linalg.norm(kept[:, :3], axis=1), kept[:, 4]
    for values, most, free in (
        (turns, head.MOST, head.FREE),
        (shifts, head.MOST_SHIFT, head.FREE_SHIFT),
    ):
        assert values.max() <= most + 1e-6
        assert values.max() > most * 0.99
        steps = np.diff(values)
        assert (steps >= -1e-6).all()
        assert np.abs(np.diff(steps)).max() < 0.1 * steps[0]  # no kink at the end of the free part
        slow = values < free
        np.testing.assert_allclose(values[slow], size[slow, 0], rtol=1e-4)
    np.testing.assert_allclose(kept[:, 0] * -0.8, kept[:, 1] * 0.6, atol=1e-6)
    assert np.rad2deg(head.MOST) == pytest.approx(14)


def test_a_tilt_may_go_farther_than_a_turn():
    yaw, roll = np.zeros((2, 200, 6), np.float32)
    yaw[:, 1] = np.linspace(0, 1, 200)
    roll[:, 2] = yaw[:, 1] / head.TILTED
    turned, tilted = head.scaled(yaw, 1.0), head.scaled(roll, 1.0)
    np.testing.assert_allclose(tilted[:, 2], turned[:, 1] / head.TILTED, rtol=1e-5)
    both = head.scaled(yaw + roll, 1.0)[:, :3]
    np.testing.assert_allclose(both[:, 2] * head.TILTED, both[:, 1], rtol=1e-5)  # one direction
    assert np.linalg.norm(both * (1, 1, head.TILTED), axis=1).max() <= head.MOST + 1e-6


def test_curves_of_unlike_lengths_are_refused():
    with pytest.raises(ValueError, match="shapes"):
        head.HeadMotion(np.zeros((4, 3)), np.zeros((5, 3)), np.zeros(4), Fraction(25))
    rest = np.zeros((4, 3)), np.zeros((4, 3)), np.zeros(4), Fraction(25)
    for name in ("sway", "hair"):
        with pytest.raises(ValueError, match=name):
            head.HeadMotion(*rest, **{name: np.zeros((4, 3))})
        assert len(head.HeadMotion(*rest, **{name: np.zeros((4, 4))})) == 4


def test_sways_are_kept_from_going_too_far_and_small_ones_stay():
    sway = np.array([[0.1, 0.05, 0, 0.05], [2, 0, 0, -2]], np.float32)
    kept = head.scaled_sway(sway, 1)
    np.testing.assert_allclose(kept[0], sway[0], atol=1e-6)
    np.testing.assert_allclose(np.abs(kept[1, [0, 3]]), [head.MOST_SHIFT, head.MOST], rtol=0.02)
    assert kept[1, 3] < 0
    np.testing.assert_allclose(head.scaled_sway(sway, 0.5)[0], sway[0] / 2, atol=1e-6)
