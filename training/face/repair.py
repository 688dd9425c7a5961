"""What the source data leaves open: parted lips at rest, and teeth that some targets forget."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.morphable import Region
from gsmooth_core.types import Float
from training.face.source import Array
from training.face.topology import Topology

COLUMN = 0.02  # dm, distance of the columns in which the gap between the lips is measured
OVERLAP = 0.002  # dm, by which lips at rest press into each other
TEETH_WIDTH = 0.92
TEETH_BACK = 0.03  # dm
TEETH_SHOWN = 0.014  # dm, by which the upper incisors reach below the line of closed lips
OVERBITE = 0.002  # dm, by which the upper incisors cover the lower ones: people's, at the least
TONGUE_HEIGHT = 0.75
ROUNDS = 3  # in which the gap of the lips is measured and closed
FADE = 0.12  # dm, height over which closing fades out


def close_lips(vertices: Array, topology: Topology) -> Array:
    """Bring the lips together at rest, each half of the way.

    Args:
        vertices: (V, 3) neutral shape.
        topology: of the refined mesh.
    """
    closed = vertices.copy()
    upper, lips = topology.upper, topology.regions == Region.LIPS
    soft = np.isin(topology.regions, [Region.LIPS, Region.LOWER_FACE, Region.INNER_MOUTH])
    for _ in range(ROUNDS):
        columns, gaps, line = _lip_gaps(closed, lips & upper, lips & ~upper)
        x, y, z = closed.T
        gap = np.interp(np.abs(x), columns, gaps, right=0.0)
        fade = np.exp(-(((y - line) / FADE) ** 2)) * np.clip((z - 0.05) / 0.1, 0, 1)
        closed[:, 1] += np.where(soft, np.where(upper, -0.5, 0.5) * gap * fade, 0.0)
    return closed


def seat_teeth(vertices: Array, regions: NDArray[np.uint8]) -> Array:
    """Narrow the dental arches and push them back, so that they stay behind closed lips."""
    seated = vertices.copy()
    teeth = regions == Region.TEETH
    seated[teeth, 0] *= TEETH_WIDTH
    seated[teeth, 2] -= TEETH_BACK
    return seated


def lower_teeth(vertices: Float, regions: NDArray[np.uint8], upper: NDArray[np.bool_]) -> Float:
    """Lower the upper teeth, which the source hides behind the lip, so that open mouths show them.

    When lips part at rest, one to three millimetres of the upper incisors are seen.

    Args:
        vertices: (V, 3) neutral shape, its lips closed.
        regions: (V,)
        upper: (V,) whether a vertex belongs to the upper jaw.
    """
    lowered = vertices.copy()
    teeth, middle = (regions == Region.TEETH) & upper, np.abs(vertices[:, 0]) < COLUMN
    line = lowered[(regions == Region.LIPS) & upper & middle, 1].min()
    lowered[teeth, 1] += line - TEETH_SHOWN - lowered[teeth & middle, 1].min()
    return lowered


def raise_teeth(vertices: Float, regions: NDArray[np.uint8], upper: NDArray[np.bool_]) -> Float:
    """Raise the lower teeth to where they bite: behind the edge of the upper ones.

    The source leaves two millimetres between the rows of a shut jaw, so that the lower lip would
    hide the lower row of any mouth that opens.

    Args:
        vertices: (V, 3) neutral shape, its upper teeth lowered.
        regions: (V,)
        upper: (V,) whether a vertex belongs to the upper jaw.
    """
    raised = vertices.copy()
    teeth, middle = regions == Region.TEETH, np.abs(vertices[:, 0]) < COLUMN
    edge = raised[teeth & upper & middle, 1].min()
    lower = teeth & ~upper
    raised[lower, 1] += edge + OVERBITE - raised[lower & middle, 1].max()
    return raised


def lower_tongue(vertices: Float, regions: NDArray[np.uint8]) -> Float:
    """Lower the tongue, which the source presses to the palate, so that mouths have room."""
    lowered = vertices.copy()
    tongue = regions == Region.TONGUE
    floor = lowered[tongue, 1].min()
    lowered[tongue, 1] = floor + TONGUE_HEIGHT * (lowered[tongue, 1] - floor)
    return lowered


def closing(control: Array, topology: Topology) -> Array:
    """How control vertices (V0, 3) must move so that the lips of the refined mesh meet."""
    refined = topology.refine(control)
    return np.asarray((close_lips(refined, topology) - refined)[: len(control)])


def _lip_gaps(
    vertices: Array, upper: NDArray[np.bool_], lower: NDArray[np.bool_]
) -> tuple[Array, Array, float]:
    """Gap seen from the front by distance from the mid-plane, and its height in the middle."""
    corner = np.abs(vertices[upper | lower, 0]).max()
    columns = np.arange(0, corner, COLUMN)
    heights = np.array([_rims(vertices, upper, lower, column) for column in columns])  # (C, 2)
    gaps = np.clip(heights[:, 0] - heights[:, 1] + OVERLAP, 0, None)
    return np.append(columns, corner), np.append(gaps, 0.0), float(heights[0].mean())


def _rims(
    vertices: Array, upper: NDArray[np.bool_], lower: NDArray[np.bool_], column: float
) -> tuple[float, float]:
    """Lowest place of the upper lip and highest of the lower one near a column."""
    near = np.abs(np.abs(vertices[:, 0]) - column) < COLUMN / 3
    above, below = vertices[near & upper, 1], vertices[near & lower, 1]
    if not len(above) or not len(below):
        return 0.0, 1.0  # no gap
    return float(above.min()), float(below.max())


def similarity_field(points: Array, offsets: Array, weight: Array, targets: Array) -> Array:
    """Linearised similarity (move, turn, scale) that best explains `offsets`, at `targets`.

    Args:
        points: (P, 3).
        offsets: (..., P, 3) offsets of the points.
        weight: (P,).
        targets: (Q, 3).

    Returns:
        (..., Q, 3) offsets of the targets; linear in `offsets`.
    """
    centre = (weight[:, None] * points).sum(0) / weight.sum()
    root = np.sqrt(np.repeat(weight, 3))
    system = _similarity_columns(points - centre)  # (3P, 7)
    flat = offsets.reshape(*offsets.shape[:-2], -1)  # (..., 3P)
    solve = np.linalg.pinv(system * root[:, None]) * root
    result = flat @ solve.T @ _similarity_columns(targets - centre).T  # (..., 3Q)
    return np.asarray(result.reshape(*offsets.shape[:-2], len(targets), 3))


def _similarity_columns(points: Array) -> Array:
    """(3P, 7): how points move under three moves, three turns, one scale."""
    moves = np.tile(np.eye(3), (len(points), 1))
    turns = np.stack([np.cross(axis, points).ravel() for axis in np.eye(3)], axis=1)
    return np.concatenate([moves, turns, points.reshape(-1, 1)], axis=1)


def follow_mouth(points: Array, offsets: Array, regions: NDArray[np.uint8]) -> Array:
    """Let teeth and tongue follow the lips and the front of the mouth in identity offsets.

    Args:
        points: (V, 3) reference shape.
        offsets: (..., V, 3) identity offsets.
        regions: (V,).
    """
    inside = np.isin(regions, [Region.TEETH, Region.TONGUE])
    guide = (regions == Region.LIPS) | ((regions == Region.INNER_MOUTH) & (points[:, 2] > 0))
    weight = np.where(regions[guide] == Region.LIPS, 1.0, 0.5)
    result = offsets.copy()
    result[..., inside, :] = similarity_field(
        points[guide], offsets[..., guide, :], weight, points[inside]
    )
    return result
