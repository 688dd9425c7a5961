"""A head shows what is dubbed or what was filmed; edits are the dub's, and none is lost."""

from __future__ import annotations

import json

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.head import actions, curve_sets, mesh_file, rig, shape_keys  # noqa: E402
from blender_addon.storage import job_folder  # noqa: E402

FIRST = 11


@pytest.fixture
def head(timeline):
    """The mesh of a dub that no other test edits."""
    timeline.movie(first=FIRST)
    timeline.sound(first=FIRST + 3)
    bpy.ops.gsmooth.dub_strip()
    assert bpy.ops.gsmooth.preview_mesh() == {"FINISHED"}
    return bpy.context.view_layer.objects.active


@pytest.fixture
def data(head):
    return mesh_file.read_mesh(job_folder.resolve(head["gsmooth_job"]) / "mesh.safetensors")


def show(which):
    assert bpy.ops.gsmooth.show_curves(which=which) == {"FINISHED"}


def shown(head):
    """Values of the keys as Blender evaluates them, frame by frame."""
    scene, rows = bpy.context.scene, []
    for frame in range(FIRST, FIRST + 40):
        scene.frame_set(frame)
        keys = head.evaluated_get(bpy.context.evaluated_depsgraph_get()).data.shape_keys
        rows += [key.value for key in keys.key_blocks[1:]]
    return rows


def edit(head, frame, value):
    for curve in actions.curves_of(head.data.shape_keys):
        if "jawOpen" in curve.data_path:
            curve.keyframe_points[frame].co[1] = value
            curve.update()


def test_each_set_is_what_the_file_says(head, data):
    assert shown(head) == pytest.approx(list(data.values.values), abs=1e-5)
    show("filmed")
    assert shown(head) == pytest.approx(list(data.tracked.values), abs=1e-5)
    assert list(data.tracked.values) != list(data.values.values)
    show("filmed")  # once more is no other
    show("dubbed")
    show("dubbed")
    assert shown(head) == pytest.approx(list(data.values.values), abs=1e-5)


def test_an_edit_is_there_after_the_look_at_what_was_filmed(head, data, tmp_path):
    edit(head, 5, 0.75)
    show("filmed")
    assert all(curve.lock for curve in actions.curves_of(head.data.shape_keys))
    name = head.name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "later.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "later.blend"))
    again = bpy.data.objects[name]
    assert curve_sets.shows_filmed(again)
    bpy.context.view_layer.objects.active = again
    show("dubbed")
    values = shape_keys.read_curves(again, FIRST, 40)
    assert values[5][0] == pytest.approx(0.75)
    assert not any(curve.lock for curve in actions.curves_of(again.data.shape_keys))


def test_re_render_takes_the_edited_curves_whatever_is_shown(head, data):
    edit(head, 5, 0.75)
    show("filmed")
    assert bpy.ops.gsmooth.rerender_strip() == {"FINISHED"}
    written = json.loads((rig.noted_job(head).folder / "expression.json").read_text())["values"]
    assert written[5][0] == pytest.approx(0.75)
    assert written[6] == pytest.approx(data.values.row(6), abs=1e-5)
    assert not curve_sets.shows_filmed(head)


def test_curves_from_elsewhere_do_not_go_into_what_was_filmed(head, data):
    show("filmed")
    shape_keys.give_curves(head, FIRST, {"jawOpen": [0.5] * 40})
    assert not curve_sets.shows_filmed(head)
    assert {row[0] for row in shape_keys.read_curves(head, FIRST, 40)} == {0.5}
    show("filmed")
    assert shown(head) == pytest.approx(list(data.tracked.values), abs=1e-5)


def test_a_head_of_an_earlier_version_has_one_set(head):
    del head[curve_sets.FILMED]
    with pytest.raises(RuntimeError, match="does not know what was filmed"):
        bpy.ops.gsmooth.show_curves(which="filmed")
    curve_sets.show_filmed(head)
    curve_sets.show_dubbed(head)
    assert len(list(actions.curves_of(head.data.shape_keys))) == 3


def test_a_file_whose_filmed_curves_do_not_fit_is_refused(head, data):
    arrays = {name: getattr(data, name) for name in mesh_file._LAYOUT}
    arrays["tracked"] = mesh_file.Tensor(data.tracked.values[:-3], (39, 3))
    with pytest.raises(ValueError, match="tracked"):
        mesh_file._check_layout(arrays, 3)
