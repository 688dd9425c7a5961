"""Stickers and logos: smooth shapes whose outline closes around what is sure to be no face.

Their edges lie too far apart to be told by their number, as those of letters are. But a shape that
an outline closes, that does not change while it stays, and that has sure edges in it is one thing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from gsmooth_core.mafb.blend import close, dilate
from gsmooth_core.mafb.occlusion.graphics import LASTING, Signs, drawn
from gsmooth_core.mafb.occlusion.mistaken import largest_channel
from gsmooth_core.mafb.occlusion.steady import SteadyEdges
from gsmooth_core.types import Bool, Image, Int

_CLOSED = 3  # pixels: gaps in an outline
_RIM = 7  # pixels: diameter by which a shape is grown to its edges
_ROUNDS = 2  # what lies within an outline, then the outline's own breadth
_LARGEST = 0.25  # of what is searched
_CHANGED = 28  # levels: the noise of a codec stays below
_STILL = 0.95  # share of a shape that does not change


def with_outlines(edges: SteadyEdges, signs: Signs, pictures: Sequence[Image]) -> Signs:
    """Add the outlines of shapes that hold or touch sure edges.

    Args:
        edges: S of `steady_edges`.
        signs: what is sure of them.
        pictures: T times (H, W, 3) RGB.
    """
    if not signs.sure.any():
        return signs
    sure, shape = signs.sure.copy(), pictures[0].shape[:2]
    lasting = edges.last - edges.first >= LASTING - 1
    for frame in range(len(pictures)):
        there = np.flatnonzero(lasting & edges.at(frame))
        for _ in range(_ROUNDS):
            if not sure[there].any() or sure[there].all():
                break
            shapes = _shapes(drawn(edges, there, shape), drawn(edges, there[sure[there]], shape))
            for part in shapes:
                rim = there[part[edges.y[there], edges.x[there]]]
                if _stays(part, pictures, frame, edges, rim):
                    sure[rim] = True
    return replace(signs, sure=sure)


def _shapes(outlines: Bool, sure: Bool) -> list[Bool]:
    """(H, W) each: what outlines close, to its rim, where sure edges are in it or on it."""
    inner = (~close(outlines, _CLOSED)).astype(np.uint8)
    _, label, stats, _ = cv2.connectedComponentsWithStats(inner, connectivity=4)
    beyond = np.unique(np.concatenate([label[0], label[-1], label[:, 0], label[:, -1]]))
    touched = np.unique(label[dilate(sure, _RIM, _RIM)])
    found = []
    for number in np.setdiff1d(touched, [0, *beyond.tolist()]):
        if stats[number, cv2.CC_STAT_AREA] < _LARGEST * label.size:
            found.append(dilate(label == number, _RIM, _RIM))
    return found


def _stays(part: Bool, pictures: Sequence[Image], frame: int, edges: SteadyEdges, rim: Int) -> bool:
    """Whether a shape looks the same as long as most of its rim is there."""
    if not len(rim):
        return False
    ends = (int(np.median(each[rim])) for each in (edges.first, edges.last))
    changes = (largest_channel(cv2.absdiff(pictures[frame], pictures[end]))[part] for end in ends)
    return all((change < _CHANGED).mean() > _STILL for change in changes)
