"""The torch rasteriser on the card against the numba kernels, and frames a second of both."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from gsmooth_core.face.rasterizer import Raster, rasterize, rasterize_torch
from gsmooth_core.types import Float, Int
from tests.gpu import made
from tests.gpu.clock import timed
from tests.gpu.part import Part

SAME = 0.9999
"""Share of pixels that show the same face; on an edge the last bit of a product may decide."""
NEAR = 1e-4
"""Barycentric weights of the same face."""
SIZES = (256, 512, 1024)


@dataclass(frozen=True)
class Agreement:
    """Of two rasters.

    Attributes:
        same: share of pixels that show the same face.
        barycentric: largest difference of weights where they do.
        covered: share of pixels with a face.
    """

    same: float
    barycentric: float
    covered: float

    @property
    def holds(self) -> bool:
        return self.same >= SAME and self.barycentric < NEAR and self.covered > 0.1


def run(part: Part) -> None:
    backends = [b for b in ("torch", "pytorch3d") if importlib.util.find_spec(b) is not None]
    if part.device.type == "cpu":
        backends = ["torch"]  # pytorch3d's own kernel takes minutes a frame there
    for size in (128,) if part.quick else SIZES:
        projected, faces = made.mesh(size)
        for backend in backends:
            with part.attempt(f"{backend}_{size}"):
                one(part, backend, projected, faces, size)
        with part.attempt(f"numba_{size}"):
            timing = timed(
                lambda p=projected, f=faces, s=size: rasterize(p, f, p, s, s, "numba"),
                torch.device("cpu"),
            )
            part.figure(f"numba_{size}_frames_per_second", timing.per_second(1))


def one(part: Part, backend: str, projected: Float, faces: Int, size: int) -> None:
    found = agreement(backend, part.device, projected, faces, size)
    part.figure(f"{backend}_{size}_agreement", vars(found))
    part.check(f"{backend} shows what numba shows at {size}", holds=found.holds)
    points, triangles = tensors(part.device, projected, faces)
    with torch.inference_mode():
        timing = timed(
            lambda: rasterize_torch(points, triangles, points, size, size, backend), part.device
        )
    part.figure(f"{backend}_{size}_frames_per_second", timing.per_second(1))


def tensors(device: torch.device, projected: Float, faces: Int) -> tuple[Tensor, Tensor]:
    """The mesh on a device."""
    points = torch.tensor(np.asarray(projected, np.float32), device=device)
    return points, torch.tensor(np.asarray(faces, np.int32), device=device)


def agreement(
    backend: str, device: torch.device, projected: Float, faces: Int, size: int
) -> Agreement:
    """A back end on a device beside numba."""
    ours: Raster = rasterize(projected, faces, projected, size, size, "numba")
    points, triangles = tensors(device, projected, faces)
    theirs = rasterize_torch(points, triangles, points, size, size, backend)
    same = theirs.face_index.cpu().numpy() == ours.face_index
    apart = np.abs(theirs.barycentric.cpu().numpy() - ours.barycentric)[same]
    return Agreement(float(same.mean()), float(apart.max()), float(ours.mask.mean()))
