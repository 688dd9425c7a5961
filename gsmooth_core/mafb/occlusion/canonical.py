"""A canonical map of the face, on which every frame's skin lies in the same place.

The neutral face, seen from the front, is divided into a grid of texels. A texel is a point of the
mesh: wherever the head and the mouth carry it, its colour is the colour of the same bit of skin.
Whatever passes in front of the face does not stay in one texel, which is how it gives itself away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.camera import project, rotation_matrix
from gsmooth_core.face.morphable import Region
from gsmooth_core.face.rasterizer import rasterize
from gsmooth_core.face.render import NOTHING, FaceSurface
from gsmooth_core.face.shading import vertex_normals
from gsmooth_core.mafb.crop import front_view, window
from gsmooth_core.types import Bool, FaceTrack, Float, Image

TEXELS = 64
"""Rows and columns of the map; a texel is 2.8 mm wide."""

SAMPLED = 128
"""Side in pixels of the crops in which colours are looked up."""

_BLUR = 1.2  # pixels of those crops: as far as a track may be off
_FACING = 0.35  # cosine; skin that is more slanted cannot be told from what lies beside it
_REPLACED = 0.3  # share of the largest movement; leaves out the outline, where hair swings
_FAR = 10.0  # decimetres from the face to an imagined camera; only the order of depths matters


@dataclass(frozen=True)
class CanonicalMap:
    """The map of one person's face; C texels of it show skin or lips.

    Attributes:
        places: rows and columns (C,) of the texels in the grid.
        regions: (C,) ids of `Region`.
        replaced: (C,) whether dubbing replaces the texel in every pose; only an occluder that
            covers such texels matters.
        points: (C, 3) the texels' points on the neutral face, decimetres.
        basis: (E, C, 3) how each expression component moves them.
        normals: (C, 3) of the neutral face.
        at_vertices: (V, 2) column and row (x, y) of each of the surface's vertices in the grid.
    """

    places: tuple[NDArray[np.intp], NDArray[np.intp]]
    regions: NDArray[np.uint8]
    replaced: Bool
    points: Float
    basis: Float
    normals: Float
    at_vertices: Float

    @property
    def skin(self) -> Bool:
        """(C,) texels that look the same whatever is being said."""
        skin: Bool = self.regions != Region.LIPS
        return skin

    def image(self, values: NDArray[Any]) -> NDArray[Any]:
        """(C, ...) values of the texels as an image (TEXELS, TEXELS, ...), 0 elsewhere."""
        out = np.zeros((TEXELS, TEXELS, *values.shape[1:]), values.dtype)
        out[self.places] = values
        return out


def canonical_map(surface: FaceSurface) -> CanonicalMap:
    """The canonical map of a person's face."""
    flat = front_view(surface.template, TEXELS)
    projected = np.column_stack([flat, _FAR - surface.template[:, 2]]).astype(np.float32)
    drawn = rasterize(projected, surface.faces, projected[:, :0], TEXELS, TEXELS)
    region = np.where(drawn.mask, surface.face_regions[drawn.face_index], NOTHING)
    known = np.isin(region, (Region.SKIN, Region.LOWER_FACE, Region.LIPS))
    corners, weights = surface.faces[drawn.face_index[known]], drawn.barycentric[known]

    def between(values: Float) -> Float:
        """(..., V, N) values at vertices -> (..., C, N) values at texels."""
        mixed = np.einsum("...ckx,ck->...cx", values[..., corners, :], weights)
        return np.ascontiguousarray(mixed, np.float32)  # else a copy is made for every frame

    reach = np.minimum(surface.reach, 1)[:, None].astype(np.float32)  # reach is infinite on lips
    rows, columns = np.nonzero(known)
    return CanonicalMap(
        places=(rows, columns),
        regions=region[known].astype(np.uint8),
        replaced=between(reach)[:, 0] > _REPLACED,
        points=between(surface.template),
        basis=between(surface.basis),
        normals=between(vertex_normals(surface.template, surface.faces)),
        at_vertices=flat,
    )


def sample(
    canonical: CanonicalMap,
    track: FaceTrack,
    frame: int,
    picture: Image,
    transform: Float,
) -> tuple[Image, Bool]:
    """Look up the colours of the map's texels in one frame.

    Args:
        canonical: the map, C texels.
        track: the track of the clip.
        frame: frame number in it.
        picture: (H, W, 3) RGB pixels of that frame.
        transform: (2, 3) frame -> pixels of a crop whose side is `SAMPLED`.

    Returns:
        (C, 3) RGB, and (C,) whether the texel faces the camera and lies within the frame.
    """
    camera, turn = _posed(canonical, track, frame)
    seen = project(camera, track.focal, track.width, track.height)[:, :2]
    towards = -camera / np.linalg.norm(camera, axis=1, keepdims=True)
    facing = ((canonical.normals @ turn.T) * towards).sum(1) > _FACING
    area = track.area_of(frame)
    inside = ((seen > area[:2]) & (seen < area[2:])).all(1)
    under = window(transform, SAMPLED, area)
    if min(under.shape) == 0:
        return np.zeros((len(seen), 3), np.uint8), np.zeros(len(seen), bool)
    crop = cv2.GaussianBlur(under.cut(under.part(picture), cv2.INTER_LINEAR), (0, 0), _BLUR)
    places = _in_crop(seen, transform)
    colours = cv2.remap(crop, places[None], None, cv2.INTER_LINEAR)
    return np.asarray(colours[0], np.uint8), facing & inside


def texels_in_crop(
    canonical: CanonicalMap, track: FaceTrack, frame: int, transform: Float
) -> Float:
    """(C, 2) pixels, from the centre of the first, in which a crop shows the map's texels."""
    camera, _ = _posed(canonical, track, frame)
    seen = project(camera, track.focal, track.width, track.height)[:, :2]
    return _in_crop(seen, transform)


def _in_crop(seen: Float, transform: Float) -> Float:
    return np.asarray(seen @ transform[:, :2].T + transform[:, 2] - 0.5, np.float32)


def _posed(canonical: CanonicalMap, track: FaceTrack, frame: int) -> tuple[Float, Float]:
    """(C, 3) the texels before the camera, decimetres, and (3, 3) the turn of the head."""
    shape = canonical.points + np.tensordot(track.expression[frame], canonical.basis, 1)
    turn = rotation_matrix(track.rotation[frame])
    return shape @ turn.T + track.translation[frame], turn
