"""Samples held whole in an accelerator's memory, and batches that are drawn and changed there.

`data.augmented` makes one sample at a time with OpenCV, which feeds a processor; a card would
wait for it. Here all that must be drawn on a processor (the mask's random morphology and its
rim) is drawn beforehand, a few times a sample, and the rest is arithmetic on whole batches.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gsmooth_core.mafb.blend import MaskSettings, in_crop, random_morphology, rim_weight
from gsmooth_core.taft.generators.generator import GeneratorInput
from training.taft.data import FIELDS, PICTURES, SIZE, WINDOW, Batch

STORED = (*FIELDS, "alpha")
VARIANTS = 4
"""Masks a sample: as it is, and with random morphology."""

_LIGHT, _EACH = 0.15, 0.04  # largest logarithm of gamma and gain: of a sample, of a reference


def with_masks(
    samples: list[dict[str, NDArray[Any]]], rng: np.random.Generator
) -> list[dict[str, NDArray[Any]]]:
    """The samples with VARIANTS masks (M, H, W) and their rims' weights "alpha", 0..255."""
    made = []
    for sample in samples:
        mask = sample["mask"] > 0
        masks = [mask, *(random_morphology(mask, rng) for _ in range(VARIANTS - 1))]
        alphas = [rim_weight(m, in_crop(MaskSettings().rim, SIZE)) for m in masks]
        alpha = np.rint(np.stack(alphas) * 255).astype(np.uint8)
        made.append({**sample, "mask": np.stack(masks).astype(np.uint8), "alpha": alpha})
    return made


class Store:
    """All samples of a folder of clips on one device.

    Args:
        folders: one a clip, with an array a field, as `data.store` writes them, and "alpha".
        device: where they are held.
        seed: of the order and of all that is drawn.
    """

    def __init__(self, folders: list[Path], device: torch.device, seed: int) -> None:
        self.arrays = {name: _held(folders, name, device) for name in STORED}
        regions = self.arrays["region"].cpu().numpy()
        self.centres = np.stack([_mouth_centre(region) for region in regions])
        self.rng, self.device = np.random.default_rng(seed), device
        sizes = [len(np.load(folder / "region.npy", mmap_mode="r")) for folder in folders]
        chance = np.concatenate([np.full(n, n**-0.5) for n in sizes])
        self.chance = chance / chance.sum()

    def __len__(self) -> int:
        return len(self.chance)

    def draw(self, size: int) -> Batch:
        """A batch of `size` samples with windows, masks, sides and light drawn anew."""
        picked = self.rng.choice(len(self), size, p=self.chance)
        variant = self.rng.integers(0, VARIANTS, size)
        side = torch.from_numpy(self.rng.random(size) < 0.5).to(self.device)
        starts = self._starts(picked)
        boxes = list(zip(picked.tolist(), variant.tolist(), starts.tolist(), strict=True))

        def cut(field: str) -> Tensor:
            whole, parts = self.arrays[field], []
            for n, v, (y, x) in boxes:
                one = whole[n, v] if field in ("mask", "alpha") else whole[n]
                parts.append(one[..., y : y + WINDOW, x : x + WINDOW])
            joined = torch.stack(parts)
            return torch.where(_beside(side, joined), joined.flip(-1), joined)

        return self._lit({field: cut(field) for field in self.arrays}, size)

    def _starts(self, picked: NDArray[Any]) -> NDArray[np.int_]:
        """(N, 2) top and left of each sample's window."""
        shape = np.array(self.arrays["region"].shape[1:])
        jitter = self.rng.uniform(-WINDOW / 3, WINDOW / 3, (len(picked), 2))
        start = (self.centres[picked] + jitter - WINDOW / 2).clip(0, shape - WINDOW)
        whole: NDArray[np.int_] = start.astype(int)
        return whole

    def _lit(self, parts: dict[str, Tensor], size: int) -> Batch:
        """The batch in another light, with what the generator is given."""
        count = parts["references"].shape[1]
        light, lights = self._light(_LIGHT, size, 1), self._light(_EACH, size, count)
        truth = _under(parts["truth"].float()[:, None] / 255, *light)[:, 0]
        references = _under(_under(parts["references"].float() / 255, *lights), *light)
        validity = parts["validity"].float()[:, :, None]
        mask = parts["mask"][:, None].float()
        region = parts["region"][:, None]
        render = (references * validity).sum(1) / validity.sum(1).clamp_min(1e-6)
        hints = torch.cat([(region == n).float() for n in (1, 2, 3)], 1)
        blend = torch.where(mask > 0, render, truth)
        inputs = GeneratorInput(blend, mask, hints, references, validity)
        alpha = parts["alpha"][:, None].float() / 255
        return Batch(inputs, truth, alpha, ((region == 1) | (region == 2)).float())

    def _light(self, strength: float, size: int, count: int) -> tuple[Tensor, Tensor]:
        """(size, count, 1, 1, 1) random gamma and gain."""
        values = np.exp(self.rng.uniform(-strength, strength, (2, size, count, 1, 1, 1)))
        gamma, gain = torch.from_numpy(values.astype(np.float32)).to(self.device)
        return gamma, gain


def _under(pictures: Tensor, gamma: Tensor, gain: Tensor) -> Tensor:
    return (pictures**gamma * gain).clamp(0, 1)


def _held(folders: list[Path], name: str, device: torch.device) -> Tensor:
    """One field of all samples on a device; pictures with their channels before rows."""
    parts = [torch.from_numpy(np.load(folder / f"{name}.npy")).to(device) for folder in folders]
    if name in PICTURES:
        parts = [part.movedim(-1, -3).contiguous() for part in parts]
    return torch.cat(parts)


def _beside(side: Tensor, x: Tensor) -> Tensor:
    return side.reshape(-1, *[1] * (x.dim() - 1))


def _mouth_centre(region: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(2,) row and column."""
    y, x = np.nonzero((region == 1) | (region == 2))
    height, width = region.shape
    return np.array([y.mean(), x.mean()] if len(y) else [height / 2, width / 2])
