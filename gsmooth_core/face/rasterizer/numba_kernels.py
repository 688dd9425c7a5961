"""Z-buffer rasteriser for the CPU, compiled by numba; one thread, the GIL released.

Coverage is inclusive: a pixel belongs to a face when its centre is inside or on an edge. An edge
is evaluated as cross(a - p, b - p) in float64, which for the neighbour's edge (b, a) is exactly the
negative, so that no pixel on a shared edge is missed. Of faces at the same depth the lowest index
wins. The arithmetic's order is that of the torch back end, so both give the same face ids.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


_ROUNDING = 1e-9  # of a depth: more than is lost when it is interpolated


def compiled(function: Kernel) -> Kernel:
    """`numba.njit` with a cache on disk where there is a writable place for it, else without."""
    return _jitted(function)


def contracted(function: Kernel) -> Kernel:
    """As `compiled`; a product and the sum that it goes into may be rounded once, not twice."""
    return _jitted(function, fastmath={"contract"})


def _jitted(function: Kernel, **options: Any) -> Kernel:
    try:
        kernel = numba.njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # numba found no folder it may write to
        kernel = numba.njit(nogil=True, **options)(function)
    return cast(Kernel, kernel)


@compiled
def _edge(ax: Any, ay: Any, bx: Any, by: Any) -> Any:
    return ax * by - ay * bx


@compiled
def _first(low: float, size: int) -> int:
    """First pixel whose centre is at or right of `low`, within 0..size."""
    return int(min(max(np.ceil(low - 0.5), 0.0), float(size)))


@compiled
def _last(high: float, size: int) -> int:
    """Last pixel whose centre is at or left of `high`, within -1..size - 1."""
    return int(min(max(np.floor(high - 0.5), -1.0), float(size - 1)))


@compiled
def _corner(projected: Any, vertex: Any) -> Any:
    """u, v and depth in double precision."""
    u, v, depth = projected[vertex, 0], projected[vertex, 1], projected[vertex, 2]
    return np.float64(u), np.float64(v), np.float64(depth)


@compiled
def _scan_face(face: int, corners: Any, sign: float, face_index: Any, depth: Any) -> None:
    height, width = face_index.shape
    x0, y0, z0 = corners[0]
    x1, y1, z1 = corners[1]
    x2, y2, z2 = corners[2]
    left, right = _first(min(x0, x1, x2), width), _last(max(x0, x1, x2), width)
    top, bottom = _first(min(y0, y1, y2), height), _last(max(y0, y1, y2), height)
    nearest = min(z0, z1, z2) * (1 - _ROUNDING)
    for row in range(top, bottom + 1):
        py = row + 0.5
        for column in range(left, right + 1):
            if depth[row, column] < nearest:  # the face is behind what is there, all of it
                continue
            px = column + 0.5
            e0 = sign * _edge(x1 - px, y1 - py, x2 - px, y2 - py)
            e1 = sign * _edge(x2 - px, y2 - py, x0 - px, y0 - py)
            e2 = sign * _edge(x0 - px, y0 - py, x1 - px, y1 - py)
            if e0 < 0 or e1 < 0 or e2 < 0:
                continue
            total = e0 + e1 + e2
            weight = e0 / z0 + e1 / z1 + e2 / z2
            if total > 0 and total / weight < depth[row, column]:
                depth[row, column] = total / weight
                face_index[row, column] = face


@compiled
def visible_faces(projected: Any, faces: Any, height: int, width: int, cull: bool) -> Any:
    """(H, W) int32 index of the nearest face at each pixel's centre, -1 where there is none."""
    face_index = np.full((height, width), -1, np.int32)
    depth = np.full((height, width), np.inf, np.float64)
    for face in range(faces.shape[0]):
        a = _corner(projected, faces[face, 0])
        b = _corner(projected, faces[face, 1])
        c = _corner(projected, faces[face, 2])
        area = _edge(b[0] - a[0], b[1] - a[1], c[0] - a[0], c[1] - a[1])
        # NaN and inf fail these comparisons, so such faces are skipped too.
        usable = 0 < abs(area) < np.inf and 0 < a[2] < np.inf
        usable = usable and 0 < b[2] < np.inf and 0 < c[2] < np.inf
        if usable and not (cull and area > 0):  # y is down: a front face turns clockwise
            _scan_face(face, (a, b, c), 1.0 if area > 0 else -1.0, face_index, depth)
    return face_index


@compiled
def depths(projected: Any, faces: Any, height: int, width: int, cull: bool) -> Any:
    """(H, W) depth of the nearest face at each pixel's centre, inf where there is none."""
    face_index = visible_faces(projected, faces, height, width, cull)
    depth = np.full((height, width), np.inf, np.float32)
    e, w = np.empty(3, np.float64), np.empty(3, np.float64)
    for row in range(height):
        for column in range(width):
            face = face_index[row, column]
            if face >= 0:
                scale = _weights(projected, faces, face, column + 0.5, row + 0.5, e, w)
                depth[row, column] = (e[0] + e[1] + e[2]) / scale
    return depth


