"""The default face model in Blender against gsmooth_core's own vertices, at five frames."""

from __future__ import annotations

from fractions import Fraction

import pytest

bpy = pytest.importorskip("bpy")
np = pytest.importorskip("numpy")
pytest.importorskip("safetensors")

from blender_addon import mesh_file, rig  # noqa: E402
from gsmooth_core import models  # noqa: E402
from gsmooth_core.camera import pose, project  # noqa: E402
from gsmooth_core.data import FaceTrack  # noqa: E402
from gsmooth_core.face_model import load_face_model  # noqa: E402
from gsmooth_core.mesh import export_mesh  # noqa: E402

FRAMES, FIRST = 30, 101
WIDTH, HEIGHT, FOCAL = 640, 360, 900.0


@pytest.fixture(scope="module")
def model():
    if models.find("face_model") is None:
        pytest.skip("the face model is not baked")
    return load_face_model()


@pytest.fixture(scope="module")
def track(model):
    """A lively head: every expression in and beyond 0..1, turns about all axes."""
    dice = np.random.default_rng(5)
    components = len(model.expression_names)
    return FaceTrack(
        width=WIDTH,
        height=HEIGHT,
        fps=Fraction(25),
        model=model.name,
        focal=FOCAL,
        identity=dice.normal(size=len(model.identity_basis)).astype(np.float32),
        expression_names=model.expression_names,
        expression=dice.uniform(-0.4, 1.3, (FRAMES, components)).astype(np.float32),
        rotation=dice.uniform(-0.9, 0.9, (FRAMES, 3)).astype(np.float32),
        translation=(dice.normal(size=(FRAMES, 3)) * 0.3 + [0, 0, -9]).astype(np.float32),
        light=np.zeros((FRAMES, 9, 3), np.float32),
        confidence=np.ones(FRAMES, np.float32),
        landmarks=np.zeros((FRAMES, 478, 2), np.float32),
    )


def test_vertices_and_pixels_equal_the_cores(scene, model, track, tmp_path):
    path = tmp_path / "mesh.safetensors"
    export_mesh(path, model, track, track.curves)
    picture = rig.Picture(tmp_path / "none.mp4", FIRST, FRAMES, False)
    head = mesh_file.read_mesh(path)
    body = rig.build(scene, "face", head, FIRST, picture, None)
    rig.activate(scene, body)
    size = np.ptp(model.mean, axis=0).max()
    for frame in (0, 7, 13, 21, 29):
        shaped = model.shape(track.identity, track.expression[frame])
        expected = pose(shaped, track.rotation[frame], track.translation[frame])
        found = camera_space(scene, body, FIRST + frame)
        assert np.abs(found - expected).max() < 1e-4 * size
        pixels = project(expected, FOCAL, WIDTH, HEIGHT)[:, :2]
        assert np.abs(seen(scene, body, found) - pixels).max() < 0.05


def camera_space(scene, body, frame):
    scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    shown = body.evaluated_get(graph)
    mesh = shown.to_mesh()
    points = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    turn = np.array(body.parent.matrix_world.inverted() @ shown.matrix_world)
    return points.reshape(-1, 3) @ turn[:3, :3].T + turn[:3, 3]


def seen(scene, body, points):
    """Pixels through the lens of the Blender camera, from its projection matrix."""
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    graph = bpy.context.evaluated_depsgraph_get()
    lens = np.array(rig.camera_of(body).calc_matrix_camera(graph, x=WIDTH, y=HEIGHT))
    clip = np.c_[points, np.ones(len(points))] @ lens.T
    at = clip[:, :2] / clip[:, 3:]
    return np.c_[(at[:, 0] + 1) / 2 * WIDTH, (1 - at[:, 1]) / 2 * HEIGHT]
