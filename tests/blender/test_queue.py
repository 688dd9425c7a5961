"""Several strips one after another: order, pause, failure, undo, save, reopening."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import api, preferences  # noqa: E402
from blender_addon.jobs import job_queue  # noqa: E402
from blender_addon.panels import queue_panel  # noqa: E402
from blender_addon.timeline import strips  # noqa: E402
from blender_addon.worker import runtime  # noqa: E402
from blender_addon.worker.task import Task  # noqa: E402
from tests.blender.recorder import Recorder  # noqa: E402


@pytest.fixture
def shots(timeline, scene):
    """Four clips and one speech over all of them, all selected."""
    movies = [timeline.movie(first=1 + 40 * i, name=f"shot {i}") for i in range(4)]
    for i in range(4):
        timeline.sound(first=1 + 40 * i, channel=1, name=f"speech {i}")
    for strip in timeline.strips:
        strip.select = True
    yield movies
    job_queue._entries.clear()
    job_queue._runs.clear()
    job_queue._noted_in.clear()
    job_queue._beside.clear()


def begun(double):
    """A run of all four, the first of which is worked on slowly."""
    bpy.ops.gsmooth.add_to_queue()
    double("slow")
    run = job_queue.Run().begin()
    until_it_works(run)
    return run


def until_it_works(run):
    while not run.task.done:
        assert run.update()
        Task.pause()


def states():
    return [(entry.target.picture, entry.state) for entry in job_queue.entries()]


def dubs(scene):
    return sorted(strip.name for strip in strips.all_strips(scene) if strips.dubbed_job(strip))


def test_selected_clips_are_dubbed_one_after_another(scene, shots):
    assert bpy.ops.gsmooth.add_to_queue() == {"FINISHED"}
    assert states() == [(f"shot {i}", "waiting") for i in range(4)]
    assert [e.target.speech for e in job_queue.entries()] == [f"speech {i}" for i in range(4)]
    assert bpy.ops.gsmooth.run_queue() == {"FINISHED"}
    assert states() == [(f"shot {i}", "done") for i in range(4)]
    assert dubs(scene) == [f"shot {i} dubbed" for i in range(4)]
    assert job_queue.running() is None
    assert not bpy.ops.gsmooth.run_queue.poll()
    assert bpy.ops.gsmooth.clear_queue() == {"FINISHED"}
    assert states() == []


def test_one_that_fails_stops_no_other(scene, shots):
    bpy.ops.gsmooth.add_to_queue()
    strips.children(scene.sequence_editor).remove(shots[1])
    assert bpy.ops.gsmooth.run_queue() == {"FINISHED"}
    assert [state for _name, state in states()] == ["done", "failed", "done", "done"]
    assert "'shot 1' is gone" in job_queue.entries()[1].text
    assert "3 done, 1 failed" in runtime.outcome().text
    assert dubs(scene) == ["shot 0 dubbed", "shot 2 dubbed", "shot 3 dubbed"]


def test_worker_that_dies_stops_no_other(scene, shots, double):
    run = begun(double)
    run.task.process.popen.kill()
    double("")
    run.wait()
    assert [state for _name, state in states()] == ["failed", "done", "done", "done"]
    job_queue.again(0)
    assert states()[0] == ("shot 0", "waiting")
    assert api.run_queue()[0].state == "done"


def test_order_changes_and_settings_do_not(scene, shots):
    scene.gsmooth.strength = 0.5
    bpy.ops.gsmooth.add_to_queue()
    scene.gsmooth.strength = 1.0
    bpy.ops.gsmooth.queue_entry(index=3, action="UP")
    bpy.ops.gsmooth.queue_entry(index=0, action="DOWN")
    bpy.ops.gsmooth.queue_entry(index=3, action="REMOVE")
    assert [name for name, _state in states()] == ["shot 1", "shot 0", "shot 3"]
    bpy.ops.gsmooth.run_queue()
    assert dubs(scene) == ["shot 0 dubbed", "shot 1 dubbed", "shot 3 dubbed"]
    for strip in strips.dubbed_strips():
        folder = Path(bpy.path.abspath(strip["gsmooth_job"]))
        assert json.loads((folder / "job.json").read_text())["settings"]["strength"] == 0.5


def test_pause_goes_on_where_it_stopped(scene, shots, double):
    run = begun(double)
    assert bpy.ops.gsmooth.pause_queue() == {"FINISHED"}
    run.wait()
    assert [state for _name, state in states()] == ["waiting"] * 4
    assert (runtime.outcome().state, job_queue.running()) == ("cancelled", None)
    double("")
    assert [entry.state for entry in api.run_queue()] == ["done"] * 4


def test_cancel_is_of_one(scene, shots, double):
    run = begun(double)
    assert bpy.ops.gsmooth.cancel() == {"FINISHED"}
    double("")
    run.wait()
    assert [state for _name, state in states()] == ["cancelled", "done", "done", "done"]


def test_undo_and_another_scene_change_nothing(scene, shots):
    bpy.ops.ed.undo_push(message="strips")
    bpy.ops.gsmooth.add_to_queue()
    bpy.ops.ed.undo_push(message="queued")
    bpy.context.scene.name = "Film"
    bpy.ops.ed.undo_push(message="renamed")
    bpy.ops.ed.undo()
    bpy.ops.ed.undo()
    bpy.data.scenes.new("Other")
    assert [entry.state for entry in api.run_queue()] == ["done"] * 4
    assert len(dubs(bpy.context.scene)) == 4


def test_clips_may_be_renamed_and_moved_before_their_turn(scene, shots):
    bpy.ops.gsmooth.add_to_queue()
    shots[2].name, shots[3].name = "interview", "shot 2"
    strips.move(shots[3], 7)
    api.run_queue()
    assert all(entry.state == "done" for entry in job_queue.entries())
    found = {strips.left(strip): strip.name for strip in strips.dubbed_strips()}
    names = ["shot 0 dubbed", "shot 1 dubbed", "interview dubbed", "shot 2 dubbed"]
    assert found == dict(zip((1, 41, 81, 128), names, strict=True))


def test_reopened_file_offers_what_is_unfinished(scene, shots, tmp_path, double):
    path = tmp_path / "film.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    api.add_to_queue(shots[0], strips.find(scene, "speech 0"))
    api.run_queue()
    bpy.ops.wm.save_mainfile()
    for i, strip in enumerate(shots[1:], 1):
        api.add_to_queue(strip, strips.find(scene, f"speech {i}"))
    double("slow")
    run = job_queue.Run().begin()
    until_it_works(run)
    run.leave()  # as Blender has it when another file is opened
    bpy.ops.wm.read_homefile(use_empty=True)
    assert states() == []
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert states() == [(f"shot {i}", "waiting") for i in (1, 2, 3)]
    double("")
    layout = Recorder()
    queue_panel.GSMOOTH_PT_queue.draw(type("P", (), {"layout": layout})(), bpy.context)
    assert any("Unfinished" in text for text in layout.labels)
    assert [entry.state for entry in api.run_queue()] == ["done"] * 3
    assert len(dubs(bpy.context.scene)) == 4
    assert not list(preferences.jobs_folder().glob("queue-*"))


def test_switching_the_add_on_off_and_on_loses_nothing(scene, shots, tmp_path, double):
    import addon_utils

    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "film.blend"))
    run = begun(double)
    addon_utils.disable("blender_addon")
    run.leave()  # what is left of the operator
    addon_utils.enable("blender_addon", default_set=True)
    assert states() == [(f"shot {i}", "waiting") for i in range(4)]
    double("")
    assert [entry.state for entry in api.run_queue()] == ["done"] * 4


def test_a_single_dub_that_is_unfinished_is_offered_too(scene, shots, tmp_path, double):
    path = tmp_path / "film.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    double("slow")
    job = job_queue.watch(api.dub(shots[0], strips.find(scene, "speech 0"))).begin()
    bpy.ops.wm.save_mainfile()
    job.leave()
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert states() == [("shot 0", "waiting")]
    double("")
    assert api.run_queue()[0].state == "done"
    for strip in strips.open_strips(bpy.context.scene):
        strip.select = strip.name in ("shot 1", "speech 1")
    assert bpy.ops.gsmooth.dub_strip() == {"FINISHED"}
    assert not list(preferences.jobs_folder().glob("queue-*"))


@pytest.mark.parametrize("content", ["", "[]", '{"entries": [{"target": 1}]}', '{"entries": 7}'])
def test_a_strangers_queue_is_none(scene, tmp_path, content):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "film.blend"))
    (tmp_path / "gsmooth").mkdir(exist_ok=True)
    (tmp_path / "gsmooth" / "queue-film.json").write_text(content)
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "film.blend"))
    assert states() == []


def test_a_noted_dub_names_no_model(scene, shots, tmp_path):
    """What is read is what the panel could have said, and nothing else."""
    bpy.ops.gsmooth.add_to_queue()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "film.blend"))
    path = tmp_path / "gsmooth" / "queue-film.json"
    noted = json.loads(path.read_text())
    noted["entries"][0]["options"]["settings"]["taft"] = "/nowhere/evil.safetensors"
    path.write_text(json.dumps(noted))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "film.blend"))
    assert len(states()) == 4
    assert "taft" not in job_queue.entries()[0].options.settings


def test_what_has_no_speech_is_named(timeline, scene):
    timeline.movie(name="mute shot")
    assert not bpy.ops.gsmooth.add_to_queue.poll()
    with pytest.raises(RuntimeError, match="speech of 'mute shot'"):
        bpy.ops.gsmooth.add_to_queue()


@pytest.mark.parametrize("count", [5, pytest.param(20, marks=pytest.mark.slow)])
def test_the_example_dubs_many_shots_without_a_window(timeline, scene, tmp_path, count, media):
    """As a script in a Blender of its own."""
    for i in range(count):
        timeline.movie(first=1 + 40 * i, name=f"shot {i:02}")
        timeline.sound(first=1 + 40 * i, channel=1, name=f"speech {i:02}")
        strips.set_handles(timeline.strips[f"shot {i:02}"], 1 + 40 * i, 11 + 40 * i)
        strips.set_handles(timeline.strips[f"speech {i:02}"], 1 + 40 * i, 31 + 40 * i)
    scene.sequence_editor.channels[1].name = "Speech"
    film, saved = tmp_path / "film.blend", tmp_path / "dubbed.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(film))
    script = Path(api.__file__).with_name("many_shots.py")
    code = (
        "import sys, bpy, addon_utils; sys.argv = ['x', '--', '--save', sys.argv[2]];"
        f"sys.path[:0] = {[str(script.parent.parent)]!r};"
        "addon_utils.enable('blender_addon', default_set=True);"
        "from blender_addon import many_shots, preferences;"
        "from blender_addon.worker import runtime;"
        f"runtime.ENTRY = {runtime.ENTRY!r}; preferences.look_again();"
    )
    if bpy.app.binary_path:
        code = code.replace("sys.argv[2]", repr(str(saved)))
        code += "sys.exit(many_shots.main(sys.argv[2:]))"
        command = [bpy.app.binary_path, "--background", str(film), "--python-exit-code", "9"]
        command += ["--python-expr", code]
    else:
        code = code.replace("sys.argv[2]", repr(str(saved)))
        code += f"bpy.ops.wm.open_mainfile(filepath={str(film)!r});"
        code += "s = many_shots.main(sys.argv[2:]); sys.stdout.flush(); import os; os._exit(s)"
        command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": done.") == count
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    assert len(dubs(bpy.context.scene)) == count
