"""A known texture, drawn on a mesh and carried back; what must not be carried back."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from gsmooth_core.face.camera import pose, project
from gsmooth_core.face.rasterizer import rasterize
from gsmooth_core.face.shading import vertex_normals
from gsmooth_core.face.texture import TextureAccumulator, facing_weight
from gsmooth_core.types import Bool, Float, Image, Int
from tests.face.rasterizer.meshes import grid_faces

SIZE, HEIGHT, WIDTH, FOCAL = 128, 300, 400, 700.0
ROWS, COLUMNS = 30, 40


def half_cylinder() -> tuple[Float, Int, Float]:
    """Vertices, faces and UVs of a half tube that bulges towards the camera, as a face does."""
    v, u = np.meshgrid(np.linspace(1, 0, ROWS), np.linspace(0, 1, COLUMNS), indexing="ij")
    angle = (u - 0.5) * np.pi
    vertices = np.stack([np.sin(angle), 2 * v - 1, np.cos(angle)], axis=-1)
    uvs = np.stack([0.1 + 0.8 * u, 0.1 + 0.8 * v], axis=-1)
    return (
        vertices.reshape(-1, 3).astype(np.float32),
        grid_faces(ROWS, COLUMNS),
        uvs.reshape(-1, 2).astype(np.float32),
    )


def known_texture() -> Image:
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    waves = [np.sin(17 * x + 3 * y), np.cos(19 * y), np.sin(11 * (x - y))]
    return np.rint(127 + 90 * np.stack(waves, axis=-1)).astype(np.uint8)


def views(texture: Image) -> Iterator[tuple[Image, Float, Float]]:
    """Frames with the mesh drawn over a magenta ground, projected vertices and weights."""
    vertices, faces, uvs = half_cylinder()
    for turn in (-0.7, 0.0, 0.7):
        camera = pose(vertices, np.float32([0.1, turn, 0.05]), np.float32([0, 0, -6]))
        projected = project(camera, FOCAL, WIDTH, HEIGHT)
        raster = rasterize(projected, faces, uvs, HEIGHT, WIDTH)
        x = raster.image[..., 0] * SIZE - 0.5
        y = (1 - raster.image[..., 1]) * SIZE - 0.5
        frame = cv2.remap(texture, x, y, cv2.INTER_CUBIC)
        frame[~raster.mask] = (255, 0, 255)
        yield frame, projected, facing_weight(camera, vertex_normals(camera, faces))


def accumulator() -> TextureAccumulator:
    _, faces, uvs = half_cylinder()
    return TextureAccumulator(faces, uvs, faces, SIZE)


def gathered(texture: Image, backwards: bool = False) -> tuple[Image, Bool]:
    gather = accumulator()
    frames = list(views(texture))
    for frame, projected, weight in frames[::-1] if backwards else frames:
        gather.add(frame, projected, weight)
    return gather.result()


def test_a_known_texture_comes_back() -> None:
    texture = known_texture()
    found, coverage = gathered(texture)
    difference = np.abs(found.astype(int) - texture)[coverage]
    assert coverage.mean() > 0.95 * 0.8**2  # of the chart
    assert difference.mean() < 1
    assert difference.max() < 12


def test_coverage_stays_inside_the_chart() -> None:
    _, coverage = gathered(known_texture())
    place = (np.arange(SIZE) + 0.5) / SIZE
    outside = (place < 0.1) | (place > 0.9)
    assert not coverage[outside].any()
    assert not coverage[:, outside].any()


def test_order_of_frames_does_not_matter() -> None:
    one, covered = gathered(known_texture())
    other, covered_too = gathered(known_texture(), backwards=True)
    np.testing.assert_array_equal(covered, covered_too)
    assert np.abs(one.astype(int) - other).max() <= 1


def test_what_no_frame_shows_is_filled_without_seam() -> None:
    colour = np.broadcast_to(np.uint8([200, 120, 40]), (SIZE, SIZE, 3))
    found, coverage = gathered(np.ascontiguousarray(colour))
    assert not coverage.all()
    np.testing.assert_array_equal(found, colour)


def squares(*depths: float) -> tuple[Float, Int, Float]:
    """Squares one behind another that fill the frame's middle, each with its strip of texture."""
    corners = np.array([[100, 50], [300, 50], [100, 250], [300, 250]], np.float32)
    count = len(depths)
    projected = np.concatenate(
        [np.concatenate([corners, np.full((4, 1), depth)], axis=-1) for depth in depths]
    )
    faces = np.concatenate([grid_faces(2, 2) + 4 * index for index in range(count)])
    strip = np.array([[0, 1], [1, 1], [0, 0], [1, 0]], np.float32)
    uvs = np.concatenate([(strip + np.array([index, 0])) / [count, 1] for index in range(count)])
    return projected.astype(np.float32), faces, uvs.astype(np.float32)


def coverage_of(projected: Float, faces: Int, uvs: Float, weight: Float | None = None) -> Bool:
    gather = TextureAccumulator(faces, uvs, faces, 32)
    gather.add(np.zeros((HEIGHT, WIDTH, 3), np.uint8), projected, weight)
    return gather.result()[1]


@pytest.mark.parametrize("gap", [0.1, 3.0])
def test_a_hidden_surface_takes_no_pixels(gap: float) -> None:
    coverage = coverage_of(*squares(5, 5 + gap))
    assert coverage[:, :16].mean() > 0.9
    assert not coverage[:, 16:].any()


def test_a_surface_that_turns_away_takes_no_pixels() -> None:
    projected, faces, uvs = squares(5)
    assert coverage_of(projected, faces, uvs).mean() > 0.9
    assert not coverage_of(projected, np.ascontiguousarray(faces[:, ::-1]), uvs).any()


def test_the_far_side_of_a_thin_leaf_takes_no_pixels() -> None:
    projected, faces, uvs = squares(5, 5.005)
    faces[2:] = faces[2:, ::-1]
    coverage = coverage_of(projected, faces, uvs)
    assert coverage[:, :16].mean() > 0.9
    assert not coverage[:, 16:].any()


def test_only_the_part_inside_the_frame_is_covered() -> None:
    projected, faces, uvs = squares(5)
    projected[:, 0] -= 200  # half of the square is left of the frame
    coverage = coverage_of(projected, faces, uvs)
    assert not coverage[:, :16].any()
    assert coverage[:, 17:].mean() > 0.9


def test_a_mesh_behind_the_camera_is_not_covered() -> None:
    projected, faces, uvs = squares(5)
    assert not coverage_of(projected * np.float32([1, 1, -1]), faces, uvs).any()


def test_vertices_without_weight_are_not_believed() -> None:
    projected, faces, uvs = squares(5)
    assert not coverage_of(projected, faces, uvs, np.zeros(4, np.float32)).any()


def test_without_a_frame_nothing_is_covered() -> None:
    texture, coverage = accumulator().result()
    assert texture.shape == (SIZE, SIZE, 3)
    assert texture.dtype == np.uint8
    assert not coverage.any()


def test_facing_weight_is_the_squared_cosine_of_the_view() -> None:
    vertices = np.array([[0, 0, -4], [0, 0, -4], [0, 0, -4], [3, 0, -4]], np.float32)
    tilt = np.array([[0, 0, 1], [0.6, 0, 0.8], [0, 0, -1], [0, 0, 1]], np.float32)
    np.testing.assert_allclose(facing_weight(vertices, tilt), [1, 0.64, 0, 0.64], rtol=1e-6)
