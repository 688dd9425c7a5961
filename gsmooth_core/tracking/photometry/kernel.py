"""How well a posed head lies upon a picture, and how that changes with its pose: compiled."""

from __future__ import annotations

from typing import Any

import numpy as np

from gsmooth_core.face.rasterizer.numba_kernels import compiled

UNKNOWNS = 8
"""Turn about the camera's axes (3), direction (2), log distance, gain and offset of the light."""

_EDGE_ON, _RISE = 0.02, 0.1  # cosines: nothing counts below, all from their sum on


@compiled
def compare(
    shot: Any, head: Any, template: Any, pose: Any, light: Any, outlier: float, written: Any
) -> float:
    """Normal equations of a head whose points ought to show their template's levels.

    Args:
        shot: picture (S, S) float32 levels; (2, 3) pixels of the frame -> of the picture; (3,) the
            frame's focal length and principal point, pixels.
        head: points (N, 3) in model space, decimetres, and their unit normals (N, 3).
        template: (N,) levels, and (N,) how far each point counts.
        pose: turn (3, 3) and translation (3,).
        light: (2,) gain and offset that make the picture's levels the template's.
        outlier: difference of levels from which the loss is linear (Huber).
        written: filled: (8, 8) Hessian and (8,) gradient; (N,) levels that the picture shows at the
            points, and (N,) the weight with which it shows them.

    Returns:
        the mean loss; 0 where no point is seen.
    """
    (points, normals), (wanted, weight), (turn, place) = head, template, pose
    hessian, gradient, levels, seen = written
    hessian[:] = 0.0
    gradient[:] = 0.0
    row = np.empty(UNKNOWNS)
    loss, total = 0.0, 0.0
    for n in range(len(points)):
        seen[n] = levels[n] = 0.0
        x = _turned(turn, points[n])
        y = x[0] + place[0], x[1] + place[1], x[2] + place[2]
        facing = -_dot(_turned(turn, normals[n]), y) / np.sqrt(_dot(y, y))
        if facing < _EDGE_ON:
            continue
        level, by_u, by_v = _looked_up(shot, y)
        if level < 0:
            continue
        levels[n], seen[n] = level, min(1.0, (facing - _EDGE_ON) / _RISE) * weight[n]
        error = light[0] * level + light[1] - wanted[n]
        far, counts = abs(error), seen[n]
        if far > outlier:
            counts *= outlier / far
            loss += seen[n] * outlier * (2 * far - outlier)
        else:
            loss += seen[n] * far * far
        total += seen[n]
        _differentiate(row, x, y, place, shot[2][0] / -y[2], light[0] * by_u, light[0] * by_v)
        row[6], row[7] = level, 1.0
        _add(hessian, gradient, row, counts, error)
    for p in range(UNKNOWNS):
        for q in range(p + 1, UNKNOWNS):
            hessian[p, q] = hessian[q, p]
    return loss / max(total, 1e-9)


@compiled
def _turned(turn: Any, v: Any) -> Any:
    """R v, of (3, 3) and (3,)."""
    return (
        turn[0, 0] * v[0] + turn[0, 1] * v[1] + turn[0, 2] * v[2],
        turn[1, 0] * v[0] + turn[1, 1] * v[1] + turn[1, 2] * v[2],
        turn[2, 0] * v[0] + turn[2, 1] * v[1] + turn[2, 2] * v[2],
    )


@compiled
def _dot(a: Any, b: Any) -> float:
    return float(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


@compiled
def _looked_up(shot: Any, y: Any) -> Any:
    """Level where a point in camera space is seen, and its slopes by the frame's pixels.

    -1 where that is beyond the picture.
    """
    picture, way, camera = shot
    scale, last = camera[0] / -y[2], picture.shape[0] - 1
    u, v = camera[1] + scale * y[0], camera[2] - scale * y[1]
    across = way[0, 0] * u + way[0, 1] * v + way[0, 2] - 0.5
    down = way[1, 0] * u + way[1, 1] * v + way[1, 2] - 0.5
    if across < 0 or down < 0 or across >= last or down >= last:
        return -1.0, 0.0, 0.0
    i, j = int(across), int(down)
    fx, fy = across - i, down - j
    a, b = np.float64(picture[j, i]), np.float64(picture[j, i + 1])
    c, d = np.float64(picture[j + 1, i]), np.float64(picture[j + 1, i + 1])
    level = (a * (1 - fx) + b * fx) * (1 - fy) + (c * (1 - fx) + d * fx) * fy
    by_x, by_y = (b - a) * (1 - fy) + (d - c) * fy, (c - a) * (1 - fx) + (d - b) * fx
    return level, by_x * way[0, 0] + by_y * way[1, 0], by_x * way[0, 1] + by_y * way[1, 1]


@compiled
def _differentiate(
    row: Any, x: Any, y: Any, place: Any, scale: float, by_u: float, by_v: float
) -> None:
    """A level by the pose: x turned, y in camera space; slopes by the frame's pixels."""
    g0, g1, g2 = by_u * scale, -by_v * scale, (by_u * y[0] - by_v * y[1]) * scale / -y[2]
    row[0], row[1], row[2] = x[1] * g2 - x[2] * g1, x[2] * g0 - x[0] * g2, x[0] * g1 - x[1] * g0
    row[3], row[4] = -place[2] * g0, -place[2] * g1  # a direction is in distances
    row[5] = place[0] * g0 + place[1] * g1 + place[2] * g2


@compiled
def _add(hessian: Any, gradient: Any, row: Any, counts: float, error: float) -> None:
    """One point's share of the normal equations, the lower half of the Hessian."""
    for p in range(UNKNOWNS):
        gradient[p] += counts * row[p] * error
        for q in range(p + 1):
            hessian[p, q] += counts * row[p] * row[q]