@compiled
def _weights(projected: Any, faces: Any, face: int, px: float, py: float, e: Any, w: Any) -> Any:
    """Fill e (3,) edge values and w (3,) = e / z; return the sum of w."""
    for corner in range(3):
        a, b = faces[face, (corner + 1) % 3], faces[face, (corner + 2) % 3]
        ax, ay = np.float64(projected[a, 0]), np.float64(projected[a, 1])
        bx, by = np.float64(projected[b, 0]), np.float64(projected[b, 1])
        e[corner] = _edge(ax - px, ay - py, bx - px, by - py)
        w[corner] = e[corner] / np.float64(projected[faces[face, corner], 2])
    return w[0] + w[1] + w[2]


@compiled
def interpolate(projected: Any, faces: Any, attributes: Any, face_index: Any) -> Any:
    """Barycentric (H, W, 3), image (H, W, C) and depth (H, W) of the faces seen at the pixels."""
    height, width = face_index.shape
    channels = attributes.shape[1]
    barycentric = np.zeros((height, width, 3), np.float32)
    image = np.zeros((height, width, channels), np.float32)
    depth = np.full((height, width), np.inf, np.float32)
    e, w = np.empty(3, np.float64), np.empty(3, np.float64)
    for row in range(height):
        for column in range(width):
            face = face_index[row, column]
            if face < 0:
                continue
            scale = _weights(projected, faces, face, column + 0.5, row + 0.5, e, w)
            depth[row, column] = (e[0] + e[1] + e[2]) / scale
            # Single precision is what is kept of them, and four times as quick below.
            b0, b1 = np.float32(w[0] / scale), np.float32(w[1] / scale)
            b2 = np.float32(w[2] / scale)
            barycentric[row, column, 0] = b0
            barycentric[row, column, 1] = b1
            barycentric[row, column, 2] = b2
            i0, i1, i2 = faces[face, 0], faces[face, 1], faces[face, 2]
            for c in range(channels):
                image[row, column, c] = (
                    b0 * attributes[i0, c] + b1 * attributes[i1, c] + b2 * attributes[i2, c]
                )
    return barycentric, image, depth


@compiled
def _corner_gradients(
    corner_gradient: Any, e: Any, w: Any, scale: Any, depths: Any, xy: Any, grad_depth: Any
) -> Any:
    """Turn d/d(barycentric) (3,) into d/d(u, v, depth) (3, 3) of one pixel's face.

    With w_i = e_i / z_i and S = sum w: barycentric_i = w_i / S and depth = sum e / S.
    """
    mean = 0.0
    for i in range(3):
        mean += corner_gradient[i] * w[i] / scale
    depth = (e[0] + e[1] + e[2]) / scale
    out = np.zeros((3, 3), np.float64)
    for i in range(3):
        grad_w = (corner_gradient[i] - mean - grad_depth * depth) / scale
        grad_e = grad_w / depths[i] + grad_depth / scale
        out[i, 2] -= grad_w * w[i] / depths[i]
        a, b = (i + 1) % 3, (i + 2) % 3  # e_i = a_x b_y - a_y b_x
        out[a, 0] += grad_e * xy[b, 1]
        out[a, 1] -= grad_e * xy[b, 0]
        out[b, 0] -= grad_e * xy[a, 1]
        out[b, 1] += grad_e * xy[a, 0]
    return out


@compiled
def gradients(
    projected: Any,
    faces: Any,
    attributes: Any,
    face_index: Any,
    grad_barycentric: Any,
    grad_image: Any,
    grad_depth: Any,
) -> Any:
    """Reverse of `interpolate`: gradients of projected (V, 3) and attributes (V, C), float64."""
    height, width = face_index.shape
    channels = attributes.shape[1]
    grad_projected = np.zeros(projected.shape, np.float64)
    grad_attributes = np.zeros(attributes.shape, np.float64)
    e, w, on_corner = np.empty(3, np.float64), np.empty(3, np.float64), np.empty(3, np.float64)
    depths, xy = np.empty(3, np.float64), np.empty((3, 2), np.float64)
    for row in range(height):
        for column in range(width):
            face = face_index[row, column]
            if face < 0:
                continue
            scale = _weights(projected, faces, face, column + 0.5, row + 0.5, e, w)
            for i in range(3):
                vertex = faces[face, i]
                xy[i, 0] = projected[vertex, 0] - (column + 0.5)
                xy[i, 1] = projected[vertex, 1] - (row + 0.5)
                depths[i] = projected[vertex, 2]
                on_corner[i] = grad_barycentric[row, column, i]
                for c in range(channels):
                    on_corner[i] += grad_image[row, column, c] * attributes[vertex, c]
                    grad_attributes[vertex, c] += grad_image[row, column, c] * w[i] / scale
            grad = _corner_gradients(on_corner, e, w, scale, depths, xy, grad_depth[row, column])
            for i in range(3):
                for axis in range(3):
                    grad_projected[faces[face, i], axis] += grad[i, axis]
    return grad_projected, grad_attributes
