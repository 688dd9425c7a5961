"""What references lend, for many frames at once, in torch operations: `lend` for a graphics card.

The arithmetic is that of `warp`, `light` and `lend`, which are the way on the processor and the
oracle of this one. Tensors are (B, K, 3, H, W) for B frames with K references each; pixels are
taken at the same 32nds of a pixel, and rounded to levels, as OpenCV does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from gsmooth_core.face.morphable import Region
from gsmooth_core.mafb.regions import Box
from gsmooth_core.taft.device import light
from gsmooth_core.taft.device.astray import bring
from gsmooth_core.taft.lending.lend import FAINT, SHADED, Begun, Scene
from gsmooth_core.taft.mouth.drawn import hints, least_seen
from gsmooth_core.taft.mouth.interior import gap_share, line_colour
from gsmooth_core.taft.warping import astray
from gsmooth_core.taft.warping.beside import gone_on, roughness, share_of
from gsmooth_core.taft.warping.kernels import PHASES, RAGGED
from gsmooth_core.taft.warping.warp import Reference
from gsmooth_core.types import Float


class Batch(NamedTuple):
    """B frames and their new faces, before anything is lent; channels come before rows.

    Attributes:
        crop: (B, 3, H, W).
        known: (B, H, W) bool, as are all masks.
        bare: (B, H, W).
        visible: (B, H, W) all of the face that is seen.
        around: (B, H, W).
        beside: (B, 3, H, W) what goes on from around the new face, see `beside.gone_on`.
        away: (B, H, W) how far away that is.
        rough: (B, H, W) of what is seen there, see `beside.roughness`.
        begun: of each frame, where what is beside the new face is moved, see `astray.begun`.
        face: (B, H, W) what the new face covers.
        inside: (B, H, W) the mouth's interior.
        lips: (B, H, W).
        shaded: (B, 3, H, W) the shaded render.
        hints: (B, 3, H, W).
        moved: (B, K, 2, H, W) displacement of each reference.
        seen: (B, K, H, W) visibility of the new face's places in each.
        weights: (B, K) of the references.
        places: (B, K) of the references in `DeviceBank`.
    """

    crop: Tensor
    known: Tensor
    bare: Tensor
    visible: Tensor
    around: Tensor
    beside: Tensor
    away: Tensor
    rough: Tensor
    begun: list[tuple[Box, Float]]
    face: Tensor
    inside: Tensor
    lips: Tensor
    shaded: Tensor
    hints: Tensor
    moved: Tensor
    seen: Tensor
    weights: Tensor
    places: Tensor


class LentBatch(NamedTuple):
    """As `lend.Lent`, for B frames; the references that are not kept have no validity.

    Attributes:
        image: (B, 3, H, W).
        references: (B, K + 1, 3, H, W).
        validity: (B, K + 1, H, W).
        kept: (B, K).
    """

    image: Tensor
    references: Tensor
    validity: Tensor
    kept: Tensor


class DeviceBank:
    """The references of a clip in the memory of a device.

    Args:
        bank: by their places.
        device: where they are kept.
    """

    def __init__(self, bank: Mapping[int, Reference], device: torch.device) -> None:
        self.device = device
        self._index = {place: n for n, place in enumerate(bank)}
        sizes = np.array([r.image.shape[:2] for r in bank.values()])
        height, width = sizes.max(0).tolist()
        padded = [_padded(r, height, width) for r in bank.values()]
        self.images = torch.from_numpy(np.stack(padded)).to(device)  # (N, 3, h, w) uint8
        to_image = np.stack([r.to_image for r in bank.values()])
        self.to_image = torch.from_numpy(to_image).to(device)  # (N, 2, 3)
        self.ends = torch.from_numpy(sizes[:, ::-1] - 0.5).float().to(device)  # (N, 2) x, y

    def batch(self, frames: Sequence[Begun]) -> Batch:
        """Bring frames with equally many references to the device."""
        scenes = [each.scene for each in frames]
        beside = [_beside(s) for s in scenes]
        faces = [scene.drawing.face for scene in scenes]
        field = self._sent([f.field.reshape(*f.field.shape[:2], -1, 3) for f in frames])
        field = field.permute(0, 3, 4, 1, 2)  # (B, K, 3, H, W)
        seen = torch.maximum(
            field[:, :, 2], self._sent([least_seen(s.drawing) for s in scenes])[:, None]
        )
        places = [[self._index[place] for place in f.places.tolist()] for f in frames]
        return Batch(
            crop=self._sent([s.crop for s in scenes]).movedim(-1, 1),
            known=self._sent([s.known for s in scenes]),
            bare=self._sent([s.bare for s in scenes]),
            visible=self._sent([s.face for s in scenes]),
            around=self._sent([s.around for s in scenes]),
            beside=self._sent([own for own, *_ in beside]).movedim(-1, 1),
            away=self._sent([away for _, away, _ in beside]),
            rough=self._sent([rough for *_, rough in beside]),
            begun=[_begun(s) for s in scenes],
            face=self._sent([face.mask for face in faces]),
            inside=self._sent([s.inside for s in scenes]),
            lips=self._sent([face.region == Region.LIPS for face in faces]),
            shaded=self._sent([face.image for face in faces]).movedim(-1, 1),
            hints=self._sent([hints(s.drawing) for s in scenes]).movedim(-1, 1),
            moved=field[:, :, :2],
            seen=seen,
            weights=self._sent([f.weights for f in frames]),
            places=torch.tensor(places, device=self.device),
        )

    def _sent(self, arrays: Sequence[NDArray[np.generic]]) -> Tensor:
        return torch.from_numpy(np.stack(arrays)).to(self.device)


@torch.no_grad()
def lend(batch: Batch, bank: DeviceBank) -> LentBatch:
    """Fuse the references of B frames; see `lend.lend`."""
    pictures, validity = warped(batch, bank)
    kept = light.alike(pictures, batch.crop, batch.bare, validity)
    pictures, changed = light.match(pictures, batch.crop, batch.bare, batch.visible)
    pictures = bring(pictures, batch.crop, batch.around, batch.begun, PHASES)
    agreeing, apart = light.fitting(pictures, batch.crop, batch.around, validity, kept)
    share = share_of(apart - batch.rough, batch.away, torch.clamp) * ~(batch.known | batch.face)
    pictures = pictures + (batch.beside[:, None] - pictures) * share[:, None, None]
    validity = validity * kept[..., None, None]
    shown = light.better(changed, validity, kept)
    validity = validity * torch.where(batch.face[:, None], shown, agreeing)
    validity = light.crisp(pictures, validity, batch.inside)
    own = _softened(batch, _lip_colour(batch, pictures, validity))
    if pictures.shape[1] == 1:
        lips = (batch.lips & (validity[:, 0] > 0))[:, None]
        own = torch.where(lips, pictures[:, 0], own)
    shaded = torch.where(batch.inside, SHADED, FAINT)
    references = torch.cat([pictures, own[:, None]], 1)
    validity = torch.cat([validity, shaded[:, None]], 1)
    weight = validity[:, :, None]
    mean = (references * weight).sum(1) / weight.sum(1)
    image = torch.where(batch.known[:, None], batch.crop, mean)
    return LentBatch(image, references, validity, kept)


def warped(batch: Batch, bank: DeviceBank) -> tuple[Tensor, Tensor]:
    """References at the new face: (B, K, 3, H, W) pixels, (B, K, H, W) validity."""
    shape = batch.moved.shape
    at = _looked_up(batch, bank)  # (B, K, H, W, 2)
    ends = bank.ends[batch.places][:, :, None, None]
    there = ((at >= -0.5) & (at <= ends)).all(-1)
    at = at.clamp(min=RAGGED).minimum(ends - (RAGGED + 0.5))
    images = bank.images[batch.places].flatten(0, 1).float()  # (B * K, 3, h, w)
    size = torch.tensor(images.shape[:-3:-1], device=bank.device)  # w, h
    grid = 2 * (torch.round(at * PHASES) / PHASES + 0.5) / size - 1
    taken = F.grid_sample(images, grid.flatten(0, 1), "bicubic", "border", align_corners=False)
    pictures = taken.round().clamp(0, 255) / 255
    validity = batch.weights[..., None, None] * batch.seen * there
    return pictures.reshape(*shape[:2], 3, *shape[-2:]), validity


def _looked_up(batch: Batch, bank: DeviceBank) -> Tensor:
    """(B, K, H, W, 2) where each reference's pixels are looked at, as OpenCV counts them."""
    height, width = batch.moved.shape[-2:]
    y = torch.arange(height, device=bank.device)[:, None] + 0.5 + batch.moved[:, :, 1]
    x = torch.arange(width, device=bank.device) + 0.5 + batch.moved[:, :, 0]
    points = torch.stack([x, y, torch.ones_like(x)], -1).double()
    matrix = bank.to_image[batch.places]  # (B, K, 2, 3)
    return (torch.einsum("bkij,bkyxj->bkyxi", matrix, points) - 0.5).float()


