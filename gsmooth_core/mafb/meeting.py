"""The new face meets the frame's own where the mask ends.

A jaw that opens less than the frame's moves its outline up to the ears, but the mask ends before
them: without this the outline leaps there, by 2 pixels of a crop of 256 on average and by up to 10
where one mouth is wide open and the other shut. So what the new expression moves fades to what the
frame's own expression moves, towards what is left of the frame's face. Lips and mouth are the new
expression's alone, however near the mask ends to them.
"""

from __future__ import annotations

import cv2
import numpy as np

from gsmooth_core.face.render import FaceSurface, Posed, dubbed_faces
from gsmooth_core.mafb.blend import MaskSettings, face_mask
from gsmooth_core.mafb.crop import CROP_SIDE
from gsmooth_core.types import Bool, Float

_GRID = 64  # cells along the crop's side; vertices lie at most one apart
_FADE = 0.25  # decimetres from the mask's end over which the new expression takes over


def meeting(
    surface: FaceSurface, old: Posed, new: Float, size: int, settings: MaskSettings
) -> Float:
    """The new face as it is to be drawn.

    Args:
        surface: the person's face surface.
        old: the surface with the frame's own expression, in the frame's crop.
        new: (V, 3) its vertices in camera space with the new expression.
        size: side of the crop in pixels.
        settings: morphology of the mask.

    Returns:
        (V, 3) `new` at lips and mouth and well inside the mask, `old` beyond it.
    """
    share = new_share(surface, old, size, settings)[:, None]
    met: Float = old.camera + share * (new - old.camera)
    return met


def new_share(surface: FaceSurface, old: Posed, size: int, settings: MaskSettings) -> Float:
    """(V,) share of the new expression: 0 beyond the mask, 1 on lips and well inside it."""
    changing = np.zeros(len(old.seen), bool)
    changing[surface.faces[dubbed_faces(surface, old)]] = True
    outside = changing & ~surface.inside_mouth  # whose walls reach up behind the nose
    kept = _cells(old, size, ~changing) & ~face_mask(_cells(old, size, outside), settings)
    if not kept.any():
        return np.ones(len(old.seen), np.float32)
    inside: Float = cv2.distanceTransform((~kept).astype(np.uint8), cv2.DIST_L2, 5)
    at = old.seen[None, :, :2] * np.float32(_GRID / size) - np.float32(0.5)
    inside = cv2.remap(inside, at, None, cv2.INTER_LINEAR)[0] - 1  # a cell may be kept in part
    inside = inside.clip(0) * np.float32(CROP_SIDE / _GRID)
    share = inside / np.minimum(_FADE, inside + surface.beside_lips).clip(1e-6)
    return np.where(np.isinf(surface.reach), 1, share.clip(0, 1)).astype(np.float32)


def _cells(posed: Posed, size: int, chosen: Bool) -> Bool:
    """(_GRID, _GRID) cells of the crop in which chosen vertices lie."""
    cells = np.zeros((_GRID, _GRID), bool)
    x, y = (posed.seen[chosen, :2].T * (_GRID / size)).astype(int).clip(0, _GRID - 1)
    cells[y, x] = True
    return cells
