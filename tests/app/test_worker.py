"""The line protocol, spoken with a real worker process whose way is a double."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
import types
from collections.abc import Iterator

import pytest

from gsmooth_core.app import worker as module
from gsmooth_core.job.job import Job
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.media import probe, read_frames
from tests.app.worker_host import PATIENCE, Host, host, made, make_job
from tests.media.made import number_in


@pytest.fixture(scope="module")
def shared() -> Iterator[Host]:
    """One worker for all tests that cannot hurt it."""
    with host() as worker:
        worker.until("ready")
        yield worker


def test_a_job_from_request_to_result(tmp_path):
    job = make_job(tmp_path)
    with host() as worker:
        assert worker.until("ready")["version"]
        worker.send(id=1, command="dub", arguments={"job": str(tmp_path / "job")})
        message = worker.until("message")
        assert message == {
            "id": 1, "event": "message", "level": "info", "text": "this is a double",
        }  # fmt: skip
        progress = worker.until("progress")
        assert progress == {"id": 1, "event": "progress", "stage": "render", "done": 1, "total": 40}
        result = worker.until("result", "error")
        assert result["result"]["output"] == str(job.output)
        assert result["result"]["size"] == [96, 64]
        assert worker.close() == 0
    assert [number_in(frame) for frame in read_frames(probe(job.output))] == list(range(40))


def test_prints_of_libraries_go_to_stderr(tmp_path):
    make_job(tmp_path, frames=3)
    with host() as worker:
        worker.send(id="a", command="dub", arguments={"job": str(tmp_path / "job")})
        assert worker.until("result", "error")["event"] == "result"
        worker.close()
        worker.until("closed")
        text = "".join(worker.errors)
    assert "a library prints" in text
    assert "native code prints" in text


def test_requests_wait_for_their_turn(shared, tmp_path):
    make_job(tmp_path, frames=5)
    shared.send(id=1, command="dub", arguments={"job": str(tmp_path / "job")})
    shared.send(id=2, command="ping")
    assert [shared.until("result")["id"] for _ in range(2)] == [1, 2]


def test_cancel_takes_effect_within_a_frame_and_keeps_the_work(tmp_path):
    job = make_job(tmp_path)
    with host(DOUBLE_SECONDS="0.1") as worker:
        worker.send(id=7, command="dub", arguments={"job": str(tmp_path / "job")})
        worker.until("progress")
        worker.send(id=99, command="cancel")  # another request's
        worker.until("progress")
        while len(made(tmp_path)) < 11:
            time.sleep(0.02)
        worker.send(id=7, command="cancel")
        begun = len(made(tmp_path))
        error = worker.until("error", number=7)
        assert error["code"] == "cancelled"
        assert len(made(tmp_path)) <= begun + 2
        assert not job.output.exists()
        worker.send(id=8, command="dub", arguments={"job": str(tmp_path / "job")})
        worker.until("result", number=8)
    assert made(tmp_path).count(0) == 1  # the first segment was kept
    assert not [
        p for p in tmp_path.rglob("*") if "partial" in p.name.replace("made.gsmooth-partial", "")
    ]


def test_cancel_of_a_waiting_request(tmp_path):
    make_job(tmp_path, frames=8)
    with host(DOUBLE_SECONDS="0.1") as worker:
        for number in (1, 2):
            worker.send(id=number, command="dub", arguments={"job": str(tmp_path / "job")})
        worker.send(id=2, command="cancel")
        assert worker.until("error", "result", number=1)["event"] == "result"
        assert worker.until("error", "result", number=2)["code"] == "cancelled"


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_killed_in_the_middle_it_goes_on_where_it_was(tmp_path):
    job = make_job(tmp_path)
    with host(DOUBLE_SECONDS="0.05") as worker:
        worker.send(id=1, command="dub", arguments={"job": str(tmp_path / "job")})
        while len(made(tmp_path)) < 20:
            time.sleep(0.01)
        os.kill(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
    assert not job.output.exists()
    first = made(tmp_path)
    with host() as worker:
        worker.send(id=1, command="dub", arguments={"job": str(tmp_path / "job")})
        assert worker.until("result", "error")["event"] == "result"
    again = made(tmp_path)[len(first) :]
    assert again == list(range(16, 40))  # two segments of eight were whole
    assert [number_in(frame) for frame in read_frames(probe(job.output))] == list(range(40))


def test_a_changed_setting_makes_everything_anew(tmp_path):
    job = make_job(tmp_path, frames=10)
    with host() as worker:
        worker.send(id=1, command="dub", arguments={"job": str(tmp_path / "job")})
        worker.until("result")
        settings = DubSettings(chunk_frames=8, crf=20)
        Job(job.video, job.output, job.audio, settings=settings).save(tmp_path / "job")
        worker.send(id=2, command="dub", arguments={"job": str(tmp_path / "job")})
        worker.until("result")
    assert made(tmp_path) == [*range(10), *range(10)]


def test_it_ends_when_stdin_closes_in_the_middle_of_a_job(tmp_path):
    job = make_job(tmp_path)
    with host(DOUBLE_SECONDS="0.1") as worker:
        worker.send(id=1, command="dub", arguments={"job": str(tmp_path / "job")})
        worker.until("progress")
        started = time.monotonic()
        worker.close()
        assert time.monotonic() - started < 10
    assert not job.output.exists()


def test_shutdown():
    with host() as worker:
        worker.until("ready")
        worker.send(command="shutdown")
        assert worker.process.wait(PATIENCE) == 0


def test_it_says_when_it_begins_a_request(tmp_path):
    make_job(tmp_path, frames=5)
    with host() as worker:
        worker.send(id="first", command="dub", arguments={"job": str(tmp_path / "job")})
        worker.send(id=2, command="ping")
        worker.send(command="ping")
        said = [worker.until("started", "result") for _ in range(6)]
    assert [(event["event"], event.get("id")) for event in said] == [
        (name, number) for number in ("first", 2, None) for name in ("started", "result")
    ]
    assert "id" not in said[4]


@pytest.mark.parametrize("used", [False, True])
def test_memory_of_the_card_is_given_back_after_a_request(monkeypatch, used):
    calls = []
    cuda = types.SimpleNamespace(
        is_initialized=lambda: used, empty_cache=lambda: calls.append("empty_cache")
    )
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(cuda=cuda))
    monkeypatch.setattr(module, "LAST_SECONDS", 1e6)  # after which this process would end
    replies = io.StringIO()
    worker = module.Worker(io.BytesIO(), replies)
    worker._queue(module.Request(1, "ping", {}))
    worker._waiting.put(None)
    worker.run()
    assert calls == ["empty_cache"] * used
    assert '"result"' in replies.getvalue() or "cancelled" in replies.getvalue()


def test_unexpected_errors_become_events_and_the_worker_lives(tmp_path):
    make_job(tmp_path)
    with host(DOUBLE_BREAKS_AT="9") as worker:
        worker.send(id=1, command="dub", arguments={"job": str(tmp_path / "job")})
        error = worker.until("error")
        assert (error["id"], error["code"]) == (1, "internal")
        assert "the double breaks" in error["message"]
        worker.send(id=2, command="ping")
        assert worker.until("result")["id"] == 2
        worker.close()
        worker.until("closed")
        assert "Traceback" in "".join(worker.errors)


@pytest.mark.parametrize(
    "line",
    ["", "nonsense", "[]", "{}", '{"command": 5}', '{"command": "dub", "arguments": []}', "\0"],
)
def test_lines_that_are_no_requests(shared, line):
    shared.process.stdin.write(line + "\n")
    shared.process.stdin.flush()
    assert shared.until("error")["code"] in ("bad_request", "bad_input")
    shared.send(id=1, command="ping")
    assert shared.until("result")["id"] == 1


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"command": "fly"}, "bad_input"),
        ({"command": "dub"}, "bad_input"),
        ({"command": "dub", "arguments": {"job": "/no/such/folder"}}, "bad_job"),
        ({"command": "mesh", "arguments": {"job": 5}}, "bad_input"),
    ],
)
def test_wrong_requests_are_named(shared, request_, code):
    shared.send(id=5, **request_)
    error = shared.until("error")
    assert (error["id"], error["code"]) == (5, code)
    assert error["message"]
    assert error["hint"]


def test_two_workers_on_one_job(tmp_path):
    make_job(tmp_path)
    with host(DOUBLE_SECONDS="0.1") as first, host() as second:
        first.send(id=1, command="dub", arguments={"job": str(tmp_path / "job")})
        first.until("progress")
        second.send(id=1, command="dub", arguments={"job": str(tmp_path / "job")})
        error = second.until("error", "result")
        assert error["code"] == "bad_job"
        assert str(first.process.pid) in error["message"]


def test_stages_alone(shared, tmp_path):
    make_job(tmp_path, frames=4)
    for number, command in enumerate(("track", "predict", "mesh")):
        shared.send(id=number, command=command, arguments={"job": str(tmp_path / "job")})
        answer = shared.until("result", "error", number=number)
        assert answer["event"] == "result", answer


def test_curves_are_written_in_another_format_and_rate(shared, tmp_path):
    content = {"kind": "gsmooth-curves", "version": 1, "names": ["jawOpen"], "fps": "25"}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content | {"values": [[n / 50] for n in range(50)]}))
    asked = {"curves": str(path), "output": str(tmp_path / "b.json"), "fps": "50"}
    shared.send(id=1, command="curves", arguments=asked)
    assert shared.until("result", "error")["result"]["frames"] == 100
    made = json.loads((tmp_path / "b.json").read_text())
    assert made["values"][41][0] == pytest.approx((41.5 / 2 - 0.5) / 50, abs=1e-4)
    shared.send(id=2, command="curves", arguments={"curves": str(path)})
    assert "no curves" in shared.until("error")["message"]


def test_heartbeat_goes_on_while_a_job_runs(tmp_path):
    make_job(tmp_path)
    code = (
        "import sys; from tests import doubles; doubles.install();"
        "from gsmooth_core.app import worker; worker.HEARTBEAT_SECONDS = 0.2;"
        "sys.exit(worker.main())"
    )
    with host("-c", code, DOUBLE_SECONDS="0.1") as worker:
        worker.send(id=1, command="dub", arguments={"job": str(tmp_path / "job")})
        worker.until("progress")
        for _ in range(3):
            worker.until("heartbeat")


def test_it_starts_without_the_heavy_packages():
    code = (
        "import sys, gsmooth_core.app.worker, gsmooth_core.app.cli\n"
        "print(*sorted({'torch', 'numba', 'ai_edge_litert', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("command", ["report", "words"])
def test_a_report_may_be_about_one_of_several_people(monkeypatch, tmp_path, command):
    asked = []

    def report(*_how, face=None):
        asked.append(face)
        return {}

    monkeypatch.setattr(module.actions, command, report)
    worker = module.Worker(io.BytesIO(), io.StringIO())
    for whose in ({}, {"face": "2"}, {"face": 2}):
        worker._do(module.Request(1, command, {"job": str(tmp_path)} | whose))
    assert asked == [None, "2", None]
