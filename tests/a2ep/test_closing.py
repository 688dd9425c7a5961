import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gsmooth_core.a2ep.closing import apply_closure, touching

OPENING = np.array([0.3, 0.1, 0.0, -0.2], np.float32)
DIRECTION = np.array([2.0, 1.0, 0.5, -1.5], np.float32)
DIRECTION = DIRECTION / (OPENING @ DIRECTION)


def moves(seed, frames=20):
    return np.random.default_rng(seed).normal(size=(frames, 4)).astype(np.float32)


@given(st.integers(0, 1000), st.floats(0, 1))
def test_open_lips_lose_their_share_and_shut_ones_stay(seed, share):
    moved = moves(seed)
    made = apply_closure(moved, np.full(len(moved), share, np.float32), OPENING, DIRECTION, 1e3)
    before, after = moved @ OPENING, made @ OPENING
    apart = before > 0
    np.testing.assert_allclose(after[apart], (1 - share) * before[apart], atol=1e-5)
    np.testing.assert_array_equal(made[~apart], moved[~apart])


def test_what_does_not_open_the_lips_is_left_alone():
    """Only the opening direction changes: all other components of the shape stay."""
    moved = moves(3)
    made = apply_closure(moved, np.ones(len(moved), np.float32), OPENING, DIRECTION, 1.0)
    normal = np.linalg.svd(DIRECTION[None])[2][
        1:
    ]  # directions at right angles to that of the opening
    np.testing.assert_allclose(made @ normal.T, moved @ normal.T, atol=1e-5)


def test_wide_open_lips_are_not_believed_to_touch():
    """The further apart the curves hold them, the less of the opening goes."""
    openings = np.linspace(0.05, 4.0, 40, dtype=np.float32)
    made = (
        apply_closure(
            openings[:, None] * DIRECTION, np.ones(40, np.float32), OPENING, DIRECTION, 1.0
        )
        @ OPENING
    )
    left = made / openings
    assert (np.diff(left) > -1e-5).all()
    assert left[0] < 0.01
    assert left[-1] > 0.99


def test_logits_become_shares_without_overflow():
    shares = touching(np.array([-1e6, 0.0, 1e6], np.float32))
    np.testing.assert_allclose(shares, [0, 0.5, 1], atol=1e-6)
