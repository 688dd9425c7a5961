"""UVs of the default face model: MakeHuman's islands of the head, laid out anew.

In MakeHuman's atlas the whole body shares one texture and lips are a few pixels wide. Here the
head fills it, the mouth is magnified, and the small islands stand in a strip below.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from gsmooth_core.face.morphable import Region

Array = NDArray[np.float64]

STRIP = 0.2  # height of the strip of small islands
GAP = 0.006
LENS_CENTRE = np.array([0.896, 0.4832])  # between nose and mouth in MakeHuman's atlas
LENS = 0.15  # the smaller, the more the mouth is magnified
DENSITY = {Region.TEETH: 2.0, Region.EYES: 1.5, Region.NECK: 0.5, Region.SKIN: 0.5}


def islands_of(uv_faces: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    """(U,) number of the connected island of each UV vertex."""
    a, b = uv_faces[:, [0, 1]].ravel(), uv_faces[:, [1, 2]].ravel()
    graph = sparse.coo_matrix((np.ones(len(a)), (a, b)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1])


def lens(uvs: Array) -> Array:
    """Turn the face upright and magnify the neighbourhood of the mouth; one-to-one."""
    offset = (uvs - LENS_CENTRE)[:, ::-1] * np.array([1.0, -1.0])
    radius = np.linalg.norm(offset, axis=1, keepdims=True)
    return np.asarray(offset / (radius + LENS))


def _fit(points: Array, low: Array, high: Array, keep_aspect: bool) -> Array:
    """Scale and move points into the box from `low` to `high`."""
    size = np.maximum(np.ptp(points, axis=0), 1e-9)
    scale = (high - low) / size
    scale = scale.min() if keep_aspect else scale
    return np.asarray((points - points.min(0)) * scale + low)


def unfold(
    uvs: Array,
    uv_faces: NDArray[np.int32],
    faces: NDArray[np.int32],
    vertices: Array,
    regions: NDArray[np.uint8],
) -> Array:
    """Lay the islands out over the unit square.

    Args:
        uvs: (U, 2) in MakeHuman's atlas.
        uv_faces: (F, 3).
        faces: (F, 3).
        vertices: (V, 3).
        regions: (V,).

    Returns:
        (U, 2), v up.
    """
    island = islands_of(uv_faces, len(uvs))
    edges = vertices[faces[:, 1:]] - vertices[faces[:, :1]]  # (F, 2, 3)
    areas = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1) / 2
    of_face = island[uv_faces[:, 0]]
    total = np.bincount(of_face, areas)
    order = np.argsort(total)[::-1]
    head, small = order[0], order[1:]
    result = np.empty_like(uvs)
    box = np.array([GAP, STRIP + GAP]), np.array([1 - GAP, 1 - GAP])
    result[island == head] = _fit(lens(uvs[island == head]), *box, keep_aspect=False)
    kinds = [np.bincount(regions[faces[of_face == i]].ravel()).argmax() for i in small]
    widths = np.sqrt(total[small]) * [DENSITY.get(Region(int(kind)), 1.0) for kind in kinds]
    starts = np.concatenate([[0.0], np.cumsum(widths) / widths.sum()])
    for number, left, right in zip(small, starts[:-1], starts[1:], strict=True):
        low, high = np.array([left + GAP, GAP]), np.array([right - GAP, STRIP - GAP])
        result[island == number] = _fit(uvs[island == number], low, high, keep_aspect=True)
    return result
