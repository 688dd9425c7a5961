"""The back ends against an exact twin in rational numbers, and the rules at the borders."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from gsmooth_core.errors import InputError
from gsmooth_core.face.camera import pose, project
from gsmooth_core.face.rasterizer import (
    Raster,
    available_backends,
    best_backend,
    chosen_backend,
    rasterize,
    torch_kernels,
)
from gsmooth_core.face.rasterizer.numba_kernels import compiled
from gsmooth_core.types import Float, Int
from tests.face.rasterizer.meshes import grid_faces, soup, sphere

BACKENDS = ("numba", "torch")
each_backend = pytest.mark.parametrize("backend", BACKENDS)


def draw(projected: Float, faces: Int, height: int, width: int, backend: str) -> Raster:
    return rasterize(projected, faces, projected, height, width, backend)


def exact_face(projected: Float, faces: Int, row: int, column: int) -> int:
    """Face at a pixel's centre by exact arithmetic: 1/depth is linear over the picture."""
    p = Fraction(2 * column + 1, 2), Fraction(2 * row + 1, 2)
    best, nearest = -1, Fraction(0)
    for index, face in enumerate(faces):
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = (
            tuple(map(Fraction, projected[vertex].tolist())) for vertex in face
        )
        determinant = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
        if determinant == 0:
            continue
        beta = ((p[0] - ax) * (cy - ay) - (cx - ax) * (p[1] - ay)) / determinant
        gamma = ((bx - ax) * (p[1] - ay) - (p[0] - ax) * (by - ay)) / determinant
        closeness = (1 - beta - gamma) / az + beta / bz + gamma / cz
        if min(beta, gamma, 1 - beta - gamma) >= 0 and closeness > nearest:
            best, nearest = index, closeness
    return best


@each_backend
@pytest.mark.parametrize("snapped", [False, True])
def test_every_pixel_shows_the_face_of_the_exact_twin(backend: str, snapped: bool) -> None:
    """Snapped to pixel centres, many edges go through others."""
    height, width = 14, 19
    projected, faces = soup(np.random.default_rng(0), 20, height, width)
    if snapped:
        projected[:, :2] = np.floor(projected[:, :2]) + 0.5
    expected = [
        [exact_face(projected, faces, row, column) for column in range(width)]
        for row in range(height)
    ]
    raster = draw(projected, faces, height, width, backend)
    np.testing.assert_array_equal(raster.face_index, expected)
    np.testing.assert_array_equal(raster.mask, np.array(expected) >= 0)


@each_backend
def test_interpolation_is_linear_in_camera_space(backend: str) -> None:
    vertices, faces = sphere()
    focal, height, width = 160.0, 96, 128
    camera = pose(vertices, np.array([0.4, 0.2, 0.1]), np.array([0.2, 0.1, -3]))
    raster = rasterize(project(camera, focal, width, height), faces, camera, height, width, backend)
    row, column = np.nonzero(raster.mask)
    depth = raster.depth[row, column]
    point = raster.image[row, column]  # the camera-space point that the pixel sees
    np.testing.assert_allclose(point[:, 2], -depth, rtol=1e-5)
    np.testing.assert_allclose(point[:, 0], (column + 0.5 - width / 2) * depth / focal, atol=1e-5)
    np.testing.assert_allclose(point[:, 1], (height / 2 - row - 0.5) * depth / focal, atol=1e-5)
    assert len(row) > 1000


@each_backend
def test_barycentrics_are_shares_of_one(backend: str) -> None:
    projected, faces = soup(np.random.default_rng(3), 30, 40, 50)
    raster = draw(projected, faces, 40, 50, backend)
    inside = raster.barycentric[raster.mask]
    assert inside.min() >= -1e-6
    np.testing.assert_allclose(inside.sum(-1), 1, atol=1e-6)


@each_backend
def test_outside_is_empty(backend: str) -> None:
    projected, faces = sphere(12, 24)
    raster = draw(project(projected - [0, 0, 9], 60, 40, 30), faces, 30, 40, backend)
    outside = ~raster.mask
    assert outside.any()
    assert raster.mask.any()
    assert (raster.face_index[outside] == -1).all()
    assert np.isposinf(raster.depth[outside]).all()
    assert not raster.image[outside].any()
    assert not raster.barycentric[outside].any()


