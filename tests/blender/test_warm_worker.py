"""One worker for many requests: kept, replaced when it must be, and never taken at an old word."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from blender_addon.errors import UserError
from blender_addon.worker import interpreter, runtime
from blender_addon.worker import task as task_module
from blender_addon.worker.process import Process
from blender_addon.worker.task import Task

DOUBLE = Path(__file__).with_name("double.py")
PATIENCE = 15.0


@pytest.fixture(autouse=True)
def only_one(monkeypatch):
    """The worker is the double, and none is left behind."""
    monkeypatch.setattr(runtime, "ENTRY", (str(DOUBLE),))
    runtime.stop_all()
    yield
    runtime.stop_all()


@pytest.fixture
def ask(tmp_path):
    """Asks the worker for something quick, or for `job`, which takes its time."""

    def ask(job: Path | None = None, python: Path = Path(sys.executable)) -> Task:
        command, arguments = ("sync", {"job": str(job)}) if job else ("doctor", {})
        logs = tmp_path / "logs"
        return runtime.activate(runtime.ask_worker("Test", python, command, arguments, logs))

    return ask


@pytest.fixture
def job(tmp_path) -> Path:
    folder = tmp_path / "job"
    folder.mkdir()
    (folder / "job.json").write_text("{}")
    return folder


def done(task: Task) -> int:
    """The process that gave a task its result."""
    task.wait()
    assert task.failure is None, task.failure
    return task.process.popen.pid


def until(task: Task, condition) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert task.update(), task.failure
        assert time.monotonic() < end
        task.pause()


def gone(process: Process) -> bool:
    return process.popen.poll() is not None


# -- it is kept ------------------------------------------------------------------------------


def test_second_request_goes_to_the_same_process_under_another_id(ask):
    tasks = []
    for _ in range(3):
        tasks.append(ask())
        done(tasks[-1])
    assert len({task.process.popen.pid for task in tasks}) == 1
    assert [task._number for task in tasks] == [1, 2, 3]
    assert not gone(tasks[0].process)


def test_cancelled_job_leaves_the_worker_warm(ask, job, double):
    double("slow")
    first = ask(job)
    until(first, lambda: first.done > 1)
    first.cancel()
    first.wait()
    assert first.failure.code == "cancelled"
    second = ask(job)
    until(second, lambda: second.done > 1)  # the old cancel does not stop the new job
    assert second.process is first.process
    assert second.process.asked == 2


def test_failed_job_leaves_it_too(ask, job, double):
    double("error")
    first = ask(job)
    first.wait()
    assert first.failure.code == "no_face"
    assert done(ask()) == first.process.popen.pid


def test_opening_another_file_stops_the_job_and_keeps_the_worker(ask, job, double):
    double("slow")
    first = ask(job)
    until(first, lambda: first.done > 1)
    first.leave()
    assert first.failure.code == "cancelled"
    assert runtime.active() is None
    assert done(ask()) == first.process.popen.pid


def test_opening_another_file_does_not_wait_for_the_deaf(ask, job, double, monkeypatch):
    monkeypatch.setattr(task_module, "LEAVE_SECONDS", 0.2)
    double("deaf")
    task = ask(job)
    until(task, lambda: task.done > 1)
    began = time.monotonic()
    task.leave()
    assert time.monotonic() - began < 3
    assert task.failure.code == "cancelled"
    assert gone(task.process)


def test_second_job_at_a_time_is_refused(ask, job, double):
    double("slow")
    task = ask(job)
    with pytest.raises(UserError, match="A job is running"):
        ask()
    assert task.process.asked == 1


# -- it is replaced --------------------------------------------------------------------------


def test_one_that_died_between_requests_is_replaced(ask):
    first = ask()
    done(first)
    first.process.popen.kill()
    first.process.popen.wait()
    assert done(ask()) != first.process.popen.pid


@pytest.mark.parametrize("manner", ["gone", "asleep"])
def test_one_that_goes_or_sleeps_when_it_is_asked_costs_nothing(ask, double, monkeypatch, manner):
    """It was alive a moment ago: only the request itself shows that it is not."""
    monkeypatch.setattr(task_module, "WAKE_SECONDS", 0.3)
    double(manner)
    first = ask()
    done(first)
    second = ask()
    assert second.process is first.process
    assert done(second) != first.process.popen.pid
    assert gone(first.process)


def test_one_that_says_goodbye_is_not_waited_for(ask, double):
    """Its farewell crosses the request, and it may take long to end."""
    double("parting")
    first = ask()
    done(first)
    second = ask()
    assert second.process is first.process
    until(second, lambda: second.process is not first.process)
    done(second)


def test_new_worker_that_dies_at_once_is_not_asked_again_and_again(ask, monkeypatch, tmp_path):
    script = tmp_path / "dies.py"
    script.write_text(
        f"open({str(tmp_path / 'starts')!r}, 'a').write('x'); input(); raise SystemExit(3)"
    )
    monkeypatch.setattr(runtime, "ENTRY", (str(script),))
    task = ask()
    task.wait()
    assert task.failure.code == "worker_died"
    assert (tmp_path / "starts").read_text() == "x"


def test_job_that_was_begun_is_not_begun_again_after_a_crash(ask, job, double):
    double("crash")
    first = ask()
    done(first)
    second = ask(job)
    second.wait()
    assert second.failure.code == "worker_died"
    assert second.process is first.process
    assert done(ask()) != first.process.popen.pid


@pytest.mark.parametrize("code", sorted(task_module._LASTING & {"internal", "out_of_memory"}))
def test_one_that_met_an_error_that_may_last_is_not_asked_again(ask, monkeypatch, tmp_path, code):
    script = tmp_path / "broken.py"
    script.write_text(
        "import json, sys\n"
        "for line in sys.stdin:\n"
        "    answer = {'id': json.loads(line)['id'], 'event': 'error', 'message': 'CUDA error'}\n"
        f"    print(json.dumps(answer | {{'code': {code!r}}}), flush=True)\n"
    )
    monkeypatch.setattr(runtime, "ENTRY", (str(script),))
    first = ask()
    first.wait()
    assert first.failure.code == code
    assert ask().process is not first.process


def test_one_that_ends_itself_is_replaced_quietly(ask, double):
    double("idle")
    first = ask()
    pid = done(first)
    second = ask()  # with its farewell still in the pipe, or already read
    assert done(second) != pid
    assert second.notes == []


@pytest.mark.parametrize("manner", ["idle", "lingering"])
def test_farewell_is_heard_before_the_next_request(ask, double, manner):
    double(manner)
    first = ask()
    done(first)
    if manner == "idle":
        first.process.popen.wait(PATIENCE)
    else:
        time.sleep(1.0)  # the farewell arrives
    second = ask()
    assert second.process is not first.process
    assert first.process.asked == 1


# -- it is another one when anything that it was made from has changed ------------------------


def test_another_interpreter_gets_another_worker(ask, tmp_path):
    first = ask()
    done(first)
    other = tmp_path / "python"
    other.symlink_to(sys.executable)
    second = ask(python=other)
    assert second.process is not first.process
    assert gone(first.process)
    done(second)
    assert ask(python=other).process is second.process


@pytest.fixture
def wrapper(tmp_path) -> Path:
    """An interpreter that can be replaced, as one of an environment is that is made anew."""
    path = tmp_path / "wrapper"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    path.chmod(0o755)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_interpreter_that_was_replaced_gets_another_worker(ask, wrapper):
    first = ask(python=wrapper)
    done(first)
    os.utime(wrapper, (1, 1))
    assert ask(python=wrapper).process is not first.process


def test_changed_environment_gets_another_worker(ask, monkeypatch):
    first = ask()
    done(first)
    monkeypatch.setenv("GSMOOTH_MODELS", "/elsewhere")
    second = ask()
    assert second.process is not first.process
    done(second)
    assert ask().process is second.process


def test_edited_core_gets_another_worker(ask, monkeypatch, tmp_path):
    module = tmp_path / "gsmooth_core" / "room" / "module.py"
    module.parent.mkdir(parents=True)
    module.touch()
    monkeypatch.setattr(interpreter, "core_folder", lambda: tmp_path)
    first = ask()
    done(first)
    assert ask().process is first.process
    runtime.active().wait()
    os.utime(module, (2**31, 2**31))
    second = ask()
    assert second.process is not first.process
    done(second)
    module.with_name("new.py").touch()
    assert ask().process is not second.process


# -- it is believed for its own request only --------------------------------------------------


def test_late_lines_of_the_request_before_change_nothing(ask, double, caplog):
    double("late")
    done(ask())
    task = ask()
    done(task)
    assert (task.stage, task.done) == ("start", 0)
    assert "checks" in task.result
    assert "another request" not in caplog.text  # they are no fault


@pytest.mark.skipif(sys.platform == "win32", reason="needs process groups")
def test_interruption_of_blenders_terminal_does_not_reach_the_worker(ask):
    task = ask()
    assert os.getpgid(task.process.popen.pid) != os.getpgid(0)
    done(task)


def test_end_of_the_add_on_ends_the_worker(ask):
    task = ask()
    done(task)
    runtime.stop_all()
    assert gone(task.process)
    assert runtime._kept == []


# -- its logs --------------------------------------------------------------------------------


def test_every_worker_has_a_log_of_its_own_and_old_ones_go(ask, tmp_path):
    other = tmp_path / "logs" / "mine.log"
    other.parent.mkdir()
    other.touch()
    paths = []
    for _ in range(runtime._LOGS + 2):
        task = ask()
        done(task)
        paths.append(task.process.log_path)
        runtime.stop_worker()
    assert len(set(paths)) == len(paths)
    assert sorted(other.parent.iterdir()) == sorted([other, *paths[-runtime._LOGS :]])


def test_one_worker_writes_one_log(ask):
    first = ask()
    done(first)
    second = ask()
    done(second)
    assert first.process.log_path == second.process.log_path
