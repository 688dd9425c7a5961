"""References mixed as a plan says, against a mixture written pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, zoom

from gsmooth_core.taft.generators.interface import GeneratorInput
from gsmooth_core.taft.generators.mix import Plan, followed, followed_near
from gsmooth_core.types import Float

HEIGHT, WIDTH, COUNT = 12, 16, 3


def keys(distance: float, slope: float = -0.75) -> float:
    """The bicubic kernel of Keys (1981)."""
    x = abs(distance)
    if x < 1:
        return (slope + 2) * x**3 - (slope + 3) * x**2 + 1
    return slope * x**3 - 5 * slope * x**2 + 8 * slope * x - 4 * slope if x < 2 else 0.0


def looked_up(picture: Float, x: float, y: float) -> Float:
    """(3,) of a picture (3, H, W), whose edge pixels repeat."""
    total = np.zeros(3)
    for row in range(int(np.floor(y)) - 1, int(np.floor(y)) + 3):
        for column in range(int(np.floor(x)) - 1, int(np.floor(x)) + 3):
            at = min(max(row, 0), HEIGHT - 1), min(max(column, 0), WIDTH - 1)
            total += keys(y - row) * keys(x - column) * picture[:, at[0], at[1]]
    return total


def finer(values: Float) -> Float:
    """(H, W) of half the resolution."""
    return zoom(values, 2, order=1, mode="nearest", grid_mode=True)


def expected(plan: Plan, references: Float) -> Float:
    mean, sharp = np.zeros((2, 3, HEIGHT, WIDTH))
    for k in range(len(references)):
        x, y, detail = (finer(v) for v in (*plan.flow[0, k], plan.detail[0, k]))
        for row, column in np.ndindex(HEIGHT, WIDTH):
            at = column + x[row, column], row + y[row, column]
            seen = looked_up(references[k], *at)
            mean[:, row, column] += plan.colour[0, k, row, column] * seen
            sharp[:, row, column] += detail[row, column] * seen

    def blurred(picture: Float, sigma: float) -> Float:
        each = [gaussian_filter(p, sigma, mode="nearest", truncate=3) for p in picture]
        return np.stack(each)

    fine, middle = (finer(gain) for gain in plan.gain[0])
    middling = blurred(sharp, 1)
    made = blurred(mean, 2) + (sharp - middling) * fine + (middling - blurred(sharp, 2)) * middle
    return np.clip(made + plan.residual[0], 0, 1)


@pytest.fixture
def given() -> tuple[Plan, Float]:
    dice = np.random.default_rng(3)
    half = HEIGHT // 2, WIDTH // 2
    shares = dice.random((2, COUNT, HEIGHT, WIDTH), np.float32)
    shares /= shares.sum(1, keepdims=True)
    plan = Plan(
        flow=6 * (dice.random((1, COUNT, 2, *half), np.float32) - 0.5),
        colour=shares[:1],
        detail=shares[1:, :, ::2, ::2].copy(),
        gain=0.5 + dice.random((1, 2, *half), np.float32),
        residual=0.2 * (dice.random((1, 3, HEIGHT, WIDTH), np.float32) - 0.5),
    )
    return plan, dice.random((COUNT, 3, HEIGHT, WIDTH), np.float32)


def test_references_are_mixed_as_the_plan_says(given: tuple[Plan, Float]) -> None:
    plan, references = given
    made = followed(plan, references[None])
    np.testing.assert_allclose(made[0], expected(plan, references), atol=2e-5)
    assert np.abs(made[0] - references.mean(0)).mean() > 0.05


def test_a_share_of_next_to_nothing_changes_next_to_nothing(given: tuple[Plan, Float]) -> None:
    plan, references = given
    plan.colour[:, 0], plan.detail[:, 0] = 9e-5, 9e-5
    made = followed(plan, references[None])
    np.testing.assert_allclose(made[0], expected(plan, references), atol=5e-4)


@pytest.mark.parametrize(("colour", "detail"), [(0.0, 1.0), (1.0, 0.0), (5e-3, 5e-3)])
def test_colour_and_detail_come_from_their_own_references(
    colour: float, detail: float, given: tuple[Plan, Float]
) -> None:
    plan, references = given
    for shares, own in ((plan.colour, colour), (plan.detail, detail)):
        shares[:, 0], shares[:, 1], shares[:, 2] = own, 0, 1 - own
    made = followed(plan, references[None])
    np.testing.assert_allclose(made[0], expected(plan, references), atol=2e-5)


def test_a_flow_that_is_no_number_or_endless_reads_nothing_else(
    given: tuple[Plan, Float],
) -> None:
    plan, references = given
    for wild in (np.nan, np.inf, -np.inf, 1e30):
        plan.flow[0, 0, :, 2, 2] = wild
        made = followed(plan, references[None])
        assert np.isfinite(made).all()


def test_beside_what_is_hidden_nothing_is_looked_up_and_near_it_all_is_as_before() -> None:
    side, reach = 160, 28
    dice = np.random.default_rng(4)
    shares = dice.random((1, 2, side, side), np.float32)
    plan = Plan(
        flow=4 * (dice.random((1, 2, 2, side // 2, side // 2), np.float32) - 0.5),
        colour=shares / shares.sum(1, keepdims=True),
        detail=np.full((1, 2, side // 2, side // 2), 0.5, np.float32),
        gain=np.ones((1, 2, side // 2, side // 2), np.float32),
        residual=np.zeros((1, 3, side, side), np.float32),
    )
    references, blend = dice.random((1, 2, 3, side, side), np.float32), np.float32(0.25)
    mask = np.zeros((1, 1, side, side), np.float32)
    mask[..., 80:90, 90:95] = 1
    x = GeneratorInput(
        np.full((1, 3, side, side), blend),
        mask,
        np.zeros((1, 3, side, side), np.float32),
        references,
        np.ones((1, 2, 1, side, side), np.float32),
    )
    made, whole = followed_near(plan, x), followed(plan, references)
    near = np.s_[..., 80 - reach : 90 + reach, 90 - reach : 95 + reach]
    inner = np.s_[..., 6:-6, 6:-6]  # a Gaussian of two pixels looks so far
    np.testing.assert_array_equal(made[near][inner], whole[near][inner])
    made[near] = blend
    assert (made == blend).all()
