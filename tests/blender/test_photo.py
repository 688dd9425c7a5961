"""A still picture moves when its user wants it to: settings, job file, Re-render."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.head import actions, rig  # noqa: E402
from blender_addon.panels import dub_panel  # noqa: E402
from blender_addon.settings.options import options_of  # noqa: E402
from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import strips  # noqa: E402
from gsmooth_core.job.job import load_job  # noqa: E402
from gsmooth_core.job.settings import AnimateSettings  # noqa: E402
from tests.blender.recorder import Recorder  # noqa: E402


def dubbed(scene):
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    return job_folder.resolve(strips.active_strip(scene)["gsmooth_job"])


@pytest.fixture
def photo(timeline, scene):
    timeline.sound()
    scene.sequence_editor.active_strip = timeline.image()
    return scene.sequence_editor.active_strip


@pytest.fixture
def movie(timeline, scene):
    timeline.sound()
    scene.sequence_editor.active_strip = timeline.movie()
    return scene.sequence_editor.active_strip


def drawn(scene):
    layout = Recorder()
    dub_panel._draw_selection(layout, scene)
    dub_panel.dub_button(layout, scene)
    return layout


def test_settings_have_the_cores_defaults_and_limits(scene):
    settings = scene.gsmooth
    settings.photo = "full"
    assert AnimateSettings.from_json(options_of(scene).moves) == AnimateSettings()
    for known in fields(AnimateSettings):
        if known.name in ("head", "blink", "brows"):
            prop = settings.bl_rna.properties[known.name]
            assert (prop.hard_min, prop.hard_max) == known.metadata["limits"]
    settings.head = settings.blink = settings.brows = settings.seed = 2**31 - 1
    moves = AnimateSettings.from_json(options_of(scene).moves)
    assert (moves.head, moves.blink, moves.brows) == (2.0, 3.0, 2.0)
    assert moves.seed == 2**31 - 1


def test_mouth_of_a_photo_moves_alone_unless_more_is_wanted(scene, photo):
    assert load_job(dubbed(scene)).animate is None


@pytest.mark.parametrize("mode", ["full", "still", "crop"])
def test_photo_is_animated(scene, photo, mode):
    scene.gsmooth.photo, scene.gsmooth.head, scene.gsmooth.seed = mode, 0.5, 7
    job = load_job(dubbed(scene))
    assert job.animate == AnimateSettings(mode=mode, head=0.5, seed=7)
    assert job.frame_count == 20
    shown = strips.active_strip(scene)
    assert (shown.type, strips.left(shown), strips.right(shown)) == ("MOVIE", 1, 21)


def test_another_movement_is_another_job(scene, photo):
    scene.gsmooth.photo = "full"
    folders = set()
    for seed in (1, 2, 2):
        scene.gsmooth.seed = seed
        folders.add(dubbed(scene))
        assert bpy.ops.gsmooth.restore_strip() == {"FINISHED"}
        next(s for s in strips.open_strips(scene) if s.type == "SOUND").select = True
    assert len(folders) == 2


def test_a_photo_follows_another_video(scene, photo, tmp_path):
    scene.gsmooth.photo, scene.gsmooth.movement = "full", str(tmp_path / "head.mp4")
    assert load_job(dubbed(scene)).animate.motion == str(tmp_path / "head.mp4")


def test_a_video_never_is(scene, movie):
    scene.gsmooth.photo = "full"
    assert load_job(dubbed(scene)).animate is None


def test_neither_is_a_photo_that_blender_renders(scene, photo, timeline):
    scene.gsmooth.photo = "full"
    photo.elements.append("photo.png")  # a sequence of two
    layout = drawn(scene)
    assert "photo" not in layout.props
    assert layout.buttons[-1].text == "Dub Strip"


def test_rerender_keeps_the_movement(scene, photo):
    scene.gsmooth.photo, scene.gsmooth.seed = "full", 3
    folder = dubbed(scene)
    assert bpy.ops.gsmooth.preview_mesh() == {"FINISHED"}
    scene.gsmooth.photo = "mouth"
    assert bpy.ops.gsmooth.rerender_strip() == {"FINISHED"}
    job = load_job(folder)
    assert job.expression is not None
    assert job.animate == AnimateSettings(seed=3)


def test_face_mesh_of_a_photo_moves_as_its_dub_will(scene, photo):
    scene.gsmooth.photo = "full"
    assert bpy.ops.gsmooth.preview_mesh() == {"FINISHED"}
    folder = job_folder.resolve(bpy.context.view_layer.objects.active["gsmooth_job"])
    assert load_job(folder).animate == AnimateSettings()


def test_panel_asks_for_a_photo_only(scene, timeline):
    timeline.sound()
    image, movie = timeline.image(), timeline.movie(channel=4)
    seen = {}
    for strip in (image, movie):
        for other in (image, movie):
            other.select = other == strip
        for mode in ("mouth", "still", "full", "crop"):
            scene.gsmooth.photo = mode
            layout = drawn(scene)
            seen[strip.type, mode] = (layout.props, layout.buttons[-1].text)
    assert seen["IMAGE", "mouth"] == (["photo"], "Dub Strip")
    assert seen["IMAGE", "still"] == (["photo", "blink", "brows", "seed"], "Animate Photo")
    moves = ["photo", "head", "movement", "blink", "brows", "seed"]
    assert seen["IMAGE", "full"] == seen["IMAGE", "crop"] == (moves, "Animate Photo")
    clip = ["length"], "Dub Strip"  # the speech outlasts it
    assert all(seen["MOVIE", mode] == clip for mode in ("mouth", "still", "full"))


def moved_head(scene):
    """A photo in motion, its job's folder and the mesh of its head."""
    scene.gsmooth.photo = "full"
    folder = dubbed(scene)
    assert bpy.ops.gsmooth.preview_mesh() == {"FINISHED"}
    return folder, next(rig.heads(folder))


