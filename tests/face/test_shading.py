"""Harmonics against quadrature and SciPy's, normals and light against known shapes."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special
from scipy.spatial.transform import Rotation

from gsmooth_core.face.shading import estimate_light, sh_basis, shade, vertex_normals
from gsmooth_core.types import Float
from tests.face.rasterizer.meshes import sphere


def directions(count: int, seed: int = 0) -> Float:
    found = np.random.default_rng(seed).normal(size=(count, 3))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def some_light(seed: int = 1) -> Float:
    light = np.random.default_rng(seed).normal(0, 0.2, (9, 3))
    light[0] += 2.5
    return light.astype(np.float32)


def complex_harmonic(degree: int, order: int, polar: Float, azimuth: Float) -> np.ndarray:
    if hasattr(scipy.special, "sph_harm_y"):
        return scipy.special.sph_harm_y(degree, order, polar, azimuth)
    return scipy.special.sph_harm(order, degree, azimuth, polar)  # SciPy before 1.15


def test_basis_is_orthonormal_on_the_sphere() -> None:
    """Gauss-Legendre in z and equal steps in azimuth integrate these polynomials exactly."""
    z, weight = np.polynomial.legendre.leggauss(8)
    azimuth = np.arange(16) * 2 * np.pi / 16
    radius = np.sqrt(1 - z**2)[:, None]
    x, y = radius * np.cos(azimuth), radius * np.sin(azimuth)
    normals = np.stack([x, y, np.broadcast_to(z[:, None], x.shape)], axis=-1)
    basis = sh_basis(normals)
    gram = np.einsum("i,ijk,ijl->kl", weight * 2 * np.pi / 16, basis, basis)
    np.testing.assert_allclose(gram, np.eye(9), atol=1e-6)


def test_basis_is_scipys_made_real() -> None:
    normals = directions(200)
    polar, azimuth = np.arccos(normals[:, 2]), np.arctan2(normals[:, 1], normals[:, 0])
    expected = []
    for degree in range(3):
        for order in range(-degree, degree + 1):
            value = complex_harmonic(degree, abs(order), polar, azimuth)
            sign = (-1) ** order * np.sqrt(2)
            real = value.real if order == 0 else sign * (value.imag if order < 0 else value.real)
            expected.append(real)
    np.testing.assert_allclose(sh_basis(normals), np.stack(expected, axis=-1), atol=1e-5)


def test_normals_of_a_sphere_point_outwards() -> None:
    vertices, faces = sphere(60, 120)
    normals = vertex_normals(vertices, faces)
    inner = (np.abs(vertices[:, 1]) < 0.99) & (np.arange(len(vertices)) % 120 % 119 > 0)
    assert inner.sum() > 6000
    assert (normals * vertices).sum(-1)[inner].min() > 0.9995


def test_normals_turn_with_the_mesh() -> None:
    vertices, faces = sphere(12, 20)
    inner = np.abs(vertices[:, 1]) < 0.999  # a pole's faces have no area that rounding leaves alone
    vertices = vertices * np.float32([1, 2, 0.5])
    turn = Rotation.from_rotvec([0.4, -1.1, 0.7]).as_matrix().astype(np.float32)
    turned = vertex_normals(vertices @ turn.T + 3, faces)
    still = vertex_normals(vertices, faces)
    np.testing.assert_allclose(turned[inner], (still @ turn.T)[inner], atol=1e-4)


def test_a_vertex_without_area_has_no_normal() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [5, 5, 5]], np.float32)
    normals = vertex_normals(vertices, np.array([[0, 1, 2], [3, 3, 0]], np.int32))
    np.testing.assert_allclose(normals, [[0, 0, 1]] * 3 + [[0, 0, 0]])


def test_constant_light_shows_the_albedo() -> None:
    light = np.zeros((9, 3), np.float32)
    light[0] = np.sqrt(4 * np.pi)
    albedo = np.random.default_rng(2).random((5, 7, 3)).astype(np.float32)
    normals = directions(35).reshape(5, 7, 3)
    np.testing.assert_allclose(shade(albedo, normals, light), albedo, rtol=1e-5)


def test_lambertian_sphere_under_one_lamp_is_shaded_to_one_percent() -> None:
    """Nine harmonics hold a diffuse surface under any lamp to about 1 % of its energy."""
    normals, lamp = directions(20000), np.array([0.3, 0.5, 0.8]) / np.sqrt(0.98)
    colours = np.maximum(normals @ lamp, 0)[:, None].repeat(3, 1).astype(np.float32)
    one = np.ones(3, np.float32)
    shaded = shade(one, normals, estimate_light(normals, colours, one))
    assert np.square(shaded - colours).mean() < 0.01 * np.square(colours).mean()


@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("outliers", [0.0, 0.25])
def test_light_of_a_shaded_sphere_is_found(noise: float, outliers: float) -> None:
    rng = np.random.default_rng(3)
    normals, light = directions(4000), some_light()
    albedo = rng.uniform(0.3, 0.9, (4000, 3)).astype(np.float32)
    clean = shade(albedo, normals, light)
    colours = clean + rng.normal(0, noise, clean.shape).astype(np.float32)
    spoilt = rng.random(4000) < outliers
    colours[spoilt] = rng.uniform(0.6, 1, (spoilt.sum(), 3))  # highlights of no such light
    found = estimate_light(normals, colours, albedo)
    assert found.shape == (9, 3)
    np.testing.assert_allclose(found, light, atol=1e-3 + 0.3 * noise)


def test_light_is_found_from_the_half_that_a_face_shows() -> None:
    normals, light = directions(4000), some_light(4)
    normals[:, 2] = np.abs(normals[:, 2])
    albedo = np.float32([0.8, 0.6, 0.5])
    colours = shade(albedo, normals, light)
    found = estimate_light(normals, colours, albedo)
    np.testing.assert_allclose(shade(albedo, normals, found), colours, atol=3e-3)


def test_one_albedo_is_the_same_as_one_for_each_sample() -> None:
    normals, albedo = directions(200), np.array([0.7, 0.5, 0.4], np.float32)
    dice = np.random.default_rng(1)
    colours = (albedo * (0.4 + 0.5 * normals[:, :1]) + dice.normal(0, 0.02, (200, 3))).astype(
        np.float32
    )
    colours[:30] += 0.4  # what no light explains
    found = estimate_light(normals, colours, albedo)
    each = estimate_light(normals, colours, np.broadcast_to(albedo, colours.shape))
    np.testing.assert_allclose(found, each, atol=1e-5)


def test_light_needs_samples() -> None:
    with pytest.raises(ValueError, match="9 samples"):
        estimate_light(directions(8), np.ones((8, 3), np.float32), np.ones(3, np.float32))
