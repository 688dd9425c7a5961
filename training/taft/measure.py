"""How good reconstructed mouths are: PSNR, SSIM, detail and flicker, inside mouth and mask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from gsmooth_core.evaluation.metrics.bands import BANDS, band_energies, laplacian_variance
from gsmooth_core.evaluation.metrics.fidelity import psnr, ssim
from gsmooth_core.mafb.regions import Box, mouth_box
from gsmooth_core.taft.generators.generator import GeneratorInput, weighted_mean
from gsmooth_core.types import Float
from training.taft.data import Batch, Samples, tensors

Picture = Callable[[GeneratorInput[torch.Tensor]], torch.Tensor]


@dataclass(frozen=True)
class Quality:
    """Means over frames.

    Attributes:
        mouth_psnr: dB in the box around the mouth.
        mouth_ssim: in the same box.
        mask_psnr: dB under M_f.
        flicker: mean difference of neighbouring frames in the mouth box, relative to the truth.
        laplacian: variance of the Laplacian in the mouth box, relative to the truth.
        mouth_bands: energy of each band of a Laplacian pyramid in the mouth box, finest first,
            relative to the truth.
        mask_bands: the same under M_f.
    """

    mouth_psnr: float
    mouth_ssim: float
    mask_psnr: float
    flicker: float
    laplacian: float = 1.0
    mouth_bands: tuple[float, ...] = (1.0,) * BANDS
    mask_bands: tuple[float, ...] = (1.0,) * BANDS

    def row(self) -> str:
        """One line of a table."""
        return (
            f"{self.mouth_psnr:.2f} / {self.mouth_ssim:.3f} | {self.mask_psnr:.2f} | "
            f"{self.flicker:.2f} | {self.laplacian:.2f} | "
            f"{_shown(self.mouth_bands)} | {_shown(self.mask_bands)}"
        )


def _shown(ratios: Iterable[float]) -> str:
    return " ".join(f"{ratio:.2f}" for ratio in ratios)


def nearest(x: GeneratorInput[torch.Tensor]) -> torch.Tensor:
    """Baseline: the reference that is trusted most, with holes filled from the others."""
    best = 1e-3 * x.validity
    best[:, :1] = x.validity[:, :1]
    return weighted_mean(x.references, best)


def mean(x: GeneratorInput[torch.Tensor]) -> torch.Tensor:
    """Baseline: the plain mean of the references that see a pixel."""
    return weighted_mean(x.references, (x.validity > 0.01).float())


def untrained(x: GeneratorInput[torch.Tensor]) -> torch.Tensor:
    """Baseline: the validity-weighted mean, which fusion starts from."""
    return weighted_mean(x.references, x.validity)


def truth_and_dub(batch: Batch, picture: Picture) -> tuple[Float, Float]:
    """(H, W, 3) truth and composite of a batch of one, as 8-bit values."""
    with torch.inference_mode():
        made = picture(batch.inputs)
    mixed = made * batch.alpha + batch.truth * (1 - batch.alpha)
    pair = (torch.round(x[0].permute(1, 2, 0) * 255).numpy() for x in (batch.truth, mixed))
    truth, dub = pair
    return truth, dub


def measure(samples: Samples, picture: Picture) -> Quality:
    """Reconstruct a clip's consecutive samples and compare them with the truth."""
    rows: list[tuple[float, ...]] = []
    details: list[NDArray[np.float64]] = []
    steps: list[tuple[float, float]] = []
    before: tuple[Float, Float] | None = None
    batches = (tensors(samples[n], samples[n]["mask"] > 0) for n in range(len(samples)))
    for batch in batches:
        truth, dub = truth_and_dub(batch, picture)
        box = mouth_box(batch.mouth[0, 0].numpy() > 0)
        mask = batch.inputs.mask[0, 0].numpy() > 0
        rows.append(_frame(truth, dub, box, mask))
        details.append(np.stack([_detail(truth, box, mask), _detail(dub, box, mask)]))
        if before is not None:
            a, b = (
                np.abs(x[box] - y[box]).mean() for x, y in zip((truth, dub), before, strict=True)
            )
            steps.append((float(a), float(b)))
        before = truth, dub
    mouth, mouth_ssim, mask_psnr = np.mean(rows, 0)
    moved = np.mean(steps, 0) if steps else np.ones(2)
    flicker = float(moved[1] / max(moved[0], 1e-6))
    return Quality(mouth, mouth_ssim, mask_psnr, flicker, *_ratios(details))


def _ratios(
    details: list[NDArray[np.float64]],
) -> tuple[float, tuple[float, ...], tuple[float, ...]]:
    """Sums over frames of (2, 1 + 2 BANDS) `_detail` of truth and dub, as ratios."""
    truth, dub = np.nansum(details, 0)
    laplacian, *bands = (dub / np.maximum(truth, 1e-9)).tolist()
    return laplacian, tuple(bands[:BANDS]), tuple(bands[BANDS:])


def _detail(picture: Float, box: Box, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(1 + 2 BANDS,) Laplacian variance and bands in the mouth box, bands under the mask."""
    inside = np.zeros(mask.shape, bool)
    inside[box] = True
    mouth, masked = band_energies(picture, inside), band_energies(picture, mask)
    return np.concatenate([[laplacian_variance(picture, inside)], mouth, masked])


def average(qualities: Iterable[Quality]) -> Quality:
    """Mean over clips, each clip counting once."""
    columns = zip(*(vars(q).values() for q in qualities), strict=True)
    means: list[Any] = [np.mean(column, 0).tolist() for column in columns]
    made: list[Any] = [tuple(m) if isinstance(m, list) else m for m in means]
    return Quality(*made)


def _frame(truth: Float, dub: Float, box: Box, mask: NDArray[np.bool_]) -> tuple[float, ...]:
    return (
        psnr(truth[box], dub[box]),
        ssim(truth[box], dub[box]),
        psnr(truth, dub, mask),
    )
