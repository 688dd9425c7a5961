"""The objective of a generator: its terms, their weights, where mouths are cut."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from torch import nn

from gsmooth_core.taft.generators.generator import GeneratorInput
from training.taft.bands import local_energy
from training.taft.data import Batch
from training.taft.losses import edge_energy
from training.taft.objective import (
    PATCH,
    Objective,
    Weights,
    coarse_loss,
    mouth_patches,
    pasted,
)

CPU = torch.device("cpu")
NONE = Weights(*[0.0] * len(asdict(Weights())))
SIDE = 160


class Colours(nn.Module):
    """A stand-in for the perceptual trunk."""

    def forward(self, images: torch.Tensor) -> list[torch.Tensor]:
        return [images]


def batch(row: int = 80, column: int = 80) -> Batch:
    """Two noisy frames; the second's mouth is at (row, column), the first's in the middle."""
    torch.manual_seed(0)
    mouth = torch.zeros(2, 1, SIDE, SIDE)
    mouth[0, 0, 75:86, 70:91] = 1
    mouth[1, 0, max(0, row - 5) : row + 6, max(0, column - 10) : column + 11] = 1
    pictures = torch.rand(2, 3, SIDE, SIDE)
    mask = torch.zeros(2, 1, SIDE, SIDE)
    mask[..., 40:120, 30:130] = 1
    inputs = GeneratorInput(pictures, mask, pictures, pictures[:, None], mask[:, None])
    return Batch(inputs, pictures, mask, mouth)


def total(weights: Weights, picture: torch.Tensor, of: Batch) -> dict[str, float]:
    terms = Objective(weights, Colours(), CPU)(picture, of)
    return {name: float(term) for name, term in terms.items()}


def test_the_truth_costs_nothing() -> None:
    one = batch()
    weights = Weights(local=0.5, ratio=0.5)
    assert total(weights, one.truth, one)["total"] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(("name", "term"), [("edges", edge_energy), ("local", local_energy)])
def test_a_term_counts_by_its_weight_and_costs_no_time_without_one(name, term) -> None:
    one = batch()
    picture = nn.functional.avg_pool2d(one.truth, 3, 1, 1)
    found = total(replace(NONE, **{name: 3.0}), picture, one)
    assert found[name] == pytest.approx(float(term(picture, one.truth)))
    assert found["total"] == pytest.approx(3 * found[name])
    assert set(total(NONE, picture, one)).isdisjoint({"edges", "local", "ratio"})


def test_detail_that_is_lost_in_the_mask_alone_is_seen() -> None:
    one = batch()
    soft = nn.functional.avg_pool2d(one.truth, 3, 1, 1)
    inside = torch.where(one.inputs.mask > 0, soft, one.truth)
    assert total(replace(NONE, ratio=1.0), inside, one)["total"] > 0.3
    assert torch.equal(pasted(soft, one), inside)


@pytest.mark.parametrize("place", [(80, 80), (8, 12), (155, 150)])
def test_patches_hold_the_mouth_and_stay_in_the_picture(place) -> None:
    one = batch(*place)
    ours, theirs = mouth_patches(one.mouth.expand(-1, 3, -1, -1), one)
    assert ours.shape == theirs.shape == (2, 3, *PATCH)
    assert torch.equal(ours.sum((1, 2, 3)), 3 * one.mouth.sum((1, 2, 3)))
    rows, columns = torch.nonzero(ours[0, 0]).float().mean(0)
    assert (float(rows), float(columns)) == pytest.approx((PATCH[0] / 2, PATCH[1] / 2), abs=1)


def test_coarser_pictures_are_compared_under_the_mask_at_their_scale() -> None:
    torch.manual_seed(0)
    truth, mask = torch.rand(2, 3, 32, 32), (torch.rand(2, 1, 32, 32) > 0.5).float()
    inputs = GeneratorInput(truth, mask, mask, truth[:, None], mask[:, None])
    batch = Batch(inputs, truth, mask, mask)
    coarse = [torch.rand(2, 3, side, side) for side in (4, 8)]
    scales = []
    for picture in coarse:
        side = picture.shape[-1]
        shape = (2, -1, side, 32 // side, side, 32 // side)
        small, weight = (part.reshape(*shape).mean((3, 5)).numpy() for part in (truth, mask))
        difference = np.abs(picture.numpy() - small).mean(1)
        scales.append(
            [np.average(d, weights=w[0]) for d, w in zip(difference, weight, strict=True)]
        )
    assert float(coarse_loss(coarse, batch)) == pytest.approx(np.mean(scales), rel=1e-4)
