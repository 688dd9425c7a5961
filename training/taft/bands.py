"""A loss that asks for the truth's amount of detail, size by size, without saying where it lies.

Not in the paper. The mean of pictures that disagree by a pixel is the best guess for eq. 10 and
11, and soft. Energies in the bands of a Laplacian pyramid, around each place and in the whole
mouth and mask, must be the truth's; which pixels carry them is left to eq. 10 and 11.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

BANDS = 4
CELL = 8
"""Side in pixels of the places whose detail is compared; at least 2 of a band's own pixels."""

_FAINTEST = 0.5 / 255  # detail below half a grey level does not count
_TAPS = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)


def pyramid(picture: Tensor) -> list[Tensor]:
    """(B, 1, H, W) response of a Laplacian, then BANDS bands of the grey (B, 3, H, W), halving."""
    coarse = picture.mean(1, keepdim=True)
    kernel = coarse.new_tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]) / 4
    bands = [F.conv2d(F.pad(coarse, (1, 1, 1, 1), mode="reflect"), kernel[None, None])]
    for _ in range(BANDS):
        smaller = _halved(coarse)
        bands.append(coarse - F.interpolate(smaller, coarse.shape[-2:], mode="bilinear"))
        coarse = smaller
    return bands


def local_energy(picture: Tensor, truth: Tensor) -> Tensor:
    """Mean difference in strength of detail around each place, each band over its own strength."""
    terms = []
    for level, (ours, theirs) in enumerate(zip(pyramid(picture), pyramid(truth), strict=True)):
        cell = max(2, CELL >> max(0, level - 1))
        a, b = (_strength(F.avg_pool2d(band**2, cell)) for band in (ours, theirs))
        scale = b.mean((1, 2, 3), keepdim=True)
        terms.append(((a - b).abs() / scale).mean())
    return torch.stack(terms).mean()


def energy_ratio(picture: Tensor, truth: Tensor, where: Tensor) -> Tensor:
    """Mean absolute logarithm of the ratio of energies in `where` (B, 1, H, W), by band."""
    terms, weight = [], where
    for level, (ours, theirs) in enumerate(zip(pyramid(picture), pyramid(truth), strict=True)):
        weight = F.avg_pool2d(weight, 2) if level > 1 else weight
        total = weight.sum((1, 2, 3)) + 1e-6
        a, b = ((band**2 * weight).sum((1, 2, 3)) / total for band in (ours, theirs))
        terms.append(torch.log((a + _FAINTEST**2) / (b + _FAINTEST**2)).abs().mean())
    return torch.stack(terms).mean()


def _strength(energy: Tensor) -> Tensor:
    return torch.sqrt(energy + _FAINTEST**2)


def _halved(picture: Tensor) -> Tensor:
    """Under a binomial of 5 x 5, every second pixel."""
    taps = picture.new_tensor(_TAPS)
    padded = F.pad(picture, (2, 2, 2, 2), mode="reflect")
    return F.conv2d(padded, torch.outer(taps, taps)[None, None], stride=2)
