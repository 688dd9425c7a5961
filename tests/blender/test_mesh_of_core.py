"""The default face model in Blender against gsmooth_core's own vertices, at five frames."""

from __future__ import annotations

import subprocess
from array import array
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.head import mesh_file, rig  # noqa: E402

WIDTH, HEIGHT, FIRST = 640, 360, 101
FRAMES = (0, 7, 13, 21, 29)


@pytest.fixture(scope="module")
def files(core_python, tmp_path_factory):
    """Folder with mesh.safetensors and expected.safetensors."""
    folder = tmp_path_factory.mktemp("mesh")
    script = Path(__file__).with_name("expected_mesh.py")
    command = [core_python, str(script), str(folder), *map(str, FRAMES)]
    subprocess.run(command, check=True, env={})
    return folder


@pytest.fixture
def body(scene, files):
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    head = mesh_file.read_mesh(files / "mesh.safetensors")
    picture = rig.Picture(files / "none.mp4", FIRST, 30, False)
    body = rig.build(scene, "face", head, FIRST, picture, None)
    rig.activate(scene, body)
    return body


@pytest.mark.parametrize("row", range(5))
def test_vertices_and_pixels_equal_the_cores(scene, body, files, row):
    expected, _ = mesh_file.read_tensors(files / "expected.safetensors")
    vertices, pixels = expected["vertices"].row(row), expected["pixels"].row(row)
    size = max(vertices[1::3]) - min(vertices[1::3])
    lens = rig.camera_of(body).calc_matrix_camera(
        bpy.context.evaluated_depsgraph_get(), x=WIDTH, y=HEIGHT
    )
    found = camera_space(scene, body, FIRST + FRAMES[row])
    assert max(abs(a - b) for a, b in zip(flat(found), vertices, strict=True)) < 1e-4 * size
    seen = flat(pixel(lens, point) for point in found)
    assert max(abs(a - b) for a, b in zip(seen, pixels, strict=True)) < 0.05


def camera_space(scene, body, frame):
    scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    shown = body.evaluated_get(graph)
    to_camera = body.parent.matrix_world.inverted() @ shown.matrix_world
    return [to_camera @ vertex.co for vertex in shown.to_mesh().vertices]


def pixel(lens, point):
    """Where a point of camera space falls, by the Blender camera's projection matrix."""
    x, y, _z, w = lens @ point.to_4d()
    return (x / w + 1) / 2 * WIDTH, (1 - y / w) / 2 * HEIGHT


def flat(rows):
    return array("f", (value for row in rows for value in row))
