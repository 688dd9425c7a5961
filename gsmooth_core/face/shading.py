"""Spherical-harmonics light on a mesh: normals, basis, shading, and the light behind given colours.

A colour is albedo times sum_k gamma_k Phi_k(n), k = 1..9: Phi the real orthonormal harmonics of
bands 0..2, gamma the light (Ramamoorthi and Hanrahan, 2001; the cosine lobe's factors of each band
are part of gamma).
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from gsmooth_core.face.rasterizer.numba_kernels import compiled
from gsmooth_core.types import Float, Int

Doubles = NDArray[np.float64]

BAND_0 = np.sqrt(1 / (4 * np.pi))
BAND_1 = np.sqrt(3 / (4 * np.pi))
BAND_2 = np.sqrt(15 / (4 * np.pi))
BAND_2_ZONAL = np.sqrt(5 / (16 * np.pi))
BAND_2_SECTORAL = np.sqrt(15 / (16 * np.pi))

# Directions that a face never shows leave light undetermined; this pulls it to 0 there.
RIDGE = 1e-5
ROBUST_ITERATIONS = 10
TUKEY = 4.685  # 95 % efficiency on normal noise
MAD_TO_SIGMA = 1.4826
SMALLEST_SIGMA = 1e-4  # of colours in 0..1


def vertex_normals(vertices: Float, faces: Int) -> Float:
    """Unit normals of vertices, the mean of their faces' normals weighted by area.

    Args:
        vertices: (V, 3).
        faces: (F, 3), counter-clockwise seen from outside.

    Returns:
        (V, 3) unit vectors outwards; 0 where a vertex has no face with area.
    """
    # One memory layout and type, so that the kernel is compiled once.
    points, triangles = (
        np.require(vertices, np.float32, ["C", "A", "W"]),
        np.require(faces, np.int32, ["C", "A", "W"]),
    )
    return cast(Float, summed_normals(points, triangles))


@compiled
def summed_normals(vertices: Any, faces: Any) -> Any:
    """(V, 3) see `vertex_normals`; compiled, since each frame asks for those of two faces."""
    total = np.zeros(vertices.shape, np.float64)
    for face in range(faces.shape[0]):
        first, second, third = faces[face, 0], faces[face, 1], faces[face, 2]
        ax = np.float64(vertices[second, 0]) - np.float64(vertices[first, 0])
        ay = np.float64(vertices[second, 1]) - np.float64(vertices[first, 1])
        az = np.float64(vertices[second, 2]) - np.float64(vertices[first, 2])
        bx = np.float64(vertices[third, 0]) - np.float64(vertices[first, 0])
        by = np.float64(vertices[third, 1]) - np.float64(vertices[first, 1])
        bz = np.float64(vertices[third, 2]) - np.float64(vertices[first, 2])
        for corner in range(3):  # each is given a normal as long as twice the area
            vertex = faces[face, corner]
            total[vertex, 0] += ay * bz - az * by
            total[vertex, 1] += az * bx - ax * bz
            total[vertex, 2] += ax * by - ay * bx
    unit = np.zeros(vertices.shape, np.float32)
    for vertex in range(vertices.shape[0]):
        x, y, z = total[vertex, 0], total[vertex, 1], total[vertex, 2]
        length = np.sqrt(x * x + y * y + z * z)
        if length > 0:
            for axis in range(3):
                unit[vertex, axis] = total[vertex, axis] / length
    return unit


def sh_basis(normals: Float) -> Float:
    """Real orthonormal spherical harmonics of bands 0, 1, 2 (without the Condon-Shortley sign).

    Args:
        normals: (..., 3) unit vectors.

    Returns:
        (..., 9) in the order 1; y, z, x; xy, yz, 3z^2 - 1, xz, x^2 - y^2.
    """
    x, y, z = normals[..., 0], normals[..., 1], normals[..., 2]
    basis = [
        np.full_like(x, BAND_0),
        BAND_1 * y,
        BAND_1 * z,
        BAND_1 * x,
        BAND_2 * x * y,
        BAND_2 * y * z,
        BAND_2_ZONAL * (3 * z * z - 1),
        BAND_2 * x * z,
        BAND_2_SECTORAL * (x * x - y * y),
    ]
    stacked: Float = np.stack(basis, axis=-1).astype(np.float32)
    return stacked


def shade(albedo: Float, normals: Float, light: Float) -> Float:
    """Colours of a lit surface; linear in the light and therefore not clipped.

    Args:
        albedo: (..., 3) RGB 0..1.
        normals: (..., 3) unit vectors in camera space.
        light: (9, 3) gamma.

    Returns:
        (..., 3) RGB.
    """
    lit: Float = albedo * (sh_basis(normals) @ light)
    return lit


def estimate_light(normals: Float, colours: Float, albedo: Float) -> Float:
    """The light under which a surface has the given colours, by robust least squares.

    Samples that no such light explains (a highlight, a hand, hair) lose their weight: Tukey's
    biweight on the samples' residuals, their scale from the median.

    Args:
        normals: (N, 3) unit vectors in camera space.
        colours: (N, 3) RGB 0..1.
        albedo: (N, 3) or (3,) RGB 0..1.

    Returns:
        (9, 3) gamma.

    Raises:
        ValueError: fewer than 9 samples.
    """
    if len(normals) < 9:
        raise ValueError(f"light needs at least 9 samples, not {len(normals)}")
    basis = sh_basis(normals).astype(np.float64)
    if albedo.ndim == 1:
        return _under_one_albedo(basis, colours.astype(np.float64), albedo.astype(np.float64))
    design = basis[None] * np.broadcast_to(albedo, colours.shape).T[..., None]  # (3, N, 9)
    target = colours.T.astype(np.float64)  # (3, N)
    weight = np.ones(len(normals))
    for _ in range(ROBUST_ITERATIONS):
        light = _weighted_solution(design, target, weight)
        error = np.linalg.norm(target - (design @ light)[..., 0], axis=0)  # (N,)
        weight = _tukey(error)
    gamma: Float = light[..., 0].T.astype(np.float32)  # (3, 9) -> (9, 3)
    return gamma


def _under_one_albedo(basis: Doubles, colours: Doubles, albedo: Doubles) -> Float:
    """The light of `estimate_light`, whose channels then share one system of equations."""
    target = colours / albedo  # (N, 3)
    weight, light = np.ones(len(basis)), np.zeros((9, 3))
    for _ in range(ROBUST_ITERATIONS):
        weighted = basis.T * weight
        normal = weighted @ basis
        ridge = RIDGE * np.trace(normal) * np.eye(9)
        light = np.linalg.solve(normal + ridge, weighted @ target)
        weight = _tukey(np.linalg.norm((target - basis @ light) * albedo, axis=1))
    return light.astype(np.float32)


def _weighted_solution(design: Doubles, target: Doubles, weight: Doubles) -> Doubles:
    """(3, 9, 1) ridge solution of (3, N, 9) x = (3, N)."""
    weighted = np.swapaxes(design, 1, 2) * weight  # (3, 9, N)
    normal = weighted @ design
    ridge = RIDGE * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(9)
    solution: Doubles = np.linalg.solve(normal + ridge, weighted @ target[..., None])
    return solution


def _tukey(error: Doubles) -> Doubles:
    """Weights 1..0 of samples whose errors (N,) have a robust spread."""
    sigma = max(MAD_TO_SIGMA * float(np.median(error)), SMALLEST_SIGMA)
    weight: Doubles = np.square(np.maximum(1 - (error / (TUKEY * sigma)) ** 2, 0))
    return weight
