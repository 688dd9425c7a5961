"""Small meshes that the tests of rasteriser, shading and texture share."""

from __future__ import annotations

import numpy as np

from gsmooth_core.types import Float, Int


def grid_faces(rows: int, columns: int) -> Int:
    """Two triangles a cell of a rows x columns grid of vertices, row by row."""
    corner = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    a, b = corner[:-1, :-1].ravel(), corner[:-1, 1:].ravel()
    c, d = corner[1:, :-1].ravel(), corner[1:, 1:].ravel()
    return np.concatenate([np.stack([a, c, b], -1), np.stack([b, c, d], -1)])


def sphere(rows: int = 24, columns: int = 48) -> tuple[Float, Int]:
    """Unit sphere with outward faces; the seam's vertices are there twice."""
    theta = np.linspace(0, np.pi, rows)[:, None]
    phi = np.linspace(0, 2 * np.pi, columns)[None]
    x, z = np.sin(theta) * np.sin(phi), np.sin(theta) * np.cos(phi)
    y = np.broadcast_to(np.cos(theta), x.shape)
    vertices = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    return vertices.astype(np.float32), grid_faces(rows, columns)


def soup(rng: np.random.Generator, count: int, height: int, width: int) -> tuple[Float, Int]:
    """Projected triangles of any place, size, winding and depth; they cross each other."""
    u = rng.uniform(-0.3 * width, 1.3 * width, 3 * count)
    v = rng.uniform(-0.3 * height, 1.3 * height, 3 * count)
    projected = np.stack([u, v, rng.uniform(1, 9, 3 * count)], axis=-1).astype(np.float32)
    return projected, np.arange(3 * count, dtype=np.int32).reshape(count, 3)
