"""The points of a head that are laid upon pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter
from scipy.spatial import cKDTree

from gsmooth_core.face.camera import project
from gsmooth_core.face.morphable import MorphableModel, Region
from gsmooth_core.face.rasterizer import depths
from gsmooth_core.face.shading import vertex_normals
from gsmooth_core.types import Bool, FaceTrack, Float, Int

Real = NDArray[np.float64]

_SHARES = {Region.SKIN: 1.0, Region.HEAD: 1.0, Region.EARS: 0.5, Region.LOWER_FACE: 0.5}
_GRID = 0.045  # decimetres between points
_LIPS = 0.08  # decimetres from the lips, which speech moves
_JAW = 0.15  # decimetres that an open jaw moves what counts half
_HIDDEN = 0.03  # decimetres behind what is seen
_RIM, _SQUARE = 0.1, 0.4  # cosines: least counts at the rim, all from the second on
_RIM_SHARE = 0.45  # of what counts there: none finds turns whole, all lays hair best
_LID = 0.01  # decimetres by which a blink moves what is no place to compare


@dataclass(frozen=True)
class Head:
    """Some vertices of a head.

    Attributes:
        points: (N, 3) in model space, decimetres.
        normals: (N, 3) unit vectors.
        weight: (N,) how far each counts.
        kept: (N,) which of the vertices they are.
        shape: (V, 3) all vertices.
        faces: (F, 3) the triangles between these.
    """

    points: Real
    normals: Real
    weight: Real
    kept: Int
    shape: Float
    faces: Int

    def bare(self, turn: Real, place: Real, camera: Real, way: Real, side: int) -> Bool:
        """(N,) which points no other part of the head hides, as an ear behind a cheek.

        Args:
            turn: (3, 3) rotation.
            place: (3,) translation.
            camera: (3,) focal length and principal point of the frame, pixels.
            way: (2, 3) pixels of the frame -> pixels of a picture.
            side: of that picture, pixels.
        """
        posed = self.shape.astype(np.float64) @ turn.T + place
        seen = project(posed, camera[0], *(2 * camera[1:]).round().astype(int))
        seen[:, :2] = seen[:, :2] @ way[:, :2].T + way[:, 2]
        nearest = maximum_filter(depths(seen.astype(np.float32), self.faces, side, side), 3)
        own = seen[self.kept]
        column, row = np.clip(own[:, :2].astype(int), 0, side - 1).T
        return np.asarray(own[:, 2] < nearest[row, column] + _HIDDEN)

    def facing(self, turn: Real, place: Real) -> Real:
        """(N,) up to 1, how far points count of a head that is turned (3, 3) and placed (3,).

        All that face the camera squarely do. A head's rim stays where it is while the points there
        turn away and others come: what looks like them does not move with the head, and would have
        it turn less than it does. But hair is best where its outline is.
        """
        posed = self.points @ turn.T + place
        away = ((self.normals @ turn.T) * posed).sum(1) / np.linalg.norm(posed, axis=1)
        squarely = np.clip((-away - _RIM) / (_SQUARE - _RIM), 0, 1)
        return np.asarray(_RIM_SHARE + (1 - _RIM_SHARE) * squarely)

    def trusted(self, share: Real) -> Head:
        """The same of which each point counts (N,) times as much."""
        return replace(self, weight=self.weight * share)


def head_points(model: MorphableModel, track: FaceTrack) -> Head:
    """Points all over a head but lips and lids, of the expression that the person usually has.

    A tracked expression makes up for what the pose is off, so that of each frame is not used.
    """
    usual = np.median(track.expression[track.usable], axis=0).astype(np.float32)
    shape, weight = model.shape(track.identity, usual), _weights(model)
    kept = _spread(model, np.flatnonzero(weight > 0))
    normals = vertex_normals(shape, model.faces)[kept]
    points, faces = shape[kept].astype(np.float64), model.faces.astype(np.int32)
    return Head(points, normals.astype(np.float64), weight[kept], kept, shape, faces)


def _weights(model: MorphableModel) -> Real:
    weight = np.zeros(len(model.mean))
    for region, share in _SHARES.items():
        weight[model.in_regions(region)] = share
    lips = model.mean[model.in_regions(Region.LIPS)]
    if len(lips):
        weight[cKDTree(lips).query(model.mean)[0] < _LIPS] = 0
    weight[_movement(model, "eyeBlink") > _LID] = 0
    return np.asarray(weight / (1 + (_movement(model, "jawOpen") / _JAW) ** 2))


def _movement(model: MorphableModel, name: str) -> Real:
    """(V,) decimetres by which shapes whose names begin so move each vertex."""
    named = [n for n, own in enumerate(model.expression_names) if own.startswith(name)]
    lengths = np.linalg.norm(model.expression_basis[named], axis=-1)
    return np.asarray(lengths.max(0, initial=0.0), np.float64)


def _spread(model: MorphableModel, vertices: Int) -> Int:
    """One vertex in each cell of a grid: they are dense around the mouth."""
    cells = np.round(model.mean[vertices] / _GRID).astype(int)
    return np.asarray(vertices[np.sort(np.unique(cells, axis=0, return_index=True)[1])], np.int32)
