"""A map of the face on which every frame's skin lies in the same place.

The neutral face, seen from the front, is cut into a grid of cells. Each cell is a point of the
mesh; wherever head and mouth move it, its colour in a frame is the colour of the same skin. What
is not on that skin, but before it, does not stay in its cell.
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

CELLS = 64
"""Rows and columns of the map; a cell is 2.8 mm wide."""

SAMPLED = 128
"""Side in pixels of the crops in which colours are looked up."""

_BLUR = 1.2  # pixels of those crops: a track is that exact
_FACING = 0.35  # cosine from which on skin is too slanted to be told from what is beside it
_REPLACED = 0.3  # share of the largest movement; the outline, where hair swings, moves less
_FAR = 10.0  # decimetres: a camera before the face, for the order of depths alone


@dataclass(frozen=True)
class Chart:
    """The map of one person's face; C cells of it are skin or lips.

    Attributes:
        places: rows and columns (C,) of the cells in the grid.
        regions: (C,) ids of `Region`.
        replaced: (C,) what dubbing replaces in every pose: the cells that an occluder must hide.
        points: (C, 3) the cells' points on the neutral face.
        basis: (E, C, 3) how expressions move them.
        normals: (C, 3) of the neutral face.
        at_vertices: (V, 2) columns and rows (x, y) of the surface's vertices in the grid.
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
        """(C,) cells that look alike whatever is said."""
        skin: Bool = self.regions != Region.LIPS
        return skin

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """(C, ...) values of the cells as a picture (CELLS, CELLS, ...), 0 where there is none."""
        out = np.zeros((CELLS, CELLS, *values.shape[1:]), values.dtype)
        out[self.places] = values
        return out


def chart_of(surface: FaceSurface) -> Chart:
    """The map of a person's face."""
    flat = front_view(surface.template, CELLS)
    seen = np.column_stack([flat, _FAR - surface.template[:, 2]]).astype(np.float32)
    drawn = rasterize(seen, surface.faces, seen[:, :0], CELLS, CELLS)
    region = np.where(drawn.mask, surface.face_regions[drawn.face_index], NOTHING)
    known = np.isin(region, (Region.SKIN, Region.LOWER_FACE, Region.LIPS))
    corners, weights = surface.faces[drawn.face_index[known]], drawn.barycentric[known]

    def between(values: Float) -> Float:
        """(..., V, N) values of vertices at the cells: (..., C, N)."""
        mixed = np.einsum("...ckx,ck->...cx", values[..., corners, :], weights)
        return np.asarray(mixed, np.float32)

    reach = np.minimum(surface.reach, 1)[:, None].astype(np.float32)  # lips have no end
    rows, columns = np.nonzero(known)
    return Chart(
        places=(rows, columns),
        regions=region[known].astype(np.uint8),
        replaced=between(reach)[:, 0] > _REPLACED,
        points=between(surface.template),
        basis=between(surface.basis),
        normals=between(vertex_normals(surface.template, surface.faces)),
        at_vertices=flat,
    )


def sample(
    chart: Chart, track: FaceTrack, frame: int, picture: Image, transform: Float
) -> tuple[Image, Bool]:
    """Colours of the map's cells in one frame.

    Args:
        chart: the map.
        track: the clip's face.
        frame: frame number.
        picture: (H, W, 3) its pixels.
        transform: (2, 3) frame -> pixels of a crop of `SAMPLED` pixels.

    Returns:
        (C, 3) RGB, and (C,) whether the cell faces the camera and lies in the frame.
    """
    shape = chart.points + np.tensordot(track.expression[frame], chart.basis, 1)
    turn = rotation_matrix(track.rotation[frame])
    camera = shape @ turn.T + track.translation[frame]
    seen = project(camera, track.focal, track.width, track.height)[:, :2]
    towards = -camera / np.linalg.norm(camera, axis=1, keepdims=True)
    facing = ((chart.normals @ turn.T) * towards).sum(1) > _FACING
    inside = ((seen > 0) & (seen < (track.width, track.height))).all(1)
    under = window(transform, SAMPLED, *picture.shape[:2])
    if min(under.shape) == 0:
        return np.zeros((len(seen), 3), np.uint8), np.zeros(len(seen), bool)
    crop = cv2.GaussianBlur(under.cut(under.part(picture), cv2.INTER_LINEAR), (0, 0), _BLUR)
    places = seen @ transform[:, :2].T + transform[:, 2] - 0.5
    colours = cv2.remap(crop, places[None].astype(np.float32), None, cv2.INTER_LINEAR)
    return np.asarray(colours[0], np.uint8), facing & inside
