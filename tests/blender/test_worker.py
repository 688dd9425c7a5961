"""The worker process: cancel, crash, silence, absence; and the strips that survive all that."""

from __future__ import annotations

import sys
import time

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon import preferences  # noqa: E402
from blender_addon.errors import UserError  # noqa: E402
from blender_addon.jobs import placing  # noqa: E402
from blender_addon.jobs.job import Job, worker_task  # noqa: E402
from blender_addon.operators.worker_operator import WorkerOperator  # noqa: E402
from blender_addon.settings.options import options_of  # noqa: E402
from blender_addon.timeline import planning, selection, strips  # noqa: E402
from blender_addon.worker import interpreter, runtime  # noqa: E402
from blender_addon.worker import task as task_module  # noqa: E402


@pytest.fixture
def clip(timeline):
    timeline.movie()
    timeline.sound()
    return timeline


def start(clip, scene):
    """A dub as its modal form starts it: the task runs, nobody waits."""
    from dataclasses import asdict

    from blender_addon.storage import job_folder

    plan = planning.make_plan(scene, selection.select(scene))
    job = planning.job_of(plan, options_of(scene).settings)
    folder = job_folder.make(preferences.jobs_folder(), job, asdict(plan))
    return plan, folder, runtime.activate(worker_task("Dub", "dub", job=str(folder)))


def running(task):
    """A job whose task this is."""
    job = Job(task.title)
    job.state, job.task = "running", task
    return job


def run_until(task, condition, seconds=10.0):
    end = time.monotonic() + seconds
    while task.update() and not condition() and time.monotonic() < end:
        task.pause()
    return condition()


def test_crash_is_a_clear_error_and_leaves_the_strips(clip, double):
    double("crash")
    with pytest.raises(RuntimeError, match=r"stopped unexpectedly .exit status 13: the dam is bro"):
        bpy.ops.gsmooth.dub_strip()
    assert [strip.name for strip in clip.strips] == ["clip", "speech"]
    assert not clip.strips["clip"].mute


def test_errors_of_the_worker_are_shown_with_their_hint(clip, double):
    double("error")
    with pytest.raises(RuntimeError, match=r"There is no face\. Use another\."):
        bpy.ops.gsmooth.dub_strip()


def test_progress_and_cancel(clip, scene, double):
    double("slow")
    _plan, _folder, task = start(clip, scene)
    assert run_until(task, lambda: task.done >= 2)
    assert task.text == f"Following the face {task.done}/200"
    assert 0 < task.fraction < 1
    assert bpy.ops.gsmooth.cancel() == {"FINISHED"}
    assert task.text == "Stopping"
    task.wait()
    assert task.failure.code == "cancelled"
    assert runtime.active() is None


def test_esc_for_playback_ends_no_job(clip, scene, double):
    """It goes on to Blender, which stops playing; so does every other key."""
    from types import SimpleNamespace

    double("slow")
    *_, task = start(clip, scene)
    operator = WorkerOperator()
    operator._job = running(task)
    for key in ("ESC", "SPACE"):
        event = SimpleNamespace(type=key, value="PRESS")
        assert operator.modal(bpy.context, event) == {"PASS_THROUGH"}
    assert not task.cancelling
    assert task.running


def test_worker_that_ignores_a_cancel_is_killed(clip, scene, double, monkeypatch):
    double("deaf")
    monkeypatch.setattr(task_module, "CANCEL_SECONDS", 0.3)
    *_, task = start(clip, scene)
    assert run_until(task, lambda: task.done >= 1)
    task.cancel()
    task.wait()
    assert task.failure.code == "cancelled"
    assert task.process.popen.poll() is not None


def test_worker_that_falls_silent_is_killed(clip, scene, double, monkeypatch):
    double("deaf")
    monkeypatch.setattr(task_module, "SILENT_SECONDS", 0.05)
    *_, task = start(clip, scene)
    task.wait()
    assert task.failure.code == "worker_silent"
    assert str(task.process.log_path) in str(task.failure)


def test_a_worker_that_slept_with_the_computer_goes_on(clip, scene, double, monkeypatch):
    double("slow")
    *_, task = start(clip, scene)
    assert run_until(task, lambda: task.done >= 1)
    real, before = time.monotonic, task.process.heard
    monkeypatch.setattr(task_module.time, "monotonic", lambda: real() + 3600)
    assert task.update()
    assert task.process.heard > before + 3000
    assert task.running
    monkeypatch.setattr(task_module, "SILENT_SECONDS", -1)  # its patience begins anew, and ends
    assert not task.update()
    assert task.failure.code == "worker_silent"


def test_opening_another_file_stops_the_job_and_no_more(clip, scene, double, monkeypatch):
    """Blender calls `cancel` of a modal operator then."""
    double("slow")
    *_, task = start(clip, scene)
    assert run_until(task, lambda: task.done >= 1)
    operator = WorkerOperator()
    operator._job = running(task)
    monkeypatch.setattr(WorkerOperator, "_leave", lambda self, context: None)
    operator.cancel(bpy.context)
    assert task.failure.code == "cancelled"
    assert task.process.popen.poll() is None
    *_, again = start(clip, scene)
    assert again.process is task.process


