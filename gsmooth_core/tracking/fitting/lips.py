"""The opening of the mouth, made to mean the same in the picture and on the mesh.

On the mesh an inner-lip landmark is the edge that shows when the mouth opens. In the picture the
two edges of closed lips are still marked a little apart, more so for some people. That gap is
removed, so that closed lips in the picture are closed lips on the mesh.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gsmooth_core.face.landmarks import INNER_LOWER_LIP, INNER_UPPER_LIP
from gsmooth_core.face.morphable import MorphableModel, Region
from gsmooth_core.types import Bool, Float, Int

_REACH = 0.02  # decimetres to either side of a landmark, a few columns of vertices


@dataclass(frozen=True)
class ClosedLips:
    """How far apart the landmarks of closed lips are, in percent of the face's size.

    Attributes:
        quantile: share of a speaking clip's frames in which the lips are closed.
        most: the closed gap is the one at that quantile, but at most this.
        open: from this gap at the quantile on, the mouth never closes in the clip.
        usual: the closed gap of a mouth that never closes in the clip.
        taper: a mouth that is open by this many times the closed gap is taken as it is.
    """

    quantile: float = 0.07
    most: float = 1.5
    open: float = 2.5
    usual: float = 0.5
    taper: float = 4.0


def lip_gap(points: Float, pairs: Int, size: Float) -> Float:
    """(T, P) distance of opposite inner-lip points in percent of the face's size.

    Args:
        points: (T, N, 3) pixels.
        pairs: (P, 2) indices of opposite inner-lip points.
        size: (T,) size of the face in pixels.
    """
    return _percent(_across(points, pairs), size)


def remove_closed_gap(
    points: Float, pairs: Int, size: Float, closed: Float, settings: ClosedLips
) -> None:
    """Remove the gap that closed lips still show from the inner-lip landmarks.

    Args:
        points: (T, N, 3) pixels; opposite points are moved towards each other, in place.
        pairs: (P, 2) indices of opposite inner-lip points.
        size: (T,) size of the face in pixels.
        closed: (P,) of `closed_gap`.
        settings: what closed lips look like.
    """
    upper, lower = pairs.T
    across = _across(points, pairs)
    gap = _percent(across, size)
    beyond = np.maximum(gap - closed, 0)
    wanted = beyond + closed * (1 - np.exp(-beyond / (settings.taper * closed)))
    half = across * (0.5 * (1 - wanted / np.maximum(gap, 1e-6)))[..., None]
    points[:, upper, :2] -= half
    points[:, lower, :2] += half


def _across(points: Float, pairs: Int) -> Float:
    upper, lower = pairs.T
    return points[:, upper, :2] - points[:, lower, :2]


def _percent(across: Float, size: Float) -> Float:
    return np.asarray(np.linalg.norm(across, axis=-1) / size[:, None] * 100, np.float32)


def closed_gap(gap: Float, settings: ClosedLips) -> Float:
    """(P,) the gap of closed lips, of the `lip_gap` (K, P) of a clip's frames with a face."""
    low = np.quantile(gap, settings.quantile, axis=0)
    level = np.where(low > settings.open, settings.usual, np.minimum(low, settings.most))
    return np.asarray(np.maximum(level, 0.05), np.float32)


def edge_landmarks(model: MorphableModel, vertices: Float) -> Float:
    """Landmarks of shapes, with those of the inner lips on the lips' very edges.

    Args:
        model: the face model.
        vertices: (K, V, 3) shapes or basis vectors.

    Returns:
        (K, 478, 3).
    """
    points = model.landmarks(vertices)
    lips = np.flatnonzero(model.in_regions(Region.LIPS))
    places = model.landmarks(model.mean)
    upper = _is_upper(model, lips)
    for landmarks, candidates, sign in (
        (INNER_UPPER_LIP, lips[upper], -1),
        (INNER_LOWER_LIP, lips[~upper], 1),
    ):
        for landmark in landmarks:
            pair, share = _edge(model.mean, candidates, float(places[landmark, 0]), sign)
            if len(pair):
                points[:, landmark] = np.einsum("kvx,v->kx", vertices[:, pair], share)
    return np.asarray(points, np.float32)


def _edge(mean: Float, candidates: Int, x: float, sign: int) -> tuple[Int, Float]:
    """Vertices left and right of x where a lip reaches furthest down (-1) or up (1), and shares."""
    near = candidates[np.abs(mean[candidates, 0] - x) < _REACH]
    sides = [near[mean[near, 0] < x], near[mean[near, 0] >= x]]
    pair = np.array([s[np.argmax(sign * mean[s, 1])] for s in sides if len(s)], np.int32)
    if len(pair) < 2:
        return pair, np.ones(len(pair), np.float32)
    left, right = mean[pair, 0]
    share = (x - left) / (right - left)
    return pair, np.array([1 - share, share], np.float32)


def _is_upper(model: MorphableModel, lips: Int) -> Bool:
    """Which lip vertices stay behind when the jaw opens."""
    if "jawOpen" not in model.expression_names:
        return np.ones(len(lips), bool)
    fall = -model.expression_basis[model.expression_names.index("jawOpen"), lips, 1]
    return np.asarray(fall < fall.max() / 2)
