"""Blender is closed while a job runs: it asks by itself, since the file has a change then.

That it does is seen in a window alone: `closing_acts.py`.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest

bpy = pytest.importorskip("bpy")

from blender_addon.jobs import closing, job_queue  # noqa: E402
from blender_addon.operators.check_worker import GSMOOTH_OT_check_worker  # noqa: E402
from blender_addon.operators.dub_strip import GSMOOTH_OT_dub_strip  # noqa: E402
from blender_addon.operators.worker_operator import WorkerOperator  # noqa: E402
from blender_addon.panels import task_box  # noqa: E402
from blender_addon.worker import runtime  # noqa: E402
from tests.blender.recorder import Recorder  # noqa: E402


class Host:
    """A Blender whose file was saved; as a module, Blender says that every file has changes."""

    def __init__(self):
        self.steps = []
        self.data = SimpleNamespace(is_dirty=False, filepath="shot.blend")
        self.ops = SimpleNamespace(ed=SimpleNamespace(undo_push=self))

    def __call__(self, message):
        self.steps.append(message)
        self.data.is_dirty = True

    def poll(self):
        return True


@pytest.mark.parametrize(
    ("operator", "steps"),
    [(GSMOOTH_OT_dub_strip, ["Dub 'clip': begun"]), (GSMOOTH_OT_check_worker, [])],
)
def test_a_running_job_of_the_file_changes_it(monkeypatch, operator, steps):
    host = Host()
    monkeypatch.setattr(closing, "bpy", host)
    job = SimpleNamespace(title="Dub 'clip'", update=lambda: True)
    me = SimpleNamespace(_job=job, about_file=operator.about_file, _show=lambda _context: None)
    for _tick in range(3):
        WorkerOperator.modal(me, bpy.context, SimpleNamespace(type="TIMER"))
    assert host.steps == steps
    host.data.is_dirty = False  # saved meanwhile
    WorkerOperator.modal(me, bpy.context, SimpleNamespace(type="TIMER"))
    assert host.steps == 2 * steps


def test_the_panel_says_what_becomes_of_it(timeline, scene, double, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot.blend"))
    double("slow")
    timeline.movie(first=1)
    timeline.sound(first=1)
    for strip in timeline.strips:
        strip.select = True

    def told():
        layout = Recorder()
        task_box.draw_task(layout)
        return " ".join(layout.labels)

    button = SimpleNamespace(replace=False)
    job = GSMOOTH_OT_dub_strip.job(button, bpy.context).begin()
    assert "this file offers it when it is opened again" in told()
    job.leave()
    assert runtime.active() is None
    assert not job_queue.keeps_running()
    assert "opened again" not in told()
