"""Mesh -> image, depth, mask: one interface over several back ends.

Importing this package is quick: a back end (and numba or torch with it) is imported when it is
first used.
"""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from typing import TYPE_CHECKING

from gsmooth_core.errors import InputError
from gsmooth_core.face.rasterizer.raster import Raster, check_shapes
from gsmooth_core.types import Bool, Float, Int

if TYPE_CHECKING:
    import torch

    from gsmooth_core.face.rasterizer.differentiable import TorchRaster

__all__ = [
    "Raster",
    "available_backends",
    "best_backend",
    "chosen_backend",
    "depths",
    "rasterize",
    "rasterize_torch",
    "silhouette",
]

BACKENDS = ("numba", "torch", "pytorch3d")

CHOICE = "GSMOOTH_RASTERIZER"
"""Variable of the environment that names the back end which draws the face of a job."""


@cache
def available_backends() -> tuple[str, ...]:
    """Names of the back ends whose libraries are installed here."""
    return tuple(name for name in BACKENDS if importlib.util.find_spec(name) is not None)


def best_backend(device: str = "cpu") -> str:
    """The fastest back end for a device name such as "cpu" or "cuda:0"."""
    return "torch" if device.startswith("cuda") else "numba"


def chosen_backend() -> str:
    """What `rasterize` draws with: what `CHOICE` names, else the fastest on the CPU.

    Raises:
        InputError: what it names is unknown or not installed.
    """
    chosen = os.environ.get(CHOICE)
    if chosen and chosen not in available_backends():
        raise InputError(
            f'{CHOICE} names the rasteriser "{chosen}", which is not installed here.',
            f"Set it to one of: {', '.join(available_backends())}; or do not set it.",
        )
    return chosen or best_backend()


def rasterize(
    projected: Float,
    faces: Int,
    attributes: Float,
    height: int,
    width: int,
    backend: str | None = None,
    *,
    cull: bool = False,
) -> Raster:
    """Draw a mesh with a depth buffer and perspective-correct interpolation.

    A pixel shows a face when its centre is inside the face or on its edge, so faces that share an
    edge leave no gap; of faces at one depth the lowest index wins. Faces without area, with a
    corner at depth <= 0 (behind the camera) or with a non-finite corner are skipped.

    Args:
        projected: (V, 3) u and v in pixels and depth, as from `camera.project`.
        faces: (F, 3) vertex indices.
        attributes: (V, C) values to interpolate.
        height: of the image in pixels.
        width: of the image in pixels.
        backend: one of `available_backends()`; None for `chosen_backend()`.
        cull: leave out faces that turn their back to the camera (clockwise seen from it).

    Returns:
        A `Raster` of numpy arrays.

    Raises:
        InputError: the back end is unknown or not installed.
        ValueError: the arrays do not fit together.
    """
    check_shapes(projected, faces, attributes)
    backend = _checked(backend) if backend else chosen_backend()
    if backend == "numba":
        from gsmooth_core.face.rasterizer import numba_backend

        return numba_backend.rasterize(projected, faces, attributes, height, width, cull)
    from gsmooth_core.face.rasterizer import differentiable

    return differentiable.rasterize_arrays(
        projected, faces, attributes, height, width, backend, cull
    )


def silhouette(projected: Float, faces: Int, height: int, width: int) -> Bool:
    """(H, W) what a mesh covers, as `rasterize` would say, on the CPU."""
    from gsmooth_core.face.rasterizer import numba_backend

    return numba_backend.visible_faces(projected, faces, height, width) >= 0


def depths(projected: Float, faces: Int, height: int, width: int) -> Float:
    """(H, W) depth of a mesh, inf where it covers nothing, as `rasterize` would say, on the CPU."""
    from gsmooth_core.face.rasterizer import numba_backend

    return numba_backend.depths(projected, faces, height, width)


def rasterize_torch(
    projected: torch.Tensor,
    faces: torch.Tensor,
    attributes: torch.Tensor,
    height: int,
    width: int,
    backend: str | None = None,
    *,
    cull: bool = False,
) -> TorchRaster:
    """As `rasterize`, on tensors, differentiable to `projected` and `attributes`.

    Gradients are those of the interpolation inside the visible faces; which face is visible is
    taken as given (no gradient of the silhouette).

    Args:
        projected: (V, 3) float tensor.
        faces: (F, 3) integer tensor.
        attributes: (V, C) float tensor.
        height: of the image in pixels.
        width: of the image in pixels.
        backend: one of `available_backends()`; None for the best on the tensors' device.
        cull: leave out faces that turn their back to the camera.

    Returns:
        A `TorchRaster` on the device of `projected`.

    Raises:
        InputError: the back end is unknown or not installed.
        ValueError: the tensors do not fit together.
    """
    from gsmooth_core.face.rasterizer import differentiable

    check_shapes(projected, faces, attributes)
    backend = _checked(backend or best_backend(str(projected.device)))
    return differentiable.rasterize(projected, faces, attributes, height, width, backend, cull)


def _checked(backend: str) -> str:
    if backend not in available_backends():
        raise InputError(
            f'The rasteriser "{backend}" is not installed here.',
            f"Choose one of: {', '.join(available_backends())}.",
        )
    return backend
