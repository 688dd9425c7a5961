"""A stranger's blend file, and answers that no worker of ours gives: named errors in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.blender.conftest import media, scene, timeline  # noqa: F401 - fixtures

bpy = pytest.importorskip("bpy")

from blender_addon.errors import UserError  # noqa: E402
from blender_addon.head import actions, rig  # noqa: E402
from blender_addon.review import sync_check  # noqa: E402
from blender_addon.storage import job_folder  # noqa: E402
from blender_addon.timeline import planning, strips  # noqa: E402

pytestmark = pytest.mark.blender

# -- custom properties -----------------------------------------------------------------------


@pytest.fixture
def head(timeline):  # noqa: F811
    """The mesh of a dubbed clip, as a stranger may have saved it."""
    timeline.movie(first=11)
    timeline.sound(first=11)
    bpy.ops.gsmooth.dub_strip()
    bpy.ops.gsmooth.preview_mesh()
    return bpy.context.view_layer.objects.active


def refusal(operator: Any) -> str:
    """What an operator says when it refuses; a traceback is no refusal."""
    with pytest.raises(RuntimeError) as caught:
        operator()
    text = str(caught.value)
    assert "Traceback" not in text, text
    return text


JUNK = [5, -1, 2.5, float("nan"), True, [1, 2], [0.5], {"a": 1}, b"\xff", "", "\udcff", "x" * 5000]


@pytest.mark.parametrize("value", JUNK, ids=lambda value: ascii(value)[:20])
@pytest.mark.parametrize("name", ["gsmooth_rate", "gsmooth_first", "gsmooth_count"])
def test_wrong_note_on_a_head_is_named(head, name, value):
    folder = job_folder.resolve(head["gsmooth_job"])
    if name == "gsmooth_first" and type(value) is int:
        pytest.skip("a frame may be any")
    if name == "gsmooth_count" and value == 5:
        pytest.skip("a count may be 5")
    head[name] = value
    assert f"'{name}'" in refusal(bpy.ops.gsmooth.rerender_strip)
    assert not (folder / "expression.json").exists()


@pytest.mark.parametrize("rate", ["1e999999999", "25/0", "__import__('os')", "24\n", "1/3"])
def test_rate_on_a_head_is_read_as_a_rate(head, rate):
    head["gsmooth_rate"] = rate
    assert "'gsmooth_rate'" in refusal(bpy.ops.gsmooth.rerender_strip)


@pytest.mark.parametrize("name", ["gsmooth_rate", "gsmooth_first", "gsmooth_count"])
def test_missing_note_on_a_head_is_named(head, name):
    del head[name]
    assert f"'{name}'" in refusal(bpy.ops.gsmooth.rerender_strip)


@pytest.mark.parametrize(
    "value", [*JUNK, "a\0b", "/no/such/folder", "//../..", "~", "|rm"], ids=lambda v: ascii(v)[:20]
)
def test_job_folder_named_by_a_blend_file_must_hold_a_job(head, value):
    head["gsmooth_job"] = value
    strip = strips.active_strip(bpy.context.scene)
    strip["gsmooth_job"] = value
    for body in bpy.data.objects:
        rig.is_head(body)  # asked of every object by panels
    list(rig.heads(Path("/a")))
    if bpy.ops.gsmooth.rerender_strip.poll():
        assert "no usable job" in refusal(bpy.ops.gsmooth.rerender_strip)
    if strips.dubbed_job(strip):
        refusal(lambda: bpy.ops.gsmooth.preview_mesh(rebuild=True))


def test_folder_without_a_job_stays_as_it_is(head, tmp_path):
    victim = tmp_path / "documents"
    victim.mkdir()
    (victim / "letter.txt").write_text("mine")
    head["gsmooth_job"] = str(victim)
    strips.active_strip(bpy.context.scene)["gsmooth_job"] = str(victim)
    refusal(bpy.ops.gsmooth.rerender_strip)
    refusal(lambda: bpy.ops.gsmooth.preview_mesh(rebuild=True))
    assert [path.name for path in victim.iterdir()] == ["letter.txt"]
    assert (victim / "letter.txt").read_text() == "mine"


@pytest.mark.parametrize("value", [0, -1.0, 0.5, 1e9, float("nan"), [1.0], "2", True, {"a": 1}])
def test_wrong_scale_of_the_keys_is_named(head, value):
    head["gsmooth_key_scale"] = value
    assert "'gsmooth_key_scale'" in refusal(bpy.ops.gsmooth.rerender_strip)


def test_curve_of_no_numbers_is_named(head):
    keys = head.data.shape_keys
    for curve in actions.curves_of(keys):
        if "jawOpen" in curve.data_path:
            curve.keyframe_points[3].co.y = float("nan")
    assert "'jawOpen'" in refusal(bpy.ops.gsmooth.rerender_strip)


def test_keys_may_have_any_letters(head):
    key = head.data.shape_keys.key_blocks["jawOpen"]
    key.name = 'jaw"Open\\'
    bpy.ops.gsmooth.rerender_strip()
    folder = job_folder.resolve(head["gsmooth_job"])
    content = json.loads((folder / "expression.json").read_text())
    assert content["names"][0] == 'jaw"Open\\'
    assert len({row[0] for row in content["values"]}) > 1  # its curve was found


def test_strip_of_another_type_shows_no_job(timeline):  # noqa: F811
    sound = timeline.sound()
    sound["gsmooth_job"] = "//job"
    timeline.scene.sequence_editor.active_strip = sound
    assert "Select the video or photo" in refusal(bpy.ops.gsmooth.preview_mesh)


@pytest.mark.parametrize(
    "value", [[1.0], "x", True, float("nan"), 1e30, {"a": 1}], ids=lambda v: ascii(v)[:20]
)
def test_measured_offset_of_no_number_moves_nothing(timeline, value):  # noqa: F811
    movie, sound = timeline.movie(), timeline.sound()
    movie[sync_check.INFO], movie[sync_check.SOUND] = "late", sound.name
    movie[sync_check.SECONDS] = value
    timeline.scene.sequence_editor.active_strip = movie
    assert "cannot be read" in refusal(bpy.ops.gsmooth.move_sound)
    assert strips.left(sound) == 1


# -- answers of the worker -------------------------------------------------------------------

ANSWERS = {
    "nothing": {},
    "no file": {"output": "/no/such.mp4", "frames": 3, "untouched_frames": []},
    "list as path": {"output": ["/a"], "frames": 3, "untouched_frames": []},
    "text as frames": {"output": __file__, "frames": "3", "untouched_frames": []},
    "numbers as ranges": {"output": __file__, "frames": 3, "untouched_frames": [1, 2]},
    "texts as ranges": {"output": __file__, "frames": 3, "untouched_frames": ["ab"]},
    "number as ranges": {"output": __file__, "frames": 3, "untouched_frames": 7},
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_answer_of_a_dub_that_is_none_is_named(answer):
    from blender_addon.worker.answers import read_dub

    with pytest.raises(UserError, match="the worker's answer"):
        read_dub(answer)


OTHERS = {
    "mesh": {"mesh": None, "texture": None},
    "sync": {"text": "late", "sure": True, "offset_seconds": "0.1"},
    "doctor": {"checks": [["Python", True]]},
}


@pytest.mark.parametrize("command", OTHERS)
def test_answers_of_other_commands_are_looked_at_too(timeline, monkeypatch, command):  # noqa: F811
    from blender_addon.worker import runtime

    answer = json.dumps({"id": 1, "event": "result", "result": OTHERS[command]})
    script = Path(bpy.app.tempdir) / "odd_worker.py"
    script.write_text(f"import sys; sys.stdin.readline(); print({answer!r})")
    monkeypatch.setattr(runtime, "ENTRY", (str(script),))
    timeline.movie()
    timeline.sound()
    names = {"mesh": "preview_mesh", "sync": "check_sync", "doctor": "check_worker"}
    assert "the worker's answer" in refusal(getattr(bpy.ops.gsmooth, names[command]))


def test_errors_about_names_that_are_no_utf8_are_shown(timeline, monkeypatch):  # noqa: F811
    timeline.movie()
    timeline.sound()

    def refuse(*_args: Any) -> None:
        raise UserError("There is no file '\udcff'.")

    monkeypatch.setattr(planning, "make_plan", refuse)
    assert r"'\udcff'" in refusal(bpy.ops.gsmooth.dub_strip)
