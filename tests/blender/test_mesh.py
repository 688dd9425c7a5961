"""The head in Blender against the arrays it was made of, by arithmetic of our own."""

from __future__ import annotations

import json
import math
import random
from array import array
from itertools import pairwise
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from bpy_extras.object_utils import world_to_camera_view  # noqa: E402
from mathutils import Vector  # noqa: E402

from blender_addon.errors import UserError  # noqa: E402
from blender_addon.head import actions, mesh_file, rig, shape_keys  # noqa: E402
from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import strips  # noqa: E402

FIRST = 11


@pytest.fixture
def head(timeline):
    """The mesh of a dubbed clip that begins at scene frame 11."""
    timeline.movie(first=FIRST)
    timeline.sound(first=FIRST)
    bpy.ops.gsmooth.dub_strip()
    assert bpy.ops.gsmooth.preview_mesh() == {"FINISHED"}
    return bpy.context.view_layer.objects.active


def data_of(head):
    return mesh_file.read_mesh(job_folder.resolve(head["gsmooth_job"]) / "mesh.safetensors")


def rows(tensor, index):
    values = tensor.row(index)
    return [values[i : i + 3] for i in range(0, len(values), 3)]


def rotated(point, axis_angle):
    """Rodrigues' formula."""
    angle = math.sqrt(sum(a * a for a in axis_angle))
    axis = [a / angle for a in axis_angle]
    cross = [axis[i - 2] * point[i - 1] - axis[i - 1] * point[i - 2] for i in range(3)]
    along = sum(a * p for a, p in zip(axis, point, strict=True)) * (1 - math.cos(angle))
    return [
        p * math.cos(angle) + c * math.sin(angle) + a * along
        for p, c, a in zip(point, cross, axis, strict=True)
    ]


def camera_space(data, frame):
    """Vertices of one frame: (rest + sum of value x offset), turned and moved."""
    rest = [data.vertices.values[i : i + 3] for i in range(0, len(data.vertices.values), 3)]
    weights = data.values.row(frame)
    keys = [rows(data.shape_keys, k) for k in range(len(data.names))]
    turn, shift = data.rotation.row(frame), data.translation.row(frame)
    for v, point in enumerate(rest):
        shaped = [
            c + sum(w * key[v][i] for w, key in zip(weights, keys, strict=True))
            for i, c in enumerate(point)
        ]
        yield [c + s for c, s in zip(rotated(shaped, turn), shift, strict=True)]


def in_blender(head, scene_frame):
    scene = bpy.context.scene
    scene.frame_set(scene_frame)
    graph = bpy.context.evaluated_depsgraph_get()
    body = head.evaluated_get(graph)
    to_camera = head.parent.evaluated_get(graph).matrix_world.inverted() @ body.matrix_world
    return [to_camera @ vertex.co for vertex in body.to_mesh().vertices]


@pytest.mark.parametrize("frame", [0, 7, 19, 30, 39])
def test_vertices_equal_the_models(head, frame):
    data = data_of(head)
    expected = list(camera_space(data, frame))
    found = in_blender(head, FIRST + frame)
    size = max(v[1] for v in expected) - min(v[1] for v in expected)
    worst = max((Vector(e) - f).length for e, f in zip(expected, found, strict=True))
    assert worst < 1e-4 * size


def test_mesh_has_its_topology_and_uvs(head):
    data, mesh = data_of(head), head.data
    faces = [tuple(polygon.vertices) for polygon in mesh.polygons]
    assert faces == [tuple(row) for row in zip(*[iter(data.faces.values)] * 3, strict=True)]
    found = array("f", bytes(4 * len(data.uvs.values)))
    mesh.uv_layers[0].uv.foreach_get("vector", found)
    assert found == data.uvs.values
    assert not mesh.validate()


