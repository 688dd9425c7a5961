"""The light in a mouth, which falls in between lips and teeth, and what it falls on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import Region
from gsmooth_core.types import Float

FRONT = 0.05  # decimetres behind the middle of the lips to which a mouth is as light as they are
_SLIT = 0.06  # decimetres: height through which light falls between teeth that meet
_GRAZING = 0.6  # cosine between the way out of the mouth and the normal of lips that roll in
_MUCOSA = 0.05  # decimetres behind the lips over which their red goes on inside
_CHEEK_ALBEDO = (0.42, 0.19, 0.17)  # of a cheek's inner side
_BESIDE = (0.8, 1.1)  # squared radii of the arch of teeth: from the second on a wall is all cheek


def cheeks(template: Float, regions: NDArray[np.uint8]) -> Float:
    """(V,) 0..1, how far each vertex of a neutral face is the inner side of a cheek.

    A face that turns shows it beyond the far end of its teeth: red, and close behind the lips,
    where palate and throat are dark.

    Args:
        template: (V, 3) the neutral face.
        regions: (V,) ids of `Region`.
    """
    teeth, wall = template[regions == Region.TEETH], regions == Region.INNER_MOUTH
    share = np.zeros(len(template), np.float32)
    if not len(teeth):
        return share
    wide, behind = float(np.abs(teeth[:, 0]).max()), float(teeth[:, 2].min())
    long = float(teeth[:, 2].max()) - behind  # half of an ellipse that opens to the throat
    across, along = template[wall, 0] / wide, (template[wall, 2] - behind) / long
    low, high = _BESIDE
    share[wall] = np.clip((across**2 + along**2 - low) / (high - low), 0, 1) * (along > 0)
    return share


def falls_in(behind: Float, beside: Float, cheek: Float, parted: float) -> Float:
    """(N,) 0..1, how much light falls on places in a mouth.

    Args:
        behind: (N,) decimetres that they lie behind the front of the mouth.
        beside: (N,) decimetres to the lips.
        cheek: (N,) see `cheeks`: beside the opening, how far from it tells more than how deep.
        parted: decimetres by which a jaw parts the rows of teeth.
    """
    deep = behind - cheek * np.maximum(behind - np.maximum(beside - FRONT, 0), 0)
    falls: Float = 1 / (1 + (deep / (_SLIT + parted)) ** 2)
    return falls


def wall_albedo(wall: Float, lips: Float, cheek: Float, behind: Float) -> Float:
    """(N, 3) albedo of a mouth's walls.

    Behind the lips their red goes on, so that no dark line parts them from the teeth.

    Args:
        wall: (N, 3) of walls alone.
        lips: (3,) of the lips.
        cheek: (N,) see `cheeks`.
        behind: (N,) decimetres behind the front of the mouth.
    """
    own = wall + (np.array(_CHEEK_ALBEDO, np.float32) - wall) * cheek[:, None]
    near = np.exp(-behind / _MUCOSA)[:, None]
    albedo: Float = own + (lips - own) * near
    return albedo


def turned_out(normals: Float, outwards: Float) -> Float:
    """(N, 3) normals of lips, none of which looks into the mouth.

    Where lips roll in, a pixel or two of them would be a dashed black line before the teeth.
    """
    away = np.maximum(_GRAZING - normals @ outwards, 0)
    turned = normals + away[:, None] * outwards
    unit: Float = turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-6)
    return unit
