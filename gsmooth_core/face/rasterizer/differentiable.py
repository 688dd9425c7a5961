"""Rasterising with gradients to vertices and attributes, over any back end.

On the numba back end both directions are compiled kernels (the backward pass is analytic); on the
others the visible faces are found without gradient and torch differentiates the interpolation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gsmooth_core.face.rasterizer import torch_kernels
from gsmooth_core.face.rasterizer.raster import Raster
from gsmooth_core.types import Float, Int


@dataclass(frozen=True)
class TorchRaster:
    """`Raster` as tensors.

    Attributes:
        face_index: (H, W) int32, -1 outside.
        barycentric: (H, W, 3), 0 outside.
        image: (H, W, C), 0 outside.
        depth: (H, W), inf outside.
        mask: (H, W) bool.
    """

    face_index: Tensor
    barycentric: Tensor
    image: Tensor
    depth: Tensor
    mask: Tensor


def rasterize(
    projected: Tensor,
    faces: Tensor,
    attributes: Tensor,
    height: int,
    width: int,
    backend: str,
    cull: bool,
) -> TorchRaster:
    """See `gsmooth_core.face.rasterizer.rasterize_torch`."""
    if backend == "numba":
        from gsmooth_core.face.rasterizer.numba_autograd import apply

        seen, barycentric, image, depth = apply(projected, attributes, faces, height, width, cull)
    else:
        seen = _visible_faces(backend)(projected, faces, height, width, cull)
        barycentric, image, depth = torch_kernels.interpolate(projected, faces, attributes, seen)
    return TorchRaster(seen, barycentric, image, depth, seen >= 0)


def rasterize_arrays(
    projected: Float,
    faces: Int,
    attributes: Float,
    height: int,
    width: int,
    backend: str,
    cull: bool,
) -> Raster:
    """As `rasterize`, arrays in and out, without gradient, on the GPU where there is one."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    vertices, values = (
        torch.as_tensor(np.asarray(array, np.float32), device=device)
        for array in (projected, attributes)
    )
    triangles = torch.as_tensor(np.asarray(faces, np.int32), device=device)
    with torch.no_grad():
        raster = rasterize(vertices, triangles, values, height, width, backend, cull)
    return Raster(*(tensor.cpu().numpy() for tensor in vars(raster).values()))


def _visible_faces(backend: str) -> Any:
    if backend == "pytorch3d":
        from gsmooth_core.face.rasterizer import pytorch3d_backend

        return pytorch3d_backend.visible_faces
    return torch_kernels.visible_faces
