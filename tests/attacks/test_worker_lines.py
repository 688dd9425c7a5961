"""Lines that no host and no worker of ours sends: both go on, and end in time."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from blender_addon.worker import installer
from blender_addon.worker.process import Process
from blender_addon.worker.task import Task
from gsmooth_core.app import worker as module
from gsmooth_core.app.worker import LONGEST_LINE, MOST_WAITING, next_line
from tests.app.test_worker import Host, host, make_job

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and links")

# -- what the worker hears -------------------------------------------------------------------


@pytest.fixture(scope="module")
def shared() -> Iterator[Host]:
    """One worker for all lines: whatever came before, it answers the next."""
    with host() as worker:
        worker.until("ready")
        yield worker


def send(worker: Host, line: bytes) -> None:
    worker.process.stdin.buffer.write(line + b"\n")
    worker.process.stdin.flush()


LINES = {
    "empty": b"",
    "words": b"nonsense",
    "cut off": b'{"id": 1, "command": "ping"',
    "nul": b"\0",
    "nul inside": b'{"command": "pi\0ng"}',
    "not utf-8": b'{"command": "ping", "id": "\xff\xfe"}',
    "utf-16": '{"command": "ping"}'.encode("utf-16"),
    "lists in lists": b"[" * 200_000,
    "objects in objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep arguments": b'{"id": 3, "command": "ping", "arguments": {"a": ' + b"[" * 100_000,
    "list": b'[{"command": "ping"}]',
    "text": b'"ping"',
    "no number": b"NaN",
    "no command": b'{"id": 3}',
    "null command": b'{"id": 3, "command": null}',
    "number as command": b'{"id": 3, "command": 5}',
    "long command": json.dumps({"id": 3, "command": "x" * 10_000}).encode(),
    "list as arguments": b'{"id": 3, "command": "ping", "arguments": []}',
    "text as arguments": b'{"id": 3, "command": "ping", "arguments": "job"}',
    "false as arguments": b'{"id": 3, "command": "ping", "arguments": false}',
    "true as id": b'{"id": true, "command": "ping"}',
    "fraction as id": b'{"id": 1.0, "command": "ping"}',
    "infinity as id": b'{"id": 1e999, "command": "ping"}',
    "list as id": b'{"id": [1], "command": "ping"}',
    "object as id": b'{"id": {}, "command": "ping"}',
    "huge id": b'{"id": ' + b"9" * 4000 + b', "command": "ping"}',
    "huger id": b'{"id": ' + b"9" * 100_000 + b', "command": "ping"}',
    "long id": json.dumps({"id": "x" * 10_000, "command": "ping"}).encode(),
    "true as id of a cancel": b'{"id": true, "command": "cancel"}',
    "longer than any request": b'{"id": 3, "command": "' + b"x" * (3 * LONGEST_LINE) + b'"}',
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_what_is_no_request_is_answered_and_nothing_else_happens(shared, line):
    send(shared, line)
    answer = shared.lines.get(timeout=30)
    while answer["event"] == "heartbeat":
        answer = shared.lines.get(timeout=30)
    assert (answer["event"], answer["code"]) == ("error", "bad_request")
    assert "id" not in answer
    assert answer["message"]
    assert answer["hint"]
    assert len(json.dumps(answer)) < 4000
    shared.send(id=1, command="ping")
    assert shared.until("result", "error")["id"] == 1


def test_offending_text_is_shown_up_to_200_letters(shared):
    send(shared, b"\xc3\xa4" * 5000)
    message = shared.until("error")["message"]
    assert "ä" * 200 in message
    assert "ä" * 201 not in message


def test_it_ends_with_its_stdin_after_every_bad_line():
    with host() as worker:
        worker.until("ready")
        for line in LINES.values():
            send(worker, line)
        started = time.monotonic()
        assert worker.close() == 0
        assert time.monotonic() - started < 15
        worker.until("closed")
        assert "Traceback" not in "".join(worker.errors)


def test_listener_that_fails_closes_the_worker(monkeypatch):
    """Whatever it is: a worker that hears nothing any more must not stay."""
    monkeypatch.setattr(module, "read_request", lambda _line: [][0])
    monkeypatch.setattr(module, "LAST_SECONDS", 1e6)  # after which this process would end
    worker = module.Worker(io.BytesIO(b"{}\n"), io.StringIO())
    with pytest.raises(IndexError):
        worker._listen()
    assert worker._closed.is_set()
    worker.run()  # and so it returns


def test_line_without_an_end_is_never_held_whole():
    stream = io.BytesIO(b"x" * (5 * LONGEST_LINE) + b'\n{"command": "ping"}\n' + b"y")
    assert len(next_line(stream)) == LONGEST_LINE + 1
    assert next_line(stream) == b'{"command": "ping"}\n'
    assert [next_line(stream), next_line(stream)] == [b"y", b""]
    whole = io.BytesIO(b"x" * LONGEST_LINE + b"\n" + b"z\n")
    assert next_line(whole) == b"x" * LONGEST_LINE + b"\n"
    assert next_line(whole) == b"z\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_endless_line_takes_no_memory():
    with host() as worker:
        worker.until("ready")
        for _ in range(100):
            worker.process.stdin.buffer.write(b"[" * LONGEST_LINE)
        send(worker, b"")
        assert worker.until("error")["code"] == "bad_request"
        status = Path(f"/proc/{worker.process.pid}/status").read_text()
        peak = int(status.split("VmHWM:")[1].split()[0])  # kB
        worker.send(id=1, command="ping")
        assert worker.until("result", "error")["id"] == 1
    with host() as worker:
        worker.until("ready")
        worker.send(id=1, command="ping")
        worker.until("result")
        status = Path(f"/proc/{worker.process.pid}/status").read_text()
        usual = int(status.split("VmHWM:")[1].split()[0])
    assert peak - usual < 30_000


def test_second_request_under_an_open_id_is_refused_and_the_first_goes_on(tmp_path):
    make_job(tmp_path, frames=12)
    with host(DOUBLE_SECONDS="0.1") as worker:
        request = {"id": 1, "command": "dub", "arguments": {"job": str(tmp_path / "job")}}
        worker.send(**request)
        worker.until("progress")
        worker.send(**request)
        refused = worker.until("error", "result")
        assert (refused["event"], refused["code"]) == ("error", "bad_request")
        assert "id" not in refused  # with one it would read as the end of the job that runs
        assert "1" in refused["message"]
        assert worker.until("error", "result", number=1)["event"] == "result"
        worker.send(**request)  # free again
        assert worker.until("error", "result", number=1)["event"] == "result"


def test_ids_are_told_apart_by_kind(tmp_path):
    make_job(tmp_path, frames=5)
    with host(DOUBLE_SECONDS="0.1") as worker:
        worker.send(id=1, command="dub", arguments={"job": str(tmp_path / "job")})
        worker.send(id="1", command="ping")
        answers = [worker.until("result", "error") for _ in range(2)]
    assert [(a["event"], a["id"]) for a in answers] == [("result", 1), ("result", "1")]


def test_waiting_requests_are_bounded_and_all_can_be_cancelled(tmp_path):
    make_job(tmp_path)
    job = {"job": str(tmp_path / "job")}
    with host(DOUBLE_SECONDS="0.2") as worker:
        worker.send(id=0, command="dub", arguments=job)
        worker.until("progress")
        for number in range(1, MOST_WAITING + 2):
            worker.send(id=number, command="dub", arguments=job)
        refused = worker.until("error")
        assert (refused["id"], refused["code"]) == (MOST_WAITING + 1, "busy")
        assert refused["hint"]
        worker.send(command="cancel")
        answers = [worker.until("error", "result") for _ in range(MOST_WAITING + 1)]
        assert [a["id"] for a in answers] == list(range(MOST_WAITING + 1))
        assert {a["code"] for a in answers} == {"cancelled"}


def test_one_that_waits_can_be_cancelled_while_bad_lines_come(tmp_path):
    make_job(tmp_path, frames=8)
    with host(DOUBLE_SECONDS="0.1") as worker:
        for number in (1, 2, 3):
            worker.send(id=number, command="dub", arguments={"job": str(tmp_path / "job")})
        send(worker, b'{"id": true, "command": "cancel"}')
        send(worker, b"[" * 200_000)
        worker.send(id=2, command="cancel")
        ends = {}
        while len(ends) < 3:
            event = worker.until("error", "result")
            if "id" in event:
                ends[event["id"]] = event.get("code", event["event"])
    assert ends == {1: "result", 2: "cancelled", 3: "result"}


JOBS = {
    "empty": "",
    "nul": "\0",
    "long": "x" * 5000,
    "nul inside": "/a\0b",
    "number": 5,
    "null": None,
    "list": ["a"],
    "object": {"a": 1},
}


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_job_folder_that_is_no_path_is_a_named_error(shared, job):
    shared.send(id=1, command="dub", arguments={"job": job})
    answer = shared.until("error", "result")
    assert answer["code"] in ("bad_input", "bad_job", "bad_media")
    assert answer["hint"]
    assert len(json.dumps(answer)) < 2000


# -- what the worker says --------------------------------------------------------------------


def task_of(tmp_path: Path, *lines: str, log: str = "worker.log") -> Task:
    """A task whose worker says these lines, reads its request and ends."""
    (tmp_path / "lines.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    code = (
        "import sys; sys.stdin.readline();"
        f"sys.stdout.write(open({str(tmp_path / 'lines.txt')!r}, encoding='utf-8').read())"
    )
    program = [sys.executable, "-c", code]
    task = Task("Test", "dub", {}, Process(program, tmp_path / log))
    task.wait()
    return task


GOOD = '{"id": 1, "event": "result", "result": {"frames": 3}}'
NO_EVENTS = {
    "empty": "",
    "words": "Loading models...",
    "nul": "\0",
    "cut off": '{"id": 1, "event": "result"',
    "list": "[]",
    "number": "1e999",
    "null": "null",
    "lists in lists": "[" * 200_000,
    "objects in objects": '{"a":' * 100_000,
    "huge number": '{"event": "progress", "done": ' + "9" * 10_000 + "}",
    "no event": '{"id": 1}',
    "event is a list": '{"id": 1, "event": ["result"], "result": {}}',
    "event is an object": '{"id": 1, "event": {}}',
    "event is a number": '{"id": 1, "event": 5}',
    "unknown event": '{"id": 1, "event": "update"}',
    "attribute": '{"id": 1, "event": "result.__class__"}',
    "half a letter": '{"id": 1, "event": "\\ud800"}',
    "no stage": '{"id": 1, "event": "progress", "done": 1, "total": 2}',
    "stage is a list": '{"id": 1, "event": "progress", "stage": [], "done": 1, "total": 2}',
    "done is a text": '{"id": 1, "event": "progress", "stage": "a", "done": "x", "total": 2}',
    "done is a list": '{"id": 1, "event": "progress", "stage": "a", "done": [], "total": 2}',
    "done is infinite": '{"id": 1, "event": "progress", "stage": "a", "done": 1e999, "total": 2}',
    "done is no number": '{"id": 1, "event": "progress", "stage": "a", "done": NaN, "total": 2}',
    "done is huge": '{"id": 1, "event": "progress", "stage": "a", "done": 1%s, "total": 2}'
    % ("0" * 400),
    "total is negative": '{"id": 1, "event": "progress", "stage": "a", "done": 1, "total": -2}',
    "total is an object": '{"id": 1, "event": "progress", "stage": "a", "done": 1, "total": {}}',
    "text is a number": '{"id": 1, "event": "message", "level": "warning", "text": 5}',
    "text is missing": '{"id": 1, "event": "message", "level": "warning"}',
    "another's result": '{"id": 2, "event": "result", "result": {"frames": 9}}',
    "another's error": '{"id": "1", "event": "error", "code": "a", "message": "b"}',
    "true as id": '{"id": true, "event": "result", "result": {}}',
    "list as id": '{"id": [1], "event": "result", "result": {}}',
}


@pytest.mark.parametrize("line", NO_EVENTS.values(), ids=NO_EVENTS)
def test_line_that_is_no_event_of_ours_changes_nothing(tmp_path, line):
    task = task_of(tmp_path, line, GOOD)
    assert task.result == {"frames": 3}
    assert task.failure is None
    assert (task.stage, task.done, task.total, task.notes) == ("start", 0, 0, [])


def test_such_a_line_is_logged(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        task_of(tmp_path, "[" * 200_000, GOOD)
    assert "not an event" in caplog.text
    assert len(caplog.text) < 2000


@pytest.mark.parametrize("result", ["5", "[]", '"text"', "null", "true"])
def test_result_that_is_no_object_ends_the_task_in_words(tmp_path, result):
    task = task_of(tmp_path, f'{{"id": 1, "event": "result", "result": {result}}}')
    assert task.failure.code == "bad_answer"
    assert "Preferences" in task.failure.hint


def test_refusal_of_another_line_is_not_the_end_of_the_request(tmp_path):
    """A worker refuses a second request under one id without an id."""
    refused = '{"event": "error", "code": "bad_request", "message": "A line was no request."}'
    progress = '{"id": 1, "event": "progress", "stage": "render", "done": 1, "total": 3}'
    assert task_of(tmp_path, progress, refused, GOOD).result == {"frames": 3}
    assert task_of(tmp_path, refused).failure.code == "bad_request"  # it can only be ours


def test_what_people_are_shown_is_short_and_can_be_shown(tmp_path):
    values = {"code": 5, "message": ["a"], "hint": "\ud800\0" + "x" * 100_000}
    line = json.dumps({"id": 1, "event": "error"} | values)
    failure = task_of(tmp_path, line).failure
    assert failure.message == "The worker failed."
    assert len(failure.hint) < 3000
    assert "\0" not in failure.hint
    failure.hint.encode("utf-8")


@needs_posix
@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe"])
def test_log_is_written_to_no_link_and_waits_for_no_pipe(tmp_path, kind):
    log, victim = tmp_path / "worker.log", tmp_path / "victim"
    if kind == "pipe":
        os.mkfifo(log)
    else:
        log.symlink_to(victim)
    if kind == "link":
        victim.write_text("mine")
    assert task_of(tmp_path, GOOD).result
    assert log.is_file()
    assert not log.is_symlink()
    assert victim.exists() == (kind == "link")
    assert kind != "link" or victim.read_text() == "mine"


INSTALLS = {
    "empty": "",
    "no json": "no json",
    "lists in lists": "[" * 200_000,
    "number": "5",
    "no object": '{"arguments": 5}',
    "no packages": '{"arguments": {"folder": "a"}}',
    "no folder": '{"arguments": {"folder": "", "requirements": []}}',
    "nul": '{"arguments": {"folder": "a\\u0000b", "requirements": []}}',
    "text": '{"arguments": {"folder": "a", "requirements": "torch"}}',
    "numbers": '{"arguments": {"folder": "a", "requirements": [5]}}',
}


@pytest.mark.parametrize("line", INSTALLS.values(), ids=INSTALLS)
def test_installer_answers_what_is_no_request(tmp_path, line):
    program = [sys.executable, "-I", installer.__file__]
    done = subprocess.run(
        program, input=line + "\n", capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    assert (answer["event"], answer["code"]) == ("error", "install")
    assert answer["hint"]
    assert "Traceback" not in done.stderr
