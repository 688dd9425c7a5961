"""The loss on amounts of detail: zero for the truth, blind to where, and which way it pushes."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from training.taft import bands


def picture(seed: int = 0, side: int = 64) -> torch.Tensor:
    torch.manual_seed(seed)
    return 0.5 + 0.1 * torch.randn(2, 3, side, side)


def blurred(x: torch.Tensor) -> torch.Tensor:
    return nn.functional.avg_pool2d(x, 3, 1, 1)


WHERE = torch.ones(2, 1, 64, 64)


def test_the_truth_has_its_own_detail() -> None:
    x = picture()
    assert bands.local_energy(x, x) == 0
    assert bands.energy_ratio(x, x, WHERE) == 0


def test_other_detail_of_the_same_strength_is_nearly_as_good() -> None:
    x, other = picture(), picture(1)
    assert bands.energy_ratio(other, x, WHERE) < 0.2 * bands.energy_ratio(blurred(x), x, WHERE)
    assert bands.local_energy(other, x) < 0.6 * bands.local_energy(blurred(x), x)


def test_ratio_is_a_logarithm_of_energies() -> None:
    x = picture()
    twice = 0.5 + 2 * (x - 0.5)
    assert bands.energy_ratio(twice, x, WHERE) == pytest.approx(math.log(4), rel=0.05)


def test_only_the_places_asked_for_count() -> None:
    x, half = picture(), WHERE.clone()
    half[..., 32:] = 0
    changed = x.clone()
    changed[..., 44:] = blurred(x)[..., 44:]
    assert bands.energy_ratio(changed, x, half) < 0.02
    assert bands.energy_ratio(changed, x, 1 - half) > 0.1


@pytest.mark.parametrize("factor", [0.6, 1.6])
def test_both_push_towards_the_truths_strength(factor: float) -> None:
    x = picture()
    strength = torch.tensor(factor, requires_grad=True)
    for loss in (
        lambda y: bands.local_energy(y, x),
        lambda y: bands.energy_ratio(y, x, WHERE),
    ):
        strength.grad = None
        loss(0.5 + strength * (x - 0.5)).backward()
        assert (strength.grad > 0) == (factor > 1)


def test_pyramid_halves() -> None:
    sizes = [band.shape[-1] for band in bands.pyramid(picture())]
    assert sizes == [64, 64, 32, 16, 8]
