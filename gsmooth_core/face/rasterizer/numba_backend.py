"""The numba back end: arrays in, `Raster` out."""

from __future__ import annotations

import numpy as np

from gsmooth_core.face.rasterizer import numba_kernels
from gsmooth_core.face.rasterizer.raster import Raster
from gsmooth_core.types import Float, Int


def rasterize(
    projected: Float, faces: Int, attributes: Float, height: int, width: int, cull: bool
) -> Raster:
    """See `gsmooth_core.face.rasterizer.rasterize`."""
    projected, faces = _laid_out(projected, faces)
    attributes = np.ascontiguousarray(attributes, np.float32)
    face_index = numba_kernels.visible_faces(projected, faces, height, width, cull)
    barycentric, image, depth = numba_kernels.interpolate(projected, faces, attributes, face_index)
    return Raster(face_index, barycentric, image, depth, face_index >= 0)


def visible_faces(projected: Float, faces: Int, height: int, width: int, cull: bool = False) -> Int:
    """(H, W) index of the nearest face, -1 where there is none."""
    seen: Int = numba_kernels.visible_faces(*_laid_out(projected, faces), height, width, cull)
    return seen


def depths(projected: Float, faces: Int, height: int, width: int) -> Float:
    """(H, W) depth of the surface, inf where there is none."""
    found: Float = numba_kernels.depths(*_laid_out(projected, faces), height, width, False)
    return found


def _laid_out(projected: Float, faces: Int) -> tuple[Float, Int]:
    """One memory layout and type, so that each kernel is compiled once."""
    return np.require(projected, np.float32, ["C", "A", "W"]), np.require(
        faces, np.int32, ["C", "A", "W"]
    )