def test_camera_sees_the_mesh_where_the_picture_has_it(head):
    """u = W/2 + f x/(-z), v = H/2 - f y/(-z), also when the scene has another aspect."""
    scene, data = bpy.context.scene, data_of(head)
    scene.render.resolution_x, scene.render.resolution_y = data.width, data.height
    camera = next(item for item in bpy.data.objects if item.type == "CAMERA")
    scene.frame_set(FIRST + 3)
    for x, y, z in list(camera_space(data, 3))[::20]:
        world = camera.parent.matrix_world @ Vector((x, y, z))
        seen = world_to_camera_view(scene, camera, world)
        u, v = 32 + 80 * x / -z, 18 - 80 * y / -z
        assert (seen.x * 64, (1 - seen.y) * 36) == pytest.approx((u, v), abs=1e-3)


def test_camera_shows_the_clip_behind_the_mesh(head):
    camera = next(item for item in bpy.data.objects if item.type == "CAMERA").data
    background = camera.background_images[0]
    assert background.image.source == "MOVIE"
    assert background.image_user.frame_start == FIRST
    assert background.image_user.frame_duration == 40


def test_sliders_are_arkits_with_room(head):
    for key in head.data.shape_keys.key_blocks[1:]:
        assert key.slider_min == -1
        assert key.slider_max == 2


def test_curves_come_back_as_they_were(head):
    data = data_of(head)
    values = shape_keys.read_curves(head, FIRST, 40)
    flat = [value for row in values for value in row]
    assert flat == pytest.approx(list(data.values.values), abs=1e-5)
    assert shape_keys.key_names(head) == list(data.names)


def triangle(values, turns):
    """A head of three vertices and one key, with a value and an axis-angle turn a frame."""
    count = len(values)
    corners = array("f", [0, 0, 0, 1, 0, 0, 0, 1, 0])
    return mesh_file.HeadMesh(
        vertices=mesh_file.Tensor(corners, (3, 3)),
        faces=mesh_file.Tensor(array("i", [0, 1, 2]), (1, 3)),
        uvs=mesh_file.Tensor(array("f", [0] * 6), (3, 2)),
        shape_keys=mesh_file.Tensor(array("f", [0.1] * 9), (1, 3, 3)),
        values=mesh_file.Tensor(array("f", values), (count, 1)),
        rotation=mesh_file.Tensor(array("f", [a for turn in turns for a in turn]), (count, 3)),
        translation=mesh_file.Tensor(array("f", [0] * 3 * count), (count, 3)),
        usable=mesh_file.Tensor(array("B", [1] * count), (count,)),
        names=("pc1",), focal=1.0, width=1, height=1,
    )  # fmt: skip


@pytest.mark.parametrize("half", [0.5, 0.0])
def test_between_frames_the_head_is_between_their_turns(scene, half):
    """A turn past half a circle, whose axis-angle vectors change sides there."""
    angles = [2.5, 2.9, 3.3, 3.7, 4.1]
    vectors = [(0, a if a < math.pi else a - 2 * math.pi, 0) for a in angles]
    body = shape_keys.build_head("turning", triangle([0.0] * len(angles), vectors), FIRST)
    scene.collection.objects.link(body)
    for i, (angle, following) in enumerate(pairwise(angles)):
        scene.frame_set(FIRST + i, subframe=half)
        turned = body.evaluated_get(bpy.context.evaluated_depsgraph_get()).matrix_world
        expected = rotated((0.3, 0.5, -0.8), (0, angle + half * (following - angle), 0))
        assert list(turned @ Vector((0.3, 0.5, -0.8))) == pytest.approx(expected, abs=1e-5)


def test_large_values_are_scaled_not_clamped(scene):
    """A model of another kind has coefficients beyond what Blender lets a slider hold."""
    dice = random.Random(1)
    values = [dice.uniform(-60, 60) for _ in range(4)]
    body = shape_keys.build_head("other", triangle(values, [(0, 0, 0)] * 4), 1)
    scene.collection.objects.link(body)
    back = shape_keys.read_curves(body, 1, 4)
    assert [row[0] for row in back] == pytest.approx(values, rel=1e-5)
    scene.frame_set(3)
    body = body.evaluated_get(bpy.context.evaluated_depsgraph_get())
    assert body.to_mesh().vertices[0].co.x == pytest.approx(0.1 * values[2], rel=1e-4)