@each_backend
@pytest.mark.parametrize("snap", [0.5, 0.0])
def test_shared_edges_leave_no_gap(backend: str, snap: float) -> None:
    """A crumpled sheet larger than the image; snapped, its edges run through pixel centres."""
    rng = np.random.default_rng(4)
    y, x = np.mgrid[0:20, 0:20].astype(np.float32)
    sheet = np.stack([x * 4 - 6, y * 4 - 6, np.full_like(x, 2)], axis=-1)
    sheet[..., :2] += rng.uniform(-1.5, 1.5, (20, 20, 2))
    if snap:
        sheet[..., :2] = np.round(sheet[..., :2] / snap) * snap
    raster = draw(sheet.reshape(-1, 3), grid_faces(20, 20), 64, 64, backend)
    assert raster.mask.all()


@each_backend
@pytest.mark.parametrize("candidates", [torch_kernels.CANDIDATES_AT_ONCE, 1])
def test_of_faces_at_one_depth_the_first_wins(
    backend: str, candidates: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_kernels, "CANDIDATES_AT_ONCE", candidates)
    corners = np.array([[-9, -9, 2], [60, -9, 2], [-9, 60, 2]], np.float32)
    faces = np.array([[1, 2, 0], [0, 1, 2], [0, 1, 2]], np.int32)
    np.testing.assert_array_equal(draw(corners, faces[1:], 8, 8, backend).face_index, 0)
    np.testing.assert_array_equal(draw(corners, faces, 8, 8, backend).face_index, 0)


@each_backend
@pytest.mark.parametrize("depth", [0.0, -1.0, np.nan, np.inf])
def test_faces_with_an_impossible_corner_are_skipped(backend: str, depth: float) -> None:
    corners = np.array([[0, 0, 2], [20, 0, 2], [0, 20, depth]], np.float32)
    assert not draw(corners, np.array([[0, 1, 2]], np.int32), 8, 8, backend).mask.any()


@each_backend
@pytest.mark.parametrize("place", [np.nan, np.inf, -np.inf])
def test_faces_with_an_impossible_place_are_skipped(backend: str, place: float) -> None:
    corners = np.array([[0, 0, 2], [20, place, 2], [0, 20, 2]], np.float32)
    assert not draw(corners, np.array([[0, 1, 2]], np.int32), 8, 8, backend).mask.any()


@each_backend
def test_faces_without_area_are_skipped(backend: str) -> None:
    corners = np.array([[0.5, 0.5, 2], [4.5, 4.5, 2], [6.5, 6.5, 2]], np.float32)
    faces = np.array([[0, 1, 2], [0, 0, 1], [1, 1, 1]], np.int32)
    assert not draw(corners, faces, 8, 8, backend).mask.any()


@each_backend
def test_huge_faces_are_clipped_to_the_image(backend: str) -> None:
    corners = np.array([[-1e8, -1e8, 2], [1e8, -1e8, 2], [0, 1e8, 2]], np.float32)
    assert draw(corners, np.array([[0, 1, 2]], np.int32), 5, 7, backend).mask.all()


@each_backend
def test_culling_leaves_out_exactly_what_turns_away(backend: str) -> None:
    vertices, faces = sphere()
    projected = project(vertices - np.float32([0, 0, 4]), 100, 64, 64)
    reversed_faces = np.ascontiguousarray(faces[:, ::-1])
    kept = rasterize(projected, faces, projected, 64, 64, backend, cull=True)
    np.testing.assert_array_equal(
        kept.face_index, draw(projected, faces, 64, 64, backend).face_index
    )
    inside = rasterize(projected, reversed_faces, projected, 64, 64, backend, cull=True)
    assert (inside.depth[inside.mask] > kept.depth[inside.mask]).all()  # the far half's inside
    np.testing.assert_array_equal(inside.mask, kept.mask)


@each_backend
def test_nothing_to_draw_gives_an_empty_image(backend: str) -> None:
    empty = np.zeros((0, 3), np.int32)
    assert not draw(np.ones((3, 3), np.float32), empty, 4, 5, backend).mask.any()
    projected, faces = soup(np.random.default_rng(5), 5, 8, 8)
    without = rasterize(projected, faces, np.zeros((15, 0), np.float32), 8, 8, backend)
    assert without.image.shape == (8, 8, 0)
    assert without.mask.any()


