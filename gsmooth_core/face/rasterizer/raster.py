"""What a rasteriser returns, and the checks of what it is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gsmooth_core.types import Bool, Float, Int


@dataclass(frozen=True)
class Raster:
    """A mesh seen through the pixel grid; H x W pixels, C attributes.

    Attributes:
        face_index: (H, W) int32 face that is nearest at the pixel's centre, -1 where there is none.
        barycentric: (H, W, 3) perspective-correct weights of that face's corners, 0 outside.
        image: (H, W, C) attributes, 0 outside.
        depth: (H, W) depth of the surface, inf outside.
        mask: (H, W) bool, where a face covers the pixel.
    """

    face_index: Int
    barycentric: Float
    image: Float
    depth: Float
    mask: Bool


def check_shapes(projected: Any, faces: Any, attributes: Any) -> None:
    """Refuse arrays or tensors that do not fit together.

    Raises:
        ValueError: naming the shape that is wrong.
    """
    if projected.ndim != 2 or projected.shape[1] != 3:
        raise ValueError(f"projected must be (V, 3), not {tuple(projected.shape)}")
    if faces.ndim != 2 or faces.shape[1] != 3:
        raise ValueError(f"faces must be (F, 3), not {tuple(faces.shape)}")
    if attributes.ndim != 2 or attributes.shape[0] != projected.shape[0]:
        raise ValueError(
            f"attributes must be ({projected.shape[0]}, C), not {tuple(attributes.shape)}"
        )
    if faces.shape[0] and (int(faces.min()) < 0 or int(faces.max()) >= projected.shape[0]):
        raise ValueError(f"faces name vertices outside 0..{projected.shape[0] - 1}")
