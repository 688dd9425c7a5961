"""Local Catmull-Clark refinement: known positions, no cracks, affine invariance."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.face.subdivide import control_mesh, subdivide, triangulate

CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
CUBE_FACES = np.array(
    [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
)


def sheet(rows=5, columns=6):
    """A flat grid of quads with vertices at whole numbers."""
    y, x = np.mgrid[:rows, :columns]
    places = np.stack([x, y, 0 * x], -1).reshape(-1, 3).astype(float)
    corner = np.arange(rows * columns).reshape(rows, columns)
    quads = [corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]]
    return places, np.stack(quads, -1).reshape(-1, 4)


def mesh_of(places, faces):
    return control_mesh(faces, faces, places[:, :2], len(places))


def edge_counts(faces):
    return Counter(
        (min(a, b), max(a, b))
        for face in faces
        for a, b in zip(face, (*face[1:], face[0]), strict=True)
    )


def test_cube_after_one_level_is_catmull_and_clarks():
    """Corners go to 5/9, edge points to (3/4, 3/4, 0), face points to the face's centre."""
    refined = subdivide(mesh_of(CUBE, CUBE_FACES), np.ones(6, bool))
    places = refined.weights @ CUBE
    assert len(refined.faces) == 24
    assert len(places) == 8 + 12 + 6
    assert np.allclose(np.abs(places[:8]), 5 / 9)
    assert np.allclose(np.sort(np.abs(places[8:20]), axis=1), [0, 0.75, 0.75])
    assert np.allclose(np.sort(np.abs(places[20:]), axis=1), [0, 0, 1])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**20 - 1), st.integers(0, 2**20 - 1))
def test_any_choice_of_faces_leaves_no_crack(first, second):
    places, faces = sheet()
    mesh = mesh_of(places, faces)
    for bits in (first, second):
        chosen = np.array([bits >> k & 1 == 1 for k in range(len(mesh.faces))])
        mesh = subdivide(mesh, chosen)
    counts = edge_counts(mesh.faces)
    assert max(counts.values()) <= 2
    used = {vertex for face in mesh.faces for vertex in face}
    assert len(used) - len(counts) + len(mesh.faces) == 1  # Euler: still one disc
    refined = mesh.weights @ places
    triangles, _, parents = triangulate(mesh, refined)
    a, b, c = (refined[triangles[:, k], :2] for k in range(3))
    areas = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    assert (areas > 1e-9).all()
    assert set(parents.tolist()) == set(range(len(faces)))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**20 - 1))
def test_refinement_commutes_with_moving_and_turning(bits):
    places, faces = sheet()
    chosen = np.array([bits >> k & 1 == 1 for k in range(len(faces))])
    refined = subdivide(mesh_of(places, faces), chosen)
    affine = np.random.default_rng(bits).normal(size=(3, 3))
    shift = np.array([3.0, -2.0, 7.0])
    moved = refined.weights @ (places @ affine + shift)
    assert np.allclose(moved, (refined.weights @ places) @ affine + shift)
    assert np.allclose(refined.weights.sum(1), 1)


def test_unrefined_vertices_keep_their_places_and_order():
    places, faces = sheet()
    chosen = np.zeros(len(faces), bool)
    chosen[0] = True
    refined = subdivide(mesh_of(places, faces), chosen).weights @ places
    far = np.linalg.norm(places, axis=1) > 2
    assert np.array_equal(refined[: len(places)][far], places[far])


def test_uvs_are_split_like_the_faces():
    """On a flat sheet whose UVs are its places, inner vertices and UVs stay together."""
    places, faces = sheet()
    refined = subdivide(mesh_of(places, faces), np.ones(len(faces), bool))
    vertices = refined.weights @ places
    for face, uv_face in zip(refined.faces, refined.uv_faces, strict=True):
        inner = [k for k in range(4) if 0.6 < vertices[face[k], 0] < 4.4]
        inner = [k for k in inner if 0.6 < vertices[face[k], 1] < 3.4]
        for k in inner:
            assert np.allclose(vertices[face[k], :2], refined.uvs[uv_face[k]])


def test_a_polygon_is_cut_to_avoid_slivers():
    """A long rectangle with a point in the middle of a long side is fanned from that point."""
    places = np.array([[0, 0, 0], [2, 0, 0], [4, 0, 0], [4, 1, 0], [0, 1, 0]], float)
    mesh = control_mesh(np.array([[0, 1, 2, 3, 4]]), np.array([[0, 1, 2, 3, 4]]), places[:, :2], 5)
    triangles, uv_triangles, _ = triangulate(mesh, places)
    assert len(triangles) == 3
    assert all(1 in triangle for triangle in triangles.tolist())
    assert np.array_equal(triangles, uv_triangles)


@pytest.mark.parametrize("corners", [3, 4, 5, 6, 7, 8])
def test_every_polygon_is_covered_once(corners):
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    places = np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1)
    faces = np.arange(corners)[None]
    triangles, _, _ = triangulate(control_mesh(faces, faces, places[:, :2], corners), places)
    a, b, c = (places[triangles[:, k], :2] for k in range(3))
    areas = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    assert (areas > 0).all()
    assert areas.sum() == pytest.approx(corners / 2 * np.sin(2 * np.pi / corners))