def _lip_colour(batch: Batch, pictures: Tensor, validity: Tensor) -> Tensor:
    """(B, 3) mean colour of the lips in the references; the model's where they show none."""
    weight = validity * batch.lips[:, None]  # (B, K, H, W)
    total = weight.sum((1, 2, 3))[:, None]
    lent = torch.einsum("bkyx,bkcyx->bc", weight, pictures) / total
    area = batch.lips.sum((1, 2))[:, None].clamp(min=1)
    own = (batch.shaded * batch.lips[:, None]).sum((2, 3)) / area
    return torch.where(total > 0, lent, own)


def _softened(batch: Batch, lip: Tensor) -> Tensor:
    """(B, 3, H, W) the shaded render, see `interior.in_light` and `interior.soften_gap`."""
    shaded = light.in_light(batch.shaded, batch.crop, batch.bare)
    gap = batch.inside.sum(1).float()  # (B, W)
    share = gap_share(gap, batch.inside.shape[1], torch.exp)[:, None, None]
    towards = line_colour(lip)[:, :, None, None] - shaded
    softened = shaded + towards * share
    return torch.where(batch.inside[:, None], softened, shaded)


def _beside(scene: Scene) -> tuple[Float, Float, Float]:
    """See `beside.gone_on`, `roughness`; far away from everything where nothing is seen there."""
    if scene.around.any():
        return *gone_on(scene.crop, scene.around), roughness(scene.crop, scene.around)
    away = np.ones(scene.around.shape, np.float32)
    return scene.crop, away, np.zeros_like(away)


def _begun(scene: Scene) -> tuple[Box, Float]:
    """See `astray.begun`; nothing is moved where nothing is seen."""
    part, share = astray.begun(scene.strip, scene.drawing.face.mask)
    return part, share if scene.around[part].any() else np.zeros_like(share)


def _padded(reference: Reference, height: int, width: int) -> NDArray[np.uint8]:
    """(3, height, width) the pixels of a reference; those at its edges go on beyond them."""
    h, w = reference.image.shape[:2]
    padded = np.pad(reference.image, ((0, height - h), (0, width - w), (0, 0)), "edge")
    return np.ascontiguousarray(padded.transpose(2, 0, 1))


def as_picture(planes: Tensor) -> Float:
    """(H, W, 3) of (3, H, W) on any device."""
    return np.ascontiguousarray(planes.permute(1, 2, 0).cpu().numpy())
