"""The points of a head that are laid upon pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gsmooth_core.face.morphable import MorphableModel, Region
from gsmooth_core.face.shading import vertex_normals
from gsmooth_core.types import FaceTrack, Int

Real = NDArray[np.float64]

_SHARES = {Region.SKIN: 1.0, Region.HEAD: 1.0, Region.EARS: 1.0, Region.LOWER_FACE: 0.5}
_GRID = 0.045  # decimetres between points
_LIPS = 0.08  # decimetres from the lips, which speech moves
_JAW = 0.15  # decimetres that an open jaw moves what counts half
_LID = 0.01  # decimetres by which a blink moves what is no place to compare


@dataclass(frozen=True)
class Head:
    """Points (N, 3) of a head in model space, their normals (N, 3), and weights (N,)."""

    points: Real
    normals: Real
    weight: Real


def head_points(model: MorphableModel, track: FaceTrack) -> Head:
    """Points all over a head but lips and lids, of the expression that the person usually has.

    A tracked expression makes up for what the pose is off, so that of each frame is not used.
    """
    usual = np.median(track.expression[track.usable], axis=0).astype(np.float32)
    shape, weight = model.shape(track.identity, usual), _weights(model)
    kept = _spread(model, np.flatnonzero(weight > 0))
    normals = vertex_normals(shape, model.faces)[kept]
    return Head(shape[kept].astype(np.float64), normals.astype(np.float64), weight[kept])


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
