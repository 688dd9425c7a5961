"""Which of the steady edges of a shot belong to letters, boxes and logos that were burned in.

Two signs are looked for. An edge that stays where it is while the skin under it moves across it is
no edge of the face. And letters come or go within a frame, many edges at once, while all is calm
before and after. Either counts only where many such edges lie close together and run in several
directions, as those of letters do; the outline of a chin and the line of a mouth run in one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from scipy.spatial import cKDTree

from gsmooth_core.face.rasterizer.numba_kernels import compiled
from gsmooth_core.mafb.blend import dilate
from gsmooth_core.mafb.occlusion.letters import filled
from gsmooth_core.mafb.occlusion.mistaken import has_moved, largest_channel, light_changes
from gsmooth_core.mafb.occlusion.steady import SteadyEdges, gradients
from gsmooth_core.types import Bool, Float, Image, Int

_ON_FACE = 4.0  # pixels from a vertex of the mesh
LASTING = 4  # frames that an edge must be there to count as a sign
_INSIDE = 0.5  # share of its frames in which an edge that stays lies within the face
_NEAR = 4  # pixels around sure edges within which other ones belong to them
_FADE = 15  # frames over which letters fade in or out
_FAINT = 0.15  # share of their contrast at which they are still to be seen
_STEP = 0.02  # share of it by which they fade in a frame at least
_POOL = 13  # pixels over which the contrast of letters is measured


Outlined = dict[tuple[int, bytes], Bool]
"""(H, W) what some lines outline in a frame, by its number and their bits."""


@dataclass(frozen=True)
class GraphicSettings:
    """What counts as a caption. The fields' names are part of a job's fingerprints: keep them.

    Attributes:
        moved: pixels that the skin moves across an edge that stays where it is.
        jump: levels by which a pixel changes in the frame in which letters come or go.
        calm: levels by which it changes in the frames before and after at most.
        region: side in pixels of the square in which signs are counted.
        fewest: signs in such a square.
        crossing: share of them that runs across the others at least.
        rivals: how many there must be for each that goes as they come, or comes as they go.
        contrast: mean gradient in levels a pixel of those signs at least.
    """

    moved: float = 3.0
    jump: float = 40.0
    calm: float = 14.0
    region: int = 17
    fewest: int = 45
    crossing: float = 0.15
    rivals: float = 0.4
    contrast: float = 22.0


@dataclass(frozen=True)
class Signs:
    """What tells of S steady edges whether they are letters.

    Attributes:
        sure: (S,) edges that are surely none of the face.
        came: (S,) edges that came within a frame.
        went: (S,) edges that went within one.
    """

    sure: Bool
    came: Bool
    went: Bool


def sure_edges(
    edges: SteadyEdges,
    pictures: Sequence[Image],
    skin: Float,
    settings: GraphicSettings,
    opens: Sequence[Bool] | None = None,
) -> Signs:
    """Find edges that are surely no edges of the face.

    Args:
        edges: of `steady_edges`.
        pictures: T times (H, W, 3) RGB.
        skin: (T, V, 2) pixels in which points of the face are seen in each frame.
        settings: what counts as a caption.
        opens: T times (H, W) where lids and lips let edges come and go within a frame.
    """
    lasting = edges.last - edges.first >= LASTING - 1
    shape = pictures[0].shape[:2]
    moved = _travel(edges, skin, lasting & _within(edges, skin, shape)) > settings.moved
    came, went = _jumps(edges, pictures, settings)
    sure = np.zeros(len(edges), bool)
    first, last = edges.first, edges.last
    stay, comes, goes = (np.flatnonzero(signs) for signs in (moved, came, went))
    none = stay[:0]
    for frame in range(len(pictures)):
        steady = stay[(first[stay] <= frame) & (last[stay] >= frame)]
        here, away = comes[first[comes] == frame], goes[last[goes] == frame]
        gone, coming = goes[last[goes] == frame - 1], comes[first[comes] == frame + 1]
        for which, others, beside in (
            (steady, none, None),
            (here[lasting[here]], gone, frame - 1),
            (away[lasting[away]], coming, frame + 1),
        ):
            crowd = which[crowded(edges, which, others, shape, settings)]
            if beside is None or not len(crowd):
                sure[crowd] = True
                continue
            burned = _burned_in(drawn(edges, crowd, shape), pictures, frame, beside, opens)
            sure[crowd[burned[edges.y[crowd], edges.x[crowd]]]] = True
            if burned.any() and len(which) > len(others):
                # The end of a word has fewer edges about it; it comes and goes with the rest.
                around = dilate(burned, *2 * (2 * settings.region + 1,))
                sure[which[around[edges.y[which], edges.x[which]]]] = True
    return Signs(sure, came, went)


def _burned_in(
    edges: Bool, pictures: Sequence[Image], there: int, not_there: int, opens: Sequence[Bool] | None
) -> Bool:
    """(H, W) edges that come or go between two frames, without what moves, opens or shuts."""
    burned = edges & ~has_moved(pictures[there], pictures[not_there], edges)
    return burned if opens is None else burned & ~(opens[there] | opens[not_there])


def _travel(edges: SteadyEdges, skin: Float, asked: Bool) -> Float:
    """(S,) pixels that the skin under each edge moves across it meanwhile.

    0 beside the face, and for edges that are not `asked` for (S,).
    """
    travel = np.zeros(len(edges), np.float32)
    normal = edges.normal_of(np.arange(len(edges)))
    for first in np.unique(edges.first[asked]).tolist():
        which = np.flatnonzero(asked & (edges.first == first))
        places = np.column_stack([edges.x[which], edges.y[which]]) + 0.5
        apart, vertex = cKDTree(skin[first]).query(places, distance_upper_bound=_ON_FACE)
        on = np.isfinite(apart)
        which = which[on]
        travel[which] = _across(skin, first, edges.last[which], vertex[on], normal[which])
    return travel


@compiled
def _across(skin: Any, first: int, last: Any, vertex: Any, normal: Any) -> Any:
    """(N,) pixels that points of the face move across edges at most, from a frame to a last one.

    Args:
        skin: (T, V, 2) pixels of all points.
        first: the frame.
        last: (N,)
        vertex: (N,) which points.
        normal: (N, 2) across the edges.
    """
    most = np.zeros(len(last), np.float32)
    for n in range(len(last)):
        v = vertex[n]
        for frame in range(first + 1, last[n] + 1):
            x = skin[frame, v, 0] - skin[first, v, 0]
            y = skin[frame, v, 1] - skin[first, v, 1]
            most[n] = max(most[n], abs(x * normal[n, 0] + y * normal[n, 1]))
    return most


def _within(edges: SteadyEdges, skin: Float, shape: tuple[int, ...]) -> Bool:
    """(S,) edges that lie within the face's outline half of the time.

    What stays beside a jaw that now and then moves over it is a collar; within the face it is none.
    """
    count = np.zeros((len(skin) + 1, *shape), np.int16)  # frames before, in which a pixel is within
    for frame, points in enumerate(skin):
        outline = np.zeros(shape, np.uint8)
        cv2.fillConvexPoly(outline, cv2.convexHull(points).astype(np.int32), 1)
        count[frame + 1] = count[frame] + outline
    places = edges.y, edges.x
    frames = count[(edges.last + 1, *places)] - count[(edges.first, *places)]
    within: Bool = frames >= _INSIDE * (edges.last - edges.first + 1)
    return within


def _jumps(
    edges: SteadyEdges, pictures: Sequence[Image], settings: GraphicSettings
) -> tuple[Bool, Bool]:
    """(S,) edges that came within a frame, and that went within one, all being calm otherwise."""
    last = len(pictures) - 1
    changes = [np.zeros(pictures[0].shape[:2], np.uint8)]
    changes += [largest_channel(cv2.absdiff(before, after)) for before, after in pairwise(pictures)]
    change = np.stack([*changes, changes[0], changes[0], changes[0]])  # beyond the end: none
    relit = np.pad(light_changes(pictures, change, settings.calm), (0, 3))

    def jump(frame: Int, *beside: Int) -> Bool:
        # Two frames on either side: where frames are shown twice, one is always calm.
        sudden: Bool = (change[frame, edges.y, edges.x] >= settings.jump) & ~relit[frame]
        for other in beside:
            sudden &= change[other, edges.y, edges.x] <= settings.calm
        return sudden

    first, end = edges.first, edges.last
    came = jump(first, np.maximum(first - 1, 0), np.maximum(first - 2, 0)) & (first >= 2)
    went = jump(end + 1, end + 2, end + 3) & (end <= last - 2)
    return came, went


def crowded(
    edges: SteadyEdges, which: Int, others: Int, shape: tuple[int, ...], settings: GraphicSettings
) -> Bool:
    """(N,) those of the signs `which` that have many near them, strong, in several directions.

    Where letters cover lips, the edges of the lips go as the letters come: `others` come or go at
    the same time, and the fewer are the face's.
    """
    if len(which) < settings.fewest:
        return np.zeros(len(which), bool)
    side, wider = (2 * (settings.region,), 2 * (2 * settings.region + 1,))
    y, x = edges.y[which], edges.x[which]
    alone = np.zeros(shape, np.float32)
    alone[y, x] = 1
    if cv2.boxFilter(alone, -1, side, normalize=False)[y, x].max() < settings.fewest:
        return np.zeros(len(which), bool)  # seldom are there letters
    nx, ny = edges.normal_of(which).T
    size = np.sqrt((edges.gradient[which] ** 2).sum(1))
    counted = np.zeros((*shape, 5), np.float32)
    counted[y, x, :4] = np.stack([np.ones_like(nx), nx * nx, nx * ny, size], 1)
    counted[edges.y[others], edges.x[others], 4] = 1
    total = cv2.boxFilter(counted[..., :4], -1, side, normalize=False)[y, x]
    count, xx, xy, contrast = total.T
    signs, rivals = cv2.boxFilter(counted[..., [0, 4]], -1, wider, normalize=False)[y, x].T
    across = count / 2 - np.sqrt((xx - count / 2) ** 2 + xy**2)  # smaller eigenvalue
    dense: Bool = (count >= settings.fewest) & (across >= settings.crossing * count)
    dense &= contrast >= settings.contrast * count
    dense &= signs >= settings.rivals * rivals
    return dense


def masks(
    edges: SteadyEdges, sure: Sequence[Bool], pictures: Sequence[Image], known: Outlined
) -> list[Bool]:
    """What the sure edges outline in each frame.

    Args:
        edges: S of `steady_edges`.
        sure: of `lines`.
        pictures: T times (H, W, 3) RGB.
        known: what was outlined before; what is new is added.

    Returns:
        T times (H, W).
    """
    found, reach = [], 2 * _NEAR + 1
    for frame, (certain, picture) in enumerate(zip(sure, pictures, strict=True)):
        if not certain.any():
            found.append(certain)
            continue
        key = frame, np.packbits(certain).tobytes()
        if key not in known:
            near = dilate(certain, reach, reach) & drawn(edges, edges.at(frame), certain.shape)
            known[key] = filled(certain | near, picture)
        found.append(known[key])
    return found


def lines(edges: SteadyEdges, signs: Signs, pictures: Sequence[Image]) -> list[Bool]:
    """T times (H, W): the sure edges of each frame, those that fade in or out among them."""
    shape, faint = pictures[0].shape[:2], _faded(edges, signs, pictures)
    there = (drawn(edges, edges.at(n) & signs.sure, shape) for n in range(len(pictures)))
    return [drawing | fading for drawing, fading in zip(there, faint, strict=True)]


def drawn(edges: SteadyEdges, which: Bool | Int, shape: tuple[int, ...]) -> Bool:
    """(H, W) the pixels of the edges `which`."""
    pixels = np.zeros(shape, bool)
    pixels[edges.y[which], edges.x[which]] = True
    return pixels


def _faded(edges: SteadyEdges, signs: Signs, pictures: Sequence[Image]) -> list[Bool]:
    """T times (H, W) sure edges that fade in or out: weaker than the edge that they become."""
    shape = pictures[0].shape[:2]
    found = [np.zeros(shape, bool) for _ in pictures]
    ways = ((-1, edges.first, signs.came), (1, edges.last, signs.went))
    for step, ends, sudden in ways:
        fading = signs.sure & ~sudden
        for end in np.unique(ends[fading]):
            which = np.flatnonzero(fading & (ends == end))
            if (signs.sure & sudden & (ends == end)).sum() > len(which):
                continue  # a word that goes at once has no edges that fade
            before = np.ones(len(which), np.float32)
            for frame in range(end + step, end + step * (_FADE + 1), step):
                if not 0 <= frame < len(pictures) or not len(which):
                    break
                share = _contrast(edges, which, pictures[frame])
                # Lips that letters covered may run as these did, but they do not fade.
                fades = (share > _FAINT) & (share < before - _STEP)
                which, before = which[fades], share[fades]
                found[frame][edges.y[which], edges.x[which]] = True
    return found


def _contrast(edges: SteadyEdges, which: Int, picture: Image) -> Float:
    """(N,) share of their contrast with which edges are seen in a picture, pooled."""
    y, x, vectors = edges.y[which], edges.x[which], edges.gradient[which]
    seen = gradients(picture)[y, x]
    sums = np.zeros((*picture.shape[:2], 2), np.float32)
    sums[y, x] = np.stack([(seen * vectors).sum(1), (vectors**2).sum(1)], 1)
    own, full = cv2.blur(sums, (_POOL, _POOL))[y, x].T
    share: Float = own / np.maximum(full, 1e-6)
    return share
