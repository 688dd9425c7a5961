"""What networks are given here: smooth pictures, speech-like sound, a face in a frame; no files."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from gsmooth_core.face.camera import pose, project
from gsmooth_core.taft.generators.generator import HINTS, GeneratorInput
from gsmooth_core.types import FaceTrack, Float
from tests.taft import scene


def smooth(shape: tuple[int, ...], height: int, width: int, dice: torch.Generator) -> Tensor:
    """(*shape, height, width) fields of large blobs with a little grain, 0..1."""
    blobs = torch.rand((*shape, 9, 9), generator=dice).flatten(0, -4)
    fields = F.interpolate(blobs, (height, width), mode="bicubic", align_corners=False)
    grain = 0.05 * torch.rand(fields.shape, generator=dice)
    return (0.95 * fields + grain).clamp(0, 1).reshape(*shape, height, width)


def crops(batch: int, height: int, width: int, references: int, seed: int = 0) -> GeneratorInput:
    """A batch for a generator: references that differ a little, a mask over the lower half."""
    dice = torch.Generator().manual_seed(seed)
    picture = smooth((batch, 3), height, width, dice)
    change = smooth((batch, references, 3), height, width, dice) - 0.5
    mask = torch.zeros(batch, 1, height, width)
    mask[..., height // 3 : -height // 8, width // 6 : -width // 6] = 1
    hints = torch.zeros(batch, HINTS, height, width)
    for group in range(HINTS):
        hints[:, group, height // 2 + group :: HINTS] = 1
    return GeneratorInput(
        picture * (1 - mask) + 0.5 * mask,
        mask,
        hints,
        (picture[:, None] + 0.2 * change).clamp(0, 1),
        smooth((batch, references, 1), height, width, dice),
    )


def repeated(inputs: GeneratorInput, batch: int) -> GeneratorInput:
    """The crops of `inputs` again and again, until there are `batch`."""
    places = torch.arange(batch, device=inputs.blend.device) % len(inputs.blend)
    return GeneratorInput(*(part[places] for part in inputs))


def on(inputs: GeneratorInput, device: torch.device) -> GeneratorInput:
    """The same batch on a device."""
    return GeneratorInput(*(part.to(device) for part in inputs))


def clip(frames: int, width: int, height: int, focal: float) -> FaceTrack:
    """The scene's moving head in frames of another size."""
    return replace(scene.track(frames), width=width, height=height, focal=focal)


def mesh(size: int) -> tuple[Float, np.ndarray]:
    """The default face, projected (V, 3) to fill a square of `size` pixels, and its faces."""
    track, model = clip(3, size, size, 2.6 * size), scene.face_model()
    shape = model.shape(track.identity, track.expression[1])
    camera = pose(shape, track.rotation[1], track.translation[1])
    return project(camera, track.focal, size, size), model.faces
