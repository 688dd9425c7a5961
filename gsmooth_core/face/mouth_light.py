"""How a face mesh is lit: skin by its normals, a mouth by what falls in between lips and teeth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import Region
from gsmooth_core.face.shading import shade
from gsmooth_core.types import Bool, Float

if TYPE_CHECKING:
    from gsmooth_core.face.render import FaceSurface, Posed

_FRONT = 0.05  # decimetres behind the middle of the lips to which a mouth is as light as they are
_SLIT = 0.06  # decimetres: height through which light falls between teeth that meet
_GRAZING = 0.6  # cosine between the way out of the mouth and the normal of lips that roll in
_EVERYWHERE = 0.6  # share of the light in a mouth that comes from its walls, from all sides
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


def lit_colours(surface: FaceSurface, posed: Posed, light: Float) -> Float:
    """(V, 3) lit colours; in a mouth the light is that which falls in between the teeth.

    Args:
        surface: a person's face.
        posed: its vertices in a frame.
        light: (9, 3) spherical-harmonics light.
    """
    lips, inside = surface.regions == Region.LIPS, surface.inside_mouth
    albedo, normals = surface.albedo, posed.normals
    if lips.any() and inside.any():
        behind = np.maximum(posed.seen[inside, 2] - posed.seen[lips, 2].mean() - _FRONT, 0)
        outwards = -posed.camera[lips].mean(0)
        outwards /= np.linalg.norm(outwards)
        # A cheek lies beside the opening: how far from it tells more than how deep.
        cheek = surface.cheek[inside]
        beside = np.maximum(surface.beside_lips[inside] - _FRONT, 0)
        deep = behind - cheek * np.maximum(behind - beside, 0)
        falls = 1 / (1 + (deep / (_SLIT + _parted(surface, posed))) ** 2)
        facing = np.clip(normals[inside] @ outwards, 0, 1)
        falls *= _EVERYWHERE + (1 - _EVERYWHERE) * facing
        albedo, normals = albedo.copy(), normals.copy()
        albedo[inside] = _inside_albedo(surface, inside, behind) * falls[:, None]
        normals[inside] = outwards
        normals[lips] = _turned_out(normals[lips], outwards)
    clipped: Float = np.clip(shade(albedo, normals, light), 0, 1).astype(np.float32)
    return clipped


def _turned_out(normals: Float, outwards: Float) -> Float:
    """(N, 3) normals of lips, none of which looks into the mouth.

    Where lips roll in, a pixel or two of them would be a dashed black line before the teeth.
    """
    away = np.maximum(_GRAZING - normals @ outwards, 0)
    turned = normals + away[:, None] * outwards
    unit: Float = turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-6)
    return unit


def _parted(surface: FaceSurface, posed: Posed) -> float:
    """Decimetres by which a jaw parts the rows of teeth."""
    teeth = surface.regions == Region.TEETH
    if not teeth.any():
        return 0.0
    height = np.ptp(posed.camera[teeth] @ posed.up) - np.ptp(surface.template[teeth, 1])
    return max(float(height), 0.0)


def _inside_albedo(surface: FaceSurface, inside: Bool, behind: Float) -> Float:
    """(N, 3) albedo of the N vertices `inside` a mouth, so far `behind` its lips (N,).

    Behind the lips their red goes on, so that no dark line parts them from the teeth.
    """
    albedo, wall = surface.albedo[inside], surface.regions[inside] == Region.INNER_MOUTH
    cheek = surface.cheek[inside][wall, None]
    albedo[wall] += (np.array(_CHEEK_ALBEDO, np.float32) - albedo[wall]) * cheek
    lips = surface.albedo[surface.regions == Region.LIPS][0]
    near = np.exp(-behind[wall] / _MUCOSA)[:, None]
    albedo[wall] += (lips - albedo[wall]) * near
    return albedo
