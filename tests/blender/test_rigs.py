"""Curves of the head on other characters, and in files; the names are matched by our own list."""

from __future__ import annotations

import csv
import json
import sys

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.errors import UserError  # noqa: E402
from blender_addon.head import actions, retarget, rig, shape_keys  # noqa: E402

FIRST, COUNT = 11, 40
NAMES = ("jawOpen", "mouthSmileLeft", "mouthFunnel")


@pytest.fixture
def head(timeline):
    timeline.movie(first=FIRST)
    timeline.sound(first=FIRST)
    bpy.ops.gsmooth.dub_strip()
    bpy.ops.gsmooth.preview_mesh()
    return bpy.context.view_layer.objects.active


def character(*keys: str, name: str = "Anna"):
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    body = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(body)
    for key in ("Basis", *keys):
        body.shape_key_add(name=key).value = 0.0  # Blender 5 begins at 1
    return body


def send(head, *others):
    for body in bpy.data.objects:
        body.select_set(body in (head, *others))
    bpy.context.view_layer.objects.active = head
    return bpy.ops.gsmooth.send_curves()


def shown(body, key, frame):
    bpy.context.scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    return body.evaluated_get(graph).data.shape_keys.key_blocks[key].value


@pytest.mark.parametrize(
    "key", ["mouthSmileLeft", "MouthSmileLeft", "mouthSmile_L", "Head.mouthSmile_L", "mouthSmile.L"]
)
def test_names_of_other_makers_mean_the_same(key):
    others = ["jawOpenness", "mouthSmile", "mouthSmileRight", "mouthSmile_R"]
    assert retarget.matches(NAMES, [*others, key]) == {"mouthSmileLeft": key}


def test_equal_name_goes_before_an_alike_one():
    found = retarget.matches(["jawOpen"], ["JawOpen", "jaw_open", "jawOpen"])
    assert found == {"jawOpen": "jawOpen"}


def test_character_moves_as_the_head_does(head):
    anna = character("JawOpen", "mouthSmile_L", "nose")
    assert send(head, anna) == {"FINISHED"}
    for frame in (FIRST, FIRST + 17, FIRST + COUNT - 1):
        for own, hers in (("jawOpen", "JawOpen"), ("mouthSmileLeft", "mouthSmile_L")):
            wanted = min(max(shown(head, own, frame), 0), 1)  # her sliders end there
            assert shown(anna, hers, frame) == pytest.approx(wanted, abs=1e-5)
    assert shown(anna, "nose", FIRST) == 0


def test_her_other_curves_stay_and_sending_twice_leaves_one_curve(head):
    anna = character("jawOpen", "nose")
    nose = anna.data.shape_keys.key_blocks["nose"]
    nose.value = 0.25
    nose.keyframe_insert("value", frame=1)
    send(head, anna)
    send(head, anna)
    paths = [curve.data_path for curve in actions.curves_of(anna.data.shape_keys)]
    assert sorted(paths) == ['key_blocks["jawOpen"].value', 'key_blocks["nose"].value']
    assert shown(anna, "nose", 5) == 0.25


def test_driven_key_is_left_alone_and_said(head):
    anna = character("jawOpen", "mouthFunnel")
    anna.data.shape_keys.key_blocks["jawOpen"].driver_add("value").driver.expression = "0.5"
    columns = {name: [0.1] * 5 for name in NAMES}
    sent = retarget.send(columns, 1, anna)
    assert (sent.keys, sent.lacks, sent.driven) == (
        ["mouthFunnel"],
        ["mouthSmileLeft"],
        ["jawOpen"],
    )
    assert "mouthSmileLeft" in sent.words() and "jawOpen" in sent.words()
    assert shown(anna, "jawOpen", 3) == pytest.approx(0.5, abs=1e-5)


def test_mesh_without_such_keys_is_refused_with_words(head):
    with pytest.raises(UserError, match="ARKit"):
        retarget.send({"jawOpen": [0.0]}, 1, character("smile"))
    with pytest.raises(RuntimeError, match="Select a character"):
        send(head)


def test_driver_on_the_head_counts(head):
    keys = head.data.shape_keys
    actions.drop_animation(keys, 'key_blocks["jawOpen"]', ("value",))
    keys.key_blocks["jawOpen"].driver_add("value").driver.expression = "frame / 100"
    bpy.context.scene.frame_set(5)
    found = shape_keys.read_curves(head, FIRST, COUNT)
    assert [row[0] for row in found] == pytest.approx(
        [n / 100 for n in range(FIRST, FIRST + COUNT)]
    )
    assert bpy.context.scene.frame_current == 5


@pytest.fixture
def real(head, core_python, monkeypatch):
    """The real core answers from here on."""
    from blender_addon import preferences
    from blender_addon.worker import runtime

    runtime.stop_all()
    monkeypatch.setenv("GSMOOTH_PYTHON", core_python)
    monkeypatch.setattr(runtime, "ENTRY", ("-m", "gsmooth_core.app.worker"))
    preferences.look_again()
    yield head
    runtime.stop_all()


def test_table_for_other_rigs_goes_out_and_comes_back(real, tmp_path):
    head, path = real, tmp_path / "take é.csv"
    before = shape_keys.read_curves(head, FIRST, COUNT)
    assert bpy.ops.gsmooth.export_curves(filepath=str(path)) == {"FINISHED"}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == COUNT
    assert [float(row["JawOpen"]) for row in rows] == pytest.approx(
        [r[0] for r in before], abs=1e-5
    )
    changed = [{**row, "JawOpen": str(n / 100)} for n, row in enumerate(rows)]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(changed)
    assert bpy.ops.gsmooth.import_curves(filepath=str(path)) == {"FINISHED"}
    after = shape_keys.read_curves(head, FIRST, COUNT)
    assert [row[0] for row in after] == pytest.approx([n / 100 for n in range(COUNT)], abs=1e-4)
    assert [row[1] for row in after] == pytest.approx([row[1] for row in before], abs=1e-4)


def test_file_that_holds_no_curves_changes_nothing(real, tmp_path):
    before = shape_keys.read_curves(real, FIRST, COUNT)
    (tmp_path / "bad.json").write_text(json.dumps({"kind": "shopping"}))
    with pytest.raises(RuntimeError, match="not a curves file"):
        bpy.ops.gsmooth.import_curves(filepath=str(tmp_path / "bad.json"))
    with pytest.raises(RuntimeError, match=r"\.csv or \.json"):
        bpy.ops.gsmooth.export_curves(filepath=str(tmp_path / "c.txt"))
    assert shape_keys.read_curves(real, FIRST, COUNT) == before
    assert rig.is_head(real) and sys.executable
