"""The worker: one process that does jobs for another program, one JSON object a line.

Requests come on stdin, events go to stdout (see `events`), everything else goes to stderr.

    {"id": 1, "command": "dub", "arguments": {"job": "/path/of/the/job"}}
    {"id": 1, "command": "cancel"}
    {"command": "shutdown"}

Commands: dub, track, predict, mesh, sync, report (arguments: job), doctor, ping. One job runs
at a time; others wait. A cancelled job ends within a frame and keeps what it has finished. The
worker ends when its stdin closes, so that none is left behind when its host dies.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from gsmooth_core import __version__
from gsmooth_core.actions import JOB_ACTIONS
from gsmooth_core.errors import InputError
from gsmooth_core.events import Event, Failure, Outcome, outcome_of, raise_if, to_line

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5.0
LAST_SECONDS = 20.0
"""How long a job may take to end after the host has gone."""


@dataclass
class Request:
    """One job that was asked for."""

    id: int | str | None
    command: str
    arguments: Mapping[str, Any]
    cancelled: threading.Event = field(default_factory=threading.Event)


class Worker:
    """Answers requests from `requests` with lines on `replies` until the requests end.

    Args:
        requests: the host's lines.
        replies: where event lines go; nothing else may be written there.
    """

    def __init__(self, requests: IO[str], replies: IO[str]) -> None:
        self._requests = requests
        self._replies = replies
        self._writing = threading.Lock()
        self._waiting: queue.Queue[Request | None] = queue.Queue()
        self._open: dict[int | str | None, Request] = {}
        self._closed = threading.Event()

    def run(self) -> None:
        """Serve until stdin closes or a shutdown is asked for."""
        self._write(json.dumps({"event": "ready", "version": __version__}))
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._beat, daemon=True).start()
        while (request := self._waiting.get()) is not None:
            outcome = outcome_of(lambda request=request: self._do(request))  # type: ignore[misc]
            self._open.pop(request.id, None)
            self._answer(outcome, request)

    def _do(self, request: Request) -> Mapping[str, Any]:
        raise_if(request.cancelled.is_set)
        if request.command == "ping":
            return {"version": __version__}
        if request.command == "doctor":
            from gsmooth_core.doctor import examine

            return examine().to_json()
        if request.command not in JOB_ACTIONS:
            raise InputError(f"The worker knows no command '{request.command}'.", "Update GSmooth.")
        folder = request.arguments.get("job")
        if not isinstance(folder, str) or not folder:
            raise InputError("The request names no job folder.", "Update the add-on.")

        def on_event(event: Event) -> None:
            self._answer(event, request)

        return JOB_ACTIONS[request.command](Path(folder), on_event, request.cancelled.is_set)

    def _answer(self, event: Event | Outcome, request: Request) -> None:
        self._write(to_line(event, request.id))

    def _write(self, line: str) -> None:
        try:
            with self._writing:
                self._replies.write(line + "\n")
                self._replies.flush()
        except (BrokenPipeError, ValueError):
            self._close()  # the host is gone: nobody is left to work for

    def _listen(self) -> None:
        for line in self._requests:
            self._take(line)
            if self._closed.is_set():
                break
        self._close()

    def _take(self, line: str) -> None:
        try:
            content = json.loads(line)
            command, number = content["command"], content.get("id")
            arguments = content.get("arguments") or {}
            valid = isinstance(command, str) and isinstance(arguments, dict)
            valid = valid and isinstance(number, int | str | None)
        except (ValueError, KeyError, TypeError, AttributeError):
            valid = False
        if not valid:
            self._write(to_line(Failure("bad_request", "A line was no request.", line.strip())))
        elif command == "shutdown":
            self._close()
        elif command == "cancel":
            self._cancel(number)
        else:
            request = self._open[number] = Request(number, command, arguments)
            self._waiting.put(request)

    def _cancel(self, number: int | str | None) -> None:
        """Cancel one request; without an id, all."""
        for request in list(self._open.values()):
            if number in (None, request.id):
                request.cancelled.set()

    def _close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        self._cancel(None)
        self._waiting.put(None)
        last = threading.Timer(LAST_SECONDS, os._exit, (1,))
        last.daemon = True
        last.start()

    def _beat(self) -> None:
        while not self._closed.wait(HEARTBEAT_SECONDS):
            self._write(json.dumps({"event": "heartbeat"}))


def main() -> int:
    """Serve on this process's stdin and stdout."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    requests = os.fdopen(os.dup(0), encoding="utf-8", errors="replace")
    with protected_stdout() as replies:
        Worker(requests, replies).run()
    return 0


def protected_stdout() -> IO[str]:
    """The real stdout as a stream of its own; from now on prints of libraries go to stderr."""
    sys.stdout.flush()
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return replies


if __name__ == "__main__":
    sys.exit(main())
