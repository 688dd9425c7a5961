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
    picture: Any,
    to_picture: Any,
    points: Any,
    normals: Any,
    template: Any,
    weight: Any,
    turn: Any,
    place: Any,
    light: Any,
    camera: Any,
    outlier: float,
    hessian: Any,
    gradient: Any,
    levels: Any,
    seen: Any,
) -> float:
    """Normal equations of a head whose points ought to show their template's levels.

    Args:
        picture: (S, S) float32 levels.
        to_picture: (2, 3) pixels of the frame -> pixels of the picture.
        points: (N, 3) of the head in model space, decimetres.
        normals: (N, 3) unit vectors.
        template: (N,) levels.
        weight: (N,) how far each point counts.
        turn: (3, 3) rotation.
        place: (3,) translation.
        light: (2,) gain and offset that make the picture's levels the template's.
        camera: (3,) focal length and principal point of the frame, pixels.
        outlier: difference of levels from which the loss is linear (Huber).
        hessian: (8, 8), written.
        gradient: (8,), written.
        levels: (N,) what the picture shows at the points, written.
        seen: (N,) weight with which it shows them, written.

    Returns:
        the mean loss; 0 where no point is seen.
    """
    side = picture.shape[0]
    hessian[:] = 0.0
    gradient[:] = 0.0
    row = np.empty(8)
    loss, total, distance = 0.0, 0.0, -place[2]
    for n in range(len(points)):
        seen[n] = levels[n] = 0.0
        x0 = turn[0, 0] * points[n, 0] + turn[0, 1] * points[n, 1] + turn[0, 2] * points[n, 2]
        x1 = turn[1, 0] * points[n, 0] + turn[1, 1] * points[n, 1] + turn[1, 2] * points[n, 2]
        x2 = turn[2, 0] * points[n, 0] + turn[2, 1] * points[n, 1] + turn[2, 2] * points[n, 2]
        n0 = turn[0, 0] * normals[n, 0] + turn[0, 1] * normals[n, 1] + turn[0, 2] * normals[n, 2]
        n1 = turn[1, 0] * normals[n, 0] + turn[1, 1] * normals[n, 1] + turn[1, 2] * normals[n, 2]
        n2 = turn[2, 0] * normals[n, 0] + turn[2, 1] * normals[n, 1] + turn[2, 2] * normals[n, 2]
        y0, y1, y2 = x0 + place[0], x1 + place[1], x2 + place[2]
        facing = -(n0 * y0 + n1 * y1 + n2 * y2) / np.sqrt(y0 * y0 + y1 * y1 + y2 * y2)
        if facing < _EDGE_ON:
            continue
        scale = camera[0] / -y2
        u, v = camera[1] + scale * y0, camera[2] - scale * y1
        across = to_picture[0, 0] * u + to_picture[0, 1] * v + to_picture[0, 2] - 0.5
        down = to_picture[1, 0] * u + to_picture[1, 1] * v + to_picture[1, 2] - 0.5
        if across < 0 or down < 0 or across >= side - 1 or down >= side - 1:
            continue
        i, j = int(across), int(down)
        fx, fy = across - i, down - j
        a, b = np.float64(picture[j, i]), np.float64(picture[j, i + 1])
        c, d = np.float64(picture[j + 1, i]), np.float64(picture[j + 1, i + 1])
        level = (a * (1 - fx) + b * fx) * (1 - fy) + (c * (1 - fx) + d * fx) * fy
        levels[n], seen[n] = level, min(1.0, (facing - _EDGE_ON) / _RISE) * weight[n]
        error = light[0] * level + light[1] - template[n]
        far, counts = abs(error), seen[n]
        if far > outlier:
            counts *= outlier / far
            loss += seen[n] * outlier * (2 * far - outlier)
        else:
            loss += seen[n] * far * far
        total += seen[n]
        by_x, by_y = (b - a) * (1 - fy) + (d - c) * fy, (c - a) * (1 - fx) + (d - b) * fx
        by_u = light[0] * (by_x * to_picture[0, 0] + by_y * to_picture[1, 0])
        by_v = light[0] * (by_x * to_picture[0, 1] + by_y * to_picture[1, 1])
        g0, g1, g2 = by_u * scale, -by_v * scale, (by_u * y0 - by_v * y1) * scale / -y2
        row[0], row[1], row[2] = x1 * g2 - x2 * g1, x2 * g0 - x0 * g2, x0 * g1 - x1 * g0
        row[3], row[4] = distance * g0, distance * g1
        row[5] = place[0] * g0 + place[1] * g1 + place[2] * g2
        row[6], row[7] = level, 1.0
        for p in range(8):
            gradient[p] += counts * row[p] * error
            for q in range(p + 1):
                hessian[p, q] += counts * row[p] * row[q]
    for p in range(8):
        for q in range(p + 1, 8):
            hessian[p, q] = hessian[q, p]
    return loss / max(total, 1e-9)