def test_second_job_has_to_wait(clip, scene, double):
    double("slow")
    *_, task = start(clip, scene)
    assert not bpy.ops.gsmooth.dub_strip.poll()
    runtime.stop_all()
    assert bpy.ops.gsmooth.dub_strip.poll()
    assert not task.running


def test_switching_the_add_on_off_ends_the_worker(clip, scene, double):
    import addon_utils

    double("deaf")
    *_, task = start(clip, scene)
    addon_utils.disable("blender_addon")
    assert task.process.popen.poll() is not None
    addon_utils.enable("blender_addon", default_set=True)


def test_strip_deleted_while_its_dub_is_made(clip, scene):
    plan, folder, task = start(clip, scene)
    clip.strips.remove(clip.strips["clip"])
    task.wait()
    with pytest.raises(UserError, match=r"is gone.*clip_dubbed\.mp4"):
        placing.place(plan, folder / "clip_dubbed.mp4", folder, "", replace=False)
    assert [strip.name for strip in clip.strips] == ["speech"]


def test_strip_moved_while_its_dub_is_made(clip, scene):
    plan, folder, task = start(clip, scene)
    movie = clip.strips["clip"]
    name = "content_start" if hasattr(movie, "content_start") else "frame_start"
    setattr(movie, name, getattr(movie, name) + 10)
    task.wait()
    [new] = placing.place(plan, folder / "clip_dubbed.mp4", folder, "", replace=False)
    assert (strips.left(new), strips.right(new)) == (11, 51)


@pytest.mark.parametrize("python", ["/nowhere/python", "/" + "x" * 300, ""])
def test_missing_python_says_where_to_choose_one(clip, monkeypatch, tmp_path, python):
    monkeypatch.setenv("GSMOOTH_PYTHON", python)
    monkeypatch.setattr(interpreter, "core_folder", lambda: tmp_path)  # no checkout with a .venv
    monkeypatch.setattr(interpreter.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(RuntimeError, match="Preferences > Add-ons > GSmooth"):
        bpy.ops.gsmooth.dub_strip()


def test_python_without_the_packages_says_so(clip, monkeypatch, tmp_path):
    script = tmp_path / "bare.py"
    script.write_text("import package_that_is_nowhere")
    monkeypatch.setattr(runtime, "ENTRY", (str(script),))
    with pytest.raises(RuntimeError, match="lacks the package 'package_that_is_nowhere'"):
        bpy.ops.gsmooth.dub_strip()


def test_python_of_the_preferences_comes_first(monkeypatch, tmp_path):
    monkeypatch.setenv("GSMOOTH_PYTHON", "/elsewhere")
    origin, python = interpreter.find_python(sys.executable)
    assert (origin, str(python)) == ("preferences", sys.executable)
    with pytest.raises(UserError, match="There is no Python at"):
        interpreter.find_python(str(tmp_path / "none"))


def test_environment_folder_stands_for_its_python(tmp_path):
    python = interpreter.python_in(tmp_path)
    python.parent.mkdir()
    python.touch()
    assert interpreter.find_python(str(tmp_path))[1] == python


def test_worker_gets_the_bundled_core_and_nothing_of_blenders(monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/blender")
    environment = interpreter.worker_environment()
    assert "PYTHONHOME" not in environment
    assert environment["PYTHONPATH"] == str(interpreter.core_folder())
    assert (interpreter.core_folder() / "gsmooth_core" / "__init__.py").is_file()


def test_check_lists_what_works(scene):
    assert bpy.ops.gsmooth.check_worker() == {"FINISHED"}
    assert preferences.last_check() == [(True, "Python: 3")]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_worker_of_a_killed_blender_ends(tmp_path):
    """The pipe to its stdin closes with Blender, however that ends."""
    import subprocess
    from pathlib import Path

    double = Path(__file__).with_name("double.py")
    holder = (
        "import subprocess, sys, time;"
        f"p = subprocess.Popen([sys.executable, {str(double)!r}], stdin=subprocess.PIPE,"
        "stdout=subprocess.DEVNULL);"
        'p.stdin.write(b\'{"command": "dub", "arguments": {}}\\n\'); p.stdin.flush();'
        "print(p.pid, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", holder], stdout=subprocess.PIPE, text=True)
    worker = int(process.stdout.readline())
    process.kill()
    process.wait()
    end = time.monotonic() + 10
    while Path(f"/proc/{worker}").exists() and time.monotonic() < end:
        state = Path(f"/proc/{worker}/stat").read_text().split()[2]
        if state == "Z":
            break
        time.sleep(0.05)
    assert time.monotonic() < end