def edit(head, name, value):
    keys = head.data.shape_keys
    data = keys.animation_data
    for curve in actions.curves_of(keys):
        if curve.data_path == f'key_blocks["{name}"].value':
            for point in curve.keyframe_points:
                point.co.y = value
            curve.update()
    return data


def test_edited_curves_reach_the_job_and_the_strip(head):
    folder = job_folder.resolve(head["gsmooth_job"])
    before = data_of(head)
    edit(head, "jawOpen", 0.75)
    head.data.shape_keys.key_blocks["mouthFunnel"].mute = True
    edit(head, "mouthSmileLeft", 5.0)  # beyond the slider: acts as 2
    assert bpy.ops.gsmooth.rerender_strip() == {"FINISHED"}
    content = json.loads((folder / "expression.json").read_text())
    assert content["names"] == list(before.names)
    assert content["fps"] == "25/1"
    assert content["values"] == [[0.75, 2.0, 0.0]] * 40
    strip = strips.active_strip(bpy.context.scene)
    assert Path(bpy.path.abspath(strip.filepath)).name == "clip_dubbed_v2.mp4"
    assert Path(bpy.path.abspath(strip.filepath)).is_file()
    assert (strips.left(strip), strips.right(strip)) == (FIRST, FIRST + 40)


def test_folder_that_was_moved_still_works(timeline, media, tmp_path):
    """The blend file, its media and its jobs go to another place together."""
    import shutil

    old, new = tmp_path / "old", tmp_path / "new"
    shutil.copytree(media, old)
    bpy.ops.wm.save_as_mainfile(filepath=str(old / "film.blend"))
    timeline.media = old
    timeline.movie()
    timeline.sound()
    bpy.ops.gsmooth.dub_strip()
    bpy.ops.gsmooth.preview_mesh()
    bpy.ops.file.make_paths_relative()
    bpy.ops.wm.save_mainfile()
    old.rename(new)
    bpy.ops.wm.open_mainfile(filepath=str(new / "film.blend"))
    assert bpy.ops.gsmooth.rerender_strip() == {"FINISHED"}
    strip = strips.active_strip(bpy.context.scene)
    assert strips.source_path(strip).is_relative_to(new)
    assert strips.source_path(strip).name == "clip_dubbed_v2.mp4"


def test_mesh_that_is_there_is_not_made_again(head):
    edit(head, "jawOpen", 0.75)
    bpy.ops.gsmooth.preview_mesh()
    assert bpy.context.view_layer.objects.active == head
    assert shape_keys.read_curves(head, FIRST, 1)[0][0] == 0.75
    bpy.ops.gsmooth.preview_mesh(rebuild=True)
    assert sum(rig.is_head(body) for body in bpy.data.objects) == 1


def test_mesh_of_a_clip_that_is_not_dubbed(timeline):
    timeline.movie(first=3)
    assert bpy.ops.gsmooth.preview_mesh() == {"FINISHED"}
    head = bpy.context.view_layer.objects.active
    assert (head["gsmooth_first"], head["gsmooth_count"]) == (3, 40)
    assert bpy.ops.gsmooth.rerender_strip() == {"FINISHED"}
    assert strips.active_strip(bpy.context.scene).name == "clip dubbed"


def test_object_without_keys_is_refused(scene):
    body = bpy.data.objects.new("plain", bpy.data.meshes.new("plain"))
    with pytest.raises(UserError, match="no expression shape keys"):
        shape_keys.key_names(body)


@pytest.mark.parametrize("content", [b"", b"\x10\0\0\0\0\0\0\0{", b"\x02\0\0\0\0\0\0\0{}"])
def test_damaged_mesh_file_is_refused(tmp_path, content):
    path = tmp_path / "mesh.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError, match="mesh"):
        mesh_file.read_mesh(path)