def sent(folder):
    """The columns that Re-render sends, by name."""
    assert bpy.ops.gsmooth.rerender_strip() == {"FINISHED"}
    curves = json.loads((folder / "expression.json").read_text())
    return {name: [row[n] for row in curves["values"]] for n, name in enumerate(curves["names"])}


def test_rerender_sends_where_the_head_is(scene, photo):
    folder, head = moved_head(scene)
    columns = sent(folder)
    note = rig.noted_job(head)
    for axis, name in enumerate("XYZ"):
        scene.frame_set(note.first + 1)
        assert columns[f"head{name}"][1] == pytest.approx(head.location[axis], abs=1e-5)
        turn = head.rotation_quaternion
        turn = (turn if turn.w >= 0 else -turn).to_axis_angle()
        assert columns[f"headTurn{name}"][1] == pytest.approx(turn[1] * turn[0][axis], abs=1e-5)


def test_an_edited_pose_is_sent(scene, photo):
    folder, head = moved_head(scene)
    before = sent(folder)
    for curve in actions.curves_of(head):
        if curve.data_path == "location":
            curve.mute = True
    head.rotation_mode = "XYZ"
    head.location, head.rotation_euler = (0.5, 0.25, -6.0), (0.0, 0.5, 0.0)
    after = sent(folder)
    assert (after["headX"][0], after["headY"][0], after["headZ"][0]) == (0.5, 0.25, -6.0)
    assert after["headTurnY"] == pytest.approx([0.5] * len(after["headTurnY"]))
    assert after["headTurnX"] == pytest.approx([0.0] * len(after["headTurnX"]))
    assert before["headX"] != after["headX"]


def test_a_video_sends_no_pose(scene, movie):
    folder = dubbed(scene)
    assert bpy.ops.gsmooth.preview_mesh() == {"FINISHED"}
    assert not any(name.startswith("head") for name in sent(folder))


def driver(head, path, index, expression):
    made = head.driver_add(path, index).driver
    made.type, made.expression = "SCRIPTED", expression


def test_a_driven_head_is_sent_as_blender_moves_it(scene, photo):
    folder, head = moved_head(scene)
    before = sent(folder)
    driver(head, "location", 0, "frame / 100")
    after, note = sent(folder), rig.noted_job(head)
    wanted = [frame / 100 for frame in range(note.first, note.first + note.count)]
    assert after["headX"] == pytest.approx(wanted, abs=1e-5)
    for name in ("headY", "headZ", "headTurnX", "headTurnY", "headTurnZ"):
        assert after[name] == pytest.approx(before[name], abs=2e-5)
    assert scene.frame_current == 1


def test_a_head_in_the_nla_is_sent_as_blender_moves_it(scene, photo):
    """The same action three frames later."""
    folder, head = moved_head(scene)
    before, note = sent(folder), rig.noted_job(head)
    data = head.animation_data
    strip = data.nla_tracks.new().strips.new("later", note.first + 3, data.action)
    if hasattr(strip, "action_slot"):
        strip.action_slot = data.action_slot
    data.action = None
    after = sent(folder)
    for name in ("headX", "headY"):
        assert after[name][3:] == pytest.approx(before[name][:-3], abs=1e-5)
        assert before[name] != after[name]


def test_a_constrained_head_is_sent_as_blender_moves_it(scene, photo):
    folder, head = moved_head(scene)
    before = sent(folder)
    limit = head.constraints.new("LIMIT_LOCATION")
    limit.use_max_x, limit.max_x, limit.owner_space = True, -1.0, "LOCAL"
    after = sent(folder)
    assert max(before["headX"]) > 0
    assert after["headX"] == pytest.approx([-1.0] * len(before["headX"]), abs=1e-5)
    limit.mute = True
    assert sent(folder) == before


def test_where_the_rig_stands_moves_no_head(scene, photo):
    folder, head = moved_head(scene)
    driver(head, "location", 0, "0.25")
    before = sent(folder)
    head.parent.location = (3.0, 4.0, 5.0)
    head.parent.rotation_euler[2] = 1.0
    after = sent(folder)
    for name in before:
        assert after[name] == pytest.approx(before[name], abs=1e-4)


def test_a_head_that_turns_by_axis_and_angle_is_sent(scene, photo):
    folder, head = moved_head(scene)
    head.animation_data_clear()
    head.rotation_mode = "AXIS_ANGLE"
    head.rotation_axis_angle = (0.5, 0.0, 1.0, 0.0)
    after = sent(folder)
    assert after["headTurnY"] == pytest.approx([0.5] * len(after["headTurnY"]), abs=1e-5)
