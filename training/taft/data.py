"""Samples for TAFT: composed frames of tracked clips, kept as plain arrays that can be mapped.

A sample is a frame of a clip, reconstructed: its own tracked expression is the target, and its
references lie at least half a second away. The warps do not change during training, so they are
made once; the mask's random morphology, light and compression are drawn anew at each reading.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from gsmooth_core.face.morphable import MorphableModel
from gsmooth_core.mafb.blend import MaskSettings, in_crop, random_morphology, rim_weight
from gsmooth_core.taft.compose import Composer
from gsmooth_core.taft.composition import ComposeSettings, Composition
from gsmooth_core.taft.generators.generator import GeneratorInput
from gsmooth_core.taft.lending.references import ReferenceSettings
from gsmooth_core.types import FaceTrack, Image

SIZE = 256
BOX = (16, 64, 240, 256)
"""x0, y0, x1, y1 of the crop that is kept."""

GAP = 0.5
"""Seconds between a frame and its references."""

WINDOW = 160
"""Side of the part of a sample that a training step sees."""

MASKS = ("random", "plain", "everything")
"""Masks in training: with random morphology, as the mesh gives them (the paper's w/o MorphoAug),
or all of the crop, so that nothing of the frame is blended in (w/o MAFB)."""

PICTURES = ("truth", "references", "fixed")
FIELDS = ("truth", "references", "validity", "region", "mask")
SOUND = "sound"
"""Field of a clip whose speech can be trusted: the sync expert's vector of each sample's sound."""


@dataclass(frozen=True)
class Batch:
    """Samples as tensors; B of them.

    Attributes:
        inputs: for the generator.
        truth: (B, 3, H, W) the frame itself.
        alpha: (B, 1, H, W) weight of the generated picture.
        mouth: (B, 1, H, W) lips and mouth interior.
        places: clip and number in it of each sample; empty where nobody asks.
    """

    inputs: GeneratorInput[torch.Tensor]
    truth: torch.Tensor
    alpha: torch.Tensor
    mouth: torch.Tensor
    places: tuple[tuple[int, int], ...] = ()


def composed(
    pictures: list[Image],
    track: FaceTrack,
    model: MorphableModel,
    frames: list[int],
    settings: ComposeSettings,
) -> Iterator[tuple[Composition, Image]]:
    """Compose `frames` of a clip for reconstruction, each with its true crop (SIZE, SIZE, 3)."""
    composer = Composer(track, model, track.expression, pictures.__getitem__, settings)
    for frame in frames:
        composition = composer.compose(frame, pictures[frame])
        under = composition.masked.under
        yield composition, under.cut(under.part(pictures[frame]))


def reconstruction(count: int = 6) -> ComposeSettings:
    """Settings of training and validation samples."""
    return ComposeSettings(size=SIZE, references=ReferenceSettings(gap=GAP, count=count))


def sample_arrays(composition: Composition, truth: Image, count: int) -> dict[str, NDArray[Any]]:
    """One sample as arrays; references are filled up to `count` with invalid ones."""
    x0, y0, x1, y1 = BOX
    part = np.s_[..., y0:y1, x0:x1]
    *warped, shaded = composition.blend.references
    *valid, shaded_valid = composition.blend.validity
    missing = count - len(warped)
    nothing = [np.zeros_like(shaded)] * missing
    invalid = [np.zeros_like(shaded_valid)] * missing
    references = np.stack([*warped, *nothing, shaded])[:, y0:y1, x0:x1]
    groups = (composition.hints * np.array([1, 2, 3])).sum(-1)
    return {
        "truth": truth[y0:y1, x0:x1],
        "references": np.rint(references * 255).astype(np.uint8),
        "validity": np.stack([*valid, *invalid, shaded_valid])[part].astype(np.float16),
        "region": groups[part].astype(np.uint8),
        "mask": (composition.blend.mask[part] > 0.5).astype(np.uint8),
    }


def store(
    folder: Path, samples: list[dict[str, NDArray[Any]]], names: tuple[str, ...] = FIELDS
) -> None:
    """Write a clip's samples, one array a field; the folder appears when it is whole."""
    partial = folder.with_name(folder.name + ".partial")
    partial.mkdir(parents=True, exist_ok=True)
    for field in names:
        np.save(partial / f"{field}.npy", np.stack([sample[field] for sample in samples]))
    partial.replace(folder)


class Samples(Dataset[dict[str, NDArray[Any]]]):
    """All samples of some folders, mapped into memory.

    Args:
        folders: one a clip.
        fixed: add another frame of the clip to each sample, as the paper's generator wants it.

    Attributes:
        sounds: of each clip (N, D) vectors of its samples' sound, or None.
    """

    def __init__(self, folders: list[Path], *, fixed: bool = False) -> None:
        self.fixed = fixed
        self.clips = [
            {f: np.load(folder / f"{f}.npy", mmap_mode="r") for f in FIELDS} for folder in folders
        ]
        self.sounds = [_sound(folder) for folder in folders]
        self.places = [
            (clip, n) for clip, arrays in enumerate(self.clips) for n in range(len(arrays["mask"]))
        ]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> dict[str, NDArray[Any]]:
        clip, n = self.places[index]
        arrays = self.clips[clip]
        sample = {field: np.array(array[n]) for field, array in arrays.items()}
        if self.fixed:  # half the clip's samples away
            count = len(arrays["truth"])
            sample["fixed"] = np.array(arrays["truth"][(n + count // 2) % count])
        return sample


def _sound(folder: Path) -> NDArray[np.float32] | None:
    path = folder / f"{SOUND}.npy"
    return np.load(path) if path.is_file() else None


def tensors(sample: dict[str, NDArray[Any]], mask: NDArray[np.bool_]) -> Batch:
    """A batch of one under a given mask."""
    truth = sample["truth"].astype(np.float32) / 255
    references = sample["references"].astype(np.float32) / 255
    validity = sample["validity"].astype(np.float32)
    weight = validity[..., None]
    render = (references * weight).sum(0) / np.maximum(weight.sum(0), 1e-6)
    region = sample["region"][..., None] == np.array([1, 2, 3])
    alpha = rim_weight(mask, in_crop(MaskSettings().rim, SIZE))
    if "fixed" in sample:
        references = sample["fixed"][None].astype(np.float32) / 255
        validity = np.ones((1, *mask.shape), np.float32)
    inputs = GeneratorInput(
        _planes(np.where(mask[..., None], render, truth)),
        torch.from_numpy(mask.astype(np.float32))[None, None],
        _planes(region.astype(np.float32)),
        _planes(references),
        torch.from_numpy(validity)[None, :, None],
    )
    mouth = torch.from_numpy(region[..., :2].any(-1).astype(np.float32))[None, None]
    return Batch(inputs, _planes(truth), torch.from_numpy(alpha)[None, None], mouth)


def augmented(
    sample: dict[str, NDArray[Any]], rng: np.random.Generator, masks: str = "random"
) -> Batch:
    """A batch of one with another mask (see `MASKS`), window, light, side and compression."""
    sample = dict(sample)
    sample["mask"] = trained_mask(sample["mask"] > 0, masks, rng).astype(np.uint8)
    sample = around_mouth(sample, rng)
    if rng.random() < 0.5:
        sample = {name: _mirrored(name, array) for name, array in sample.items()}
    sample["references"] = np.stack([_relit(r, rng, 0.04) for r in sample["references"]])
    if rng.random() < 0.3:
        quality = int(rng.integers(55, 95))
        sample["references"] = np.stack([_compressed(r, quality) for r in sample["references"]])
    lut = _curve(rng, 0.15)
    for name in set(PICTURES) & set(sample):
        flat = np.ascontiguousarray(sample[name]).reshape(-1, 1)
        sample[name] = cv2.LUT(flat, lut).reshape(sample[name].shape)
    return tensors(sample, sample["mask"] > 0)


def trained_mask(
    mask: NDArray[np.bool_], masks: str, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """The mask of a training sample, by one of `MASKS`."""
    if masks == "everything":
        return np.ones_like(mask)
    return random_morphology(mask, rng) if masks == "random" else mask


def around_mouth(
    sample: dict[str, NDArray[Any]], rng: np.random.Generator
) -> dict[str, NDArray[Any]]:
    """A window of WINDOW x WINDOW pixels that holds the middle of the mouth somewhere inside."""
    height, width = sample["mask"].shape
    y, x = np.nonzero((sample["region"] == 1) | (sample["region"] == 2))
    centre = (y.mean(), x.mean()) if len(y) else (height / 2, width / 2)
    jitter = rng.uniform(-WINDOW / 3, WINDOW / 3, 2)
    top = int(np.clip(centre[0] + jitter[0] - WINDOW / 2, 0, height - WINDOW))
    left = int(np.clip(centre[1] + jitter[1] - WINDOW / 2, 0, width - WINDOW))
    rows, columns = slice(top, top + WINDOW), slice(left, left + WINDOW)
    return {
        name: array[..., rows, columns, :] if name in PICTURES else array[..., rows, columns]
        for name, array in sample.items()
    }


def collate(batches: list[Batch]) -> Batch:
    """Join batches of one."""
    columns = zip(*(batch.inputs for batch in batches), strict=True)
    inputs = GeneratorInput(*(torch.cat(column) for column in columns))
    truth, alpha, mouth = (
        torch.cat([getattr(b, n) for b in batches]) for n in ("truth", "alpha", "mouth")
    )
    return Batch(inputs, truth, alpha, mouth)


def _planes(images: NDArray[Any]) -> torch.Tensor:
    """(..., H, W, C) -> (1, ..., C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(images, np.float32)).movedim(-1, -3)[None]


def _mirrored(name: str, array: NDArray[Any]) -> NDArray[Any]:
    axis = -2 if name in PICTURES else -1
    return np.ascontiguousarray(np.flip(array, axis))


def _curve(rng: np.random.Generator, strength: float) -> NDArray[np.uint8]:
    """(256,) a random gamma and gain."""
    gamma, gain = np.exp(rng.uniform(-strength, strength, 2))
    levels = np.linspace(0, 1, 256) ** gamma * gain
    curve: NDArray[np.uint8] = np.rint(np.clip(levels, 0, 1) * 255).astype(np.uint8)
    return curve


def _relit(picture: Image, rng: np.random.Generator, strength: float) -> Image:
    lit: Image = cv2.LUT(np.ascontiguousarray(picture), _curve(rng, strength))
    return lit


def _compressed(picture: Image, quality: int) -> Image:
    """Through JPEG and back."""
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    back: Image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    return back
