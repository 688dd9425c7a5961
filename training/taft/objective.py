"""What a generator is asked for: the losses of eq. 10-13, and the truth's amount of detail.

One objective serves every training; what differs between trainings is the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.taft.bands import energy_ratio, local_energy
from training.taft.data import Batch
from training.taft.losses import LossSettings, TaftLoss, edge_energy

PATCH = (64, 96)
"""Rows and columns around the mouth that the perceptual trunk and the critic see at full size."""

Contrast = Callable[[Tensor, Sequence[tuple[int, int]]], Tensor]
"""(B, 3, *PATCH) mouths and their samples' places -> loss, see `contrast.Contrast`."""

_AROUND = 21  # side in pixels of what widens the mouth before its bands are compared


@dataclass(frozen=True)
class Weights:
    """Of the terms; one of zero is not computed.

    Attributes:
        mouth: extra weight of lips and mouth interior in the photometric loss.
        photo: lambda_photo.
        perceptual: lambda_p; the trunk sees the picture at a quarter of its size and the mouth at
            full size.
        style: lambda_s.
        edges: weight of `losses.edge_energy`.
        local: weight of `bands.local_energy`.
        ratio: weight of `bands.energy_ratio`, in mouth and mask.
        scales: weight of the photometric loss of the pictures of coarser scales (`coarse_loss`).
        contrast: weight of `contrast.Contrast`.
    """

    mouth: float = 2.0
    photo: float = 6.0
    perceptual: float = 2.0
    style: float = 200.0
    edges: float = 8.0
    local: float = 0.0
    ratio: float = 0.0
    scales: float = 0.0
    contrast: float = 0.0


class Objective:
    """The loss of a generator.

    Args:
        weights: of the terms.
        trunk: that perceives, see `losses.Trunk`.
        device: where batches are.
        contrast: between mouths and sound, where it has a weight.
    """

    def __init__(
        self,
        weights: Weights,
        trunk: nn.Module,
        device: torch.device,
        contrast: Contrast | None = None,
    ) -> None:
        self.weights, self.contrast = weights, contrast
        eq13 = LossSettings(weights.photo, weights.perceptual, weights.style, (4,))
        fine = LossSettings(0.0, weights.perceptual, weights.style, (1,))
        self.loss = TaftLoss(trunk, eq13).to(device)
        self.fine = TaftLoss(trunk, fine).to(device)

    def __call__(
        self, mixed: Tensor, batch: Batch, coarse: Sequence[Tensor] = ()
    ) -> dict[str, Tensor]:
        """Terms by name of pictures (B, 3, H, W) as they are pasted; "total" is minimised.

        Args:
            mixed: the pictures.
            batch: what they were made from.
            coarse: pictures of coarser scales that the generator made on the way.
        """
        w = self.weights
        terms = self.loss(mixed, batch.truth, 1 + w.mouth * batch.mouth)
        total = terms["total"] + self.fine(*mouth_patches(mixed, batch))["total"]
        extra = {"edges": edge_energy, "local": local_energy, "ratio": _ratio(batch)}
        for name, term in extra.items():
            if weight := getattr(w, name):
                terms[name] = term(mixed, batch.truth)
                total = total + weight * terms[name]
        if w.scales and coarse:
            terms["scales"] = coarse_loss(coarse, batch)
            total = total + w.scales * terms["scales"]
        if self.contrast is not None:
            terms["contrast"] = self.contrast(mouth_patches(mixed, batch)[0], batch.places)
            total = total + w.contrast * terms["contrast"]
        return {**terms, "total": total}


def _ratio(batch: Batch) -> Callable[[Tensor, Tensor], Tensor]:
    """`energy_ratio` in the mouth, with some of what is around it, and in the mask."""

    def ratio(mixed: Tensor, truth: Tensor) -> Tensor:
        around = nn.functional.max_pool2d(batch.mouth, _AROUND, 1, _AROUND // 2)
        regions = (around, batch.inputs.mask)
        return torch.stack([energy_ratio(mixed, truth, region) for region in regions]).mean()

    return ratio


def coarse_loss(coarse: Sequence[Tensor], batch: Batch) -> Tensor:
    """Mean absolute difference under the mask at each scale, as a mean over scales.

    The multi-scale supervision of G4G: pictures (B, 3, H/n, W/n) against the truth and the mask
    at a n-th of the resolution.
    """
    terms = []
    for picture in coarse:
        pixels = batch.truth.shape[-1] // picture.shape[-1]
        truth, mask = (F.avg_pool2d(part, pixels) for part in (batch.truth, batch.inputs.mask))
        difference = ((picture - truth).abs() * mask).sum((1, 2, 3))
        terms.append((difference / (3 * mask.sum((1, 2, 3)) + 1e-6)).mean())
    return torch.stack(terms).mean()


def pasted(picture: Tensor, batch: Batch) -> Tensor:
    """(B, 3, H, W) the frames with generated pictures in their masks."""
    return picture * batch.alpha + batch.truth * (1 - batch.alpha)


def mouth_patches(picture: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """(B, 3, *PATCH) parts of pictures and of the truth around each sample's mouth."""
    return around_mouths(picture, batch.mouth), around_mouths(batch.truth, batch.mouth)


def around_mouths(pictures: Tensor, mouth: Tensor) -> Tensor:
    """(B, 3, *PATCH) parts of pictures (B, 3, H, W) around each mouth of (B, 1, H, W)."""
    parts = [
        one[:, y : y + PATCH[0], x : x + PATCH[1]]
        for one, (y, x) in zip(pictures, _corners(mouth), strict=True)
    ]
    return torch.stack(parts)


def _corners(mouth: Tensor) -> list[tuple[int, int]]:
    """Top and left of a part of PATCH pixels around each mouth of (B, 1, H, W)."""
    height, width = mouth.shape[2:]
    area = mouth.sum((1, 2, 3)).clamp_min(1)
    rows = (mouth.sum((1, 3)) * torch.arange(height, device=mouth.device)).sum(1) / area
    columns = (mouth.sum((1, 2)) * torch.arange(width, device=mouth.device)).sum(1) / area
    corner = torch.stack([rows - PATCH[0] / 2, columns - PATCH[1] / 2], 1)  # (B, 2)
    most = corner.new_tensor([height - PATCH[0], width - PATCH[1]])
    return [(int(y), int(x)) for y, x in corner.clamp_min(0).minimum(most).tolist()]
