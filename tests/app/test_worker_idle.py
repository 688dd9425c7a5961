"""A worker without requests ends by itself, and loses none."""

from __future__ import annotations

import io
import threading
import time

from gsmooth_core.app import worker as module
from tests.app.worker_host import PATIENCE, host, make_job


def idle(seconds: float) -> tuple[str, ...]:
    return ("-m", "tests.doubles", "worker", "--idle", str(seconds))


def test_without_requests_it_ends_and_says_so(tmp_path):
    with host(*idle(0.5)) as worker:
        worker.until("ready")
        worker.send(id=1, command="ping")
        worker.until("result")
        began = time.monotonic()
        assert worker.until("closing") == {"event": "closing"}
        assert time.monotonic() - began > 0.3
        assert worker.process.wait(PATIENCE) == 0


def test_a_job_that_lasts_longer_is_not_idleness(tmp_path):
    make_job(tmp_path, frames=15)
    with host(*idle(1.0), DOUBLE_SECONDS="0.1") as worker:
        for number in (1, 2):
            worker.send(id=number, command="dub", arguments={"job": str(tmp_path / "job")})
        ends = [worker.until("result", "error", "closing") for _ in range(3)]
    assert [end["event"] for end in ends] == ["result", "result", "closing"]


def test_unless_it_is_told_to_it_waits_for_requests(monkeypatch):
    worker = module.Worker(io.BytesIO(), io.StringIO())
    monkeypatch.setattr(worker._waiting, "get", lambda timeout: timeout)
    assert worker._next() is None  # seconds to wait for the next request: no end


def test_request_that_comes_while_it_says_goodbye_is_never_begun(monkeypatch):
    """Its host is told, and asks another worker; to do it all the same would be to do it twice."""
    monkeypatch.setattr(module, "LAST_SECONDS", 1e6)  # after which this process would end
    worker = module.Worker(io.BytesIO(), io.StringIO(), idle=0.01)
    request = module.Request(1, "ping", {})
    thread = threading.Thread(target=worker._queue, args=(request,))

    def say(event: str) -> None:
        assert event == "closing"
        thread.start()
        thread.join(0.2)

    monkeypatch.setattr(worker, "_say", say)
    worker._retire()
    thread.join(PATIENCE)
    assert worker._open == []
    assert worker._waiting.get() is None


def test_request_that_comes_just_before_is_done():
    replies = io.StringIO()
    worker = module.Worker(io.BytesIO(), replies, idle=0.01)
    request = module.Request(1, "ping", {})
    worker._queue(request)
    worker._retire()
    assert worker._next() is request
    assert not worker._closed.is_set()
    assert replies.getvalue() == ""