@pytest.mark.parametrize("candidates", [torch_kernels.CANDIDATES_AT_ONCE, 500])
def test_torch_equals_numba(candidates: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_kernels, "CANDIDATES_AT_ONCE", candidates)
    vertices, faces = sphere()
    camera = pose(vertices, np.array([0.3, 0.5, 0.2]), np.array([0.3, 0, -2.4]))
    projected = project(camera, 150, 90, 110)
    one, other = (draw(projected, faces, 110, 90, backend) for backend in BACKENDS)
    np.testing.assert_array_equal(one.face_index, other.face_index)
    np.testing.assert_array_equal(one.mask, other.mask)
    for field in ("barycentric", "image", "depth"):
        np.testing.assert_allclose(getattr(one, field), getattr(other, field), rtol=1e-6, atol=1e-6)
        assert getattr(one, field).dtype == getattr(other, field).dtype == np.float32
    assert one.face_index.dtype == other.face_index.dtype == np.int32


def test_arrays_that_do_not_fit_are_refused() -> None:
    projected, faces = soup(np.random.default_rng(6), 2, 8, 8)
    with pytest.raises(ValueError, match="projected"):
        rasterize(projected[:, :2], faces, projected, 8, 8)
    with pytest.raises(ValueError, match="faces"):
        rasterize(projected, faces[:, :2], projected, 8, 8)
    with pytest.raises(ValueError, match="attributes"):
        rasterize(projected, faces, projected[:-1], 8, 8)
    with pytest.raises(ValueError, match=r"0\.\.5"):
        rasterize(projected, faces + 1, projected, 8, 8)


def test_an_unknown_back_end_is_named_with_those_there_are() -> None:
    projected, faces = soup(np.random.default_rng(7), 2, 8, 8)
    with pytest.raises(InputError, match="numba") as caught:
        rasterize(projected, faces, projected, 8, 8, "opengl")
    assert "opengl" in caught.value.message


def test_back_ends_are_known_by_device() -> None:
    assert set(BACKENDS) <= set(available_backends())
    assert best_backend("cpu") == best_backend() == "numba"
    assert best_backend("cuda:1") == "torch"


def test_importing_the_package_imports_no_back_end() -> None:
    code = "import sys, gsmooth_core.face.rasterizer; print({'torch', 'numba'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_kernels_compile_where_nothing_can_be_cached() -> None:
    """Numba has no place for the cache of a function without a file, as on a read-only disk."""
    scope: dict[str, object] = {}
    exec("def double(x):\n    return 2 * x", scope)  # noqa: S102
    assert compiled(scope["double"])(21) == 42  # type: ignore[arg-type]


def test_all_pictures_are_drawn_by_kernels_that_were_compiled_once() -> None:
    from gsmooth_core.face.rasterizer import numba_kernels

    for size in (1, 8):
        draw(*soup(np.random.default_rng(8), 5, size, size), size, size, "numba")
    assert len(numba_kernels.visible_faces.signatures) == 1
    assert len(numba_kernels.interpolate.signatures) == 1


@each_backend
def test_the_environment_chooses_what_draws(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    for name in ("numba_backend.rasterize", "differentiable.rasterize_arrays"):
        place = f"gsmooth_core.face.rasterizer.{name}"
        monkeypatch.setattr(place, lambda *_, name=name: drawn.append(name))
    monkeypatch.setenv("GSMOOTH_RASTERIZER", backend)
    assert chosen_backend() == backend
    rasterize(*sphere()[:2], np.zeros((len(sphere()[0]), 0), np.float32), 8, 8)
    assert drawn == [
        "numba_backend.rasterize" if backend == "numba" else "differentiable.rasterize_arrays"
    ]


def test_a_rasteriser_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GSMOOTH_RASTERIZER", "opengl")
    with pytest.raises(InputError, match="opengl"):
        chosen_backend()
    monkeypatch.setenv("GSMOOTH_RASTERIZER", "")
    assert chosen_backend() == best_backend()
