"""The animated face as USD and Alembic, read by others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from mathutils import Vector  # noqa: E402

from blender_addon import api  # noqa: E402
from blender_addon.errors import UserError  # noqa: E402
from blender_addon.head import mesh_export  # noqa: E402

# OpenUSD's own reader comes with Blender, where it is not installed beside it.
own_packages = Path(bpy.utils.resource_path("LOCAL")) / "python" / "lib"
sys.path += map(str, own_packages.glob("python3*/site-packages"))

FIRST = 11
LOOKED_AT = (11, 24, 50)
built = pytest.mark.skipif(not mesh_export.formats(), reason="a Blender without USD and Alembic")


@pytest.fixture
def head(timeline, scene):
    """The mesh of a clip, in a scene with something else selected."""
    scene.sequence_editor.active_strip = timeline.movie(first=FIRST)
    assert bpy.ops.gsmooth.preview_mesh() == {"FINISHED"}
    found = bpy.context.view_layer.objects.active
    other = bpy.data.objects.new("lamp", bpy.data.lights.new("lamp", "POINT"))
    scene.collection.objects.link(other)
    other.select_set(True)
    scene.frame_set(33)
    return found


def seen(scene, head):
    """World places of the vertices in each of the frames that are looked at."""
    found = {}
    for frame in LOOKED_AT:
        scene.frame_set(frame)
        body = head.evaluated_get(bpy.context.evaluated_depsgraph_get())
        mesh = body.to_mesh()
        found[frame] = [body.matrix_world @ vertex.co for vertex in mesh.vertices]
        body.to_mesh_clear()
    return found


def furthest(one, other):
    assert len(one) == len(other)
    return max((a - b).length for a, b in zip(one, other, strict=True))


@built
@pytest.mark.parametrize("suffix", [".usdc", ".usda"])
def test_usd_has_blend_shapes_and_the_heads_way(scene, head, tmp_path, suffix):
    pytest.importorskip("pxr")
    from pxr import Usd, UsdGeom, UsdSkel

    expected = seen(scene, head)
    scene.frame_set(33)
    path = tmp_path / f"face{suffix}"
    api.export_mesh(head, path)
    stage = Usd.Stage.Open(str(path))
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (FIRST, FIRST + 39)
    assert stage.GetTimeCodesPerSecond() == 25
    prims = list(stage.Traverse())
    assert any(prim.IsA(UsdGeom.Camera) for prim in prims)
    assert not any("lamp" in prim.GetName() for prim in prims)
    [mesh] = [UsdGeom.Mesh(prim) for prim in prims if prim.IsA(UsdGeom.Mesh)]
    shapes = [UsdSkel.BlendShape(prim) for prim in prims if prim.IsA(UsdSkel.BlendShape)]
    names = [shape.GetPrim().GetName() for shape in shapes]
    assert sorted(names) == sorted(key.name for key in head.data.shape_keys.key_blocks[1:])
    [animation] = [UsdSkel.Animation(prim) for prim in prims if prim.IsA(UsdSkel.Animation)]
    order = list(animation.GetBlendShapesAttr().Get())
    for frame in LOOKED_AT:
        weights = dict(zip(order, animation.GetBlendShapeWeightsAttr().Get(frame), strict=True))
        points = [Vector(point) for point in mesh.GetPointsAttr().Get(frame)]
        for name, shape in zip(names, shapes, strict=True):
            offsets = shape.GetOffsetsAttr().Get()
            at = shape.GetPointIndicesAttr().Get() or range(len(offsets))
            for index, offset in zip(at, offsets, strict=True):
                points[index] += weights[name] * Vector(offset)
        place = UsdGeom.XformCache(frame).GetLocalToWorldTransform(mesh.GetPrim())
        moved = [Vector(place.Transform(tuple(map(float, point)))) for point in points]
        assert furthest(moved, expected[frame]) < 1e-3


@built
def test_alembic_has_every_frame(scene, head, tmp_path):
    expected = seen(scene, head)
    path = tmp_path / "face.abc"
    api.export_mesh(head, path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.context.scene.render.fps = 25
    bpy.ops.wm.alembic_import(filepath=str(path), as_background_job=False)
    [body] = [item for item in bpy.data.objects if item.type == "MESH"]
    assert any(item.type == "CAMERA" for item in bpy.data.objects)
    found = seen(bpy.context.scene, body)
    assert max(furthest(found[frame], expected[frame]) for frame in LOOKED_AT) < 1e-4
    assert furthest(found[LOOKED_AT[0]], found[LOOKED_AT[1]]) > 0.05


@built
def test_the_scene_is_as_before(scene, head, tmp_path):
    head.select_set(False)
    before = scene.frame_start, scene.frame_end, scene.frame_current
    chosen = sorted(item.name for item in bpy.context.selected_objects)
    assert bpy.ops.gsmooth.export_mesh(filepath=str(tmp_path / "face.abc")) == {"FINISHED"}
    assert (scene.frame_start, scene.frame_end, scene.frame_current) == before
    assert sorted(item.name for item in bpy.context.selected_objects) == chosen


@built
def test_a_head_of_another_scene_is_written(scene, head, tmp_path):
    other = bpy.data.scenes.new("other")
    other.collection.objects.link(head)
    scene.collection.children.unlink(head.users_collection[0])
    api.export_mesh(head, tmp_path / "face.usdc")
    assert (tmp_path / "face.usdc").stat().st_size > 1000


def test_what_cannot_be_written_is_named(scene, head, tmp_path):
    with pytest.raises(UserError, match=r"no name for a mesh"):
        api.export_mesh(head, tmp_path / "face.obj")
    with pytest.raises(UserError, match="no head"):
        api.export_mesh(bpy.data.objects["lamp"], tmp_path / "face.usdc")
    if not mesh_export.formats():
        assert not bpy.ops.gsmooth.export_mesh.poll()
