"""The worker: one process that does jobs for another program, one JSON object a line.

Requests come on stdin, events go to stdout (see `events`), everything else goes to stderr.

    {"id": 1, "command": "dub", "arguments": {"job": "/path/of/the/job"}}
    {"id": 1, "command": "cancel"}
    {"command": "shutdown"}

Commands: dub (arguments: job; output, where it lies outside of the job's folder), track,
predict, mesh, sync, faces (arguments: job), report, words (arguments: job; face, one of several
people), curves (arguments: curves, output, fps), doctor, ping. One job runs at a time; others
wait. A cancelled job ends within a frame and keeps what it has finished. The worker ends when
its stdin closes, so that none is left behind when its host dies; with `--idle SECONDS` also
after so long without a request, since it holds memory.

It says "ready" once, "started" with the id of each request whose turn it is, "heartbeat" every few
seconds, and "closing" before it ends by itself: from then on it takes no request.

A line that is no request is answered by an error "bad_request" without an id, since it is the
end of nothing that was asked for; so is a second request under the id of an open one.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import os
import queue
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from gsmooth_core import __version__
from gsmooth_core.app import actions
from gsmooth_core.app.actions import JOB_ACTIONS
from gsmooth_core.app.doctor import examine
from gsmooth_core.errors import InputError
from gsmooth_core.job.events import Event, Failure, Outcome, outcome_of, raise_if, to_line

HEARTBEAT_SECONDS = 5.0
LAST_SECONDS = 20.0
"""How long a job may take to end after the host has gone."""

LONGEST_LINE = 1 << 20  # bytes; requests name folders, arrays never travel this way
LONGEST_NAME = 100  # letters of a command, letters or digits of an id
MOST_WAITING = 100
_SHOWN = 200  # letters of a bad line that are sent back


@dataclass(eq=False)
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
        idle: seconds without a request after which it ends; None for never.
    """

    def __init__(self, requests: IO[bytes], replies: IO[str], idle: float | None = None) -> None:
        self._requests = requests
        self._replies = replies
        self._idle = idle
        self._queueing = threading.Lock()  # between taking one more request and closing
        self._writing = threading.Lock()
        self._waiting: queue.Queue[Request | None] = queue.Queue()
        self._open: list[Request] = []  # the one that runs and those that wait
        self._closed = threading.Event()

    def run(self) -> None:
        """Serve until stdin closes, a shutdown is asked for, or nothing is for too long."""
        self._say("ready", version=__version__)
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._beat, daemon=True).start()
        while (request := self._next()) is not None:
            outcome = outcome_of(lambda request=request: self._do(request))  # type: ignore[misc]
            self._open.remove(request)
            self._answer(outcome, request)
            _give_back()

    def _next(self) -> Request | None:
        """The request whose turn it is; None when the worker is to end."""
        while True:
            try:
                return self._waiting.get(timeout=self._idle)
            except queue.Empty:
                self._retire()

    def _retire(self) -> None:
        """End for want of requests, unless one came at this very moment."""
        with self._queueing:
            if not self._open:
                self._say("closing")
                self._close()

    def _do(self, request: Request) -> Mapping[str, Any]:
        self._say("started", **({} if request.id is None else {"id": request.id}))
        raise_if(request.cancelled.is_set)
        if request.command == "ping":
            return {"version": __version__}
        if request.command == "doctor":
            return examine().to_json()
        if request.command == "curves":
            return actions.curves(request.arguments)
        if request.command not in JOB_ACTIONS:
            raise InputError(f"The worker knows no command '{request.command}'.", "Update GSmooth.")
        folder = request.arguments.get("job")
        if not isinstance(folder, str) or not folder:
            raise InputError("The request names no job folder.", "Update the add-on.")

        def on_event(event: Event) -> None:
            self._answer(event, request)

        asked = Path(folder), on_event, request.cancelled.is_set
        if request.command == "dub":
            output = request.arguments.get("output")
            return actions.dub(*asked, output if isinstance(output, str) else None)
        if request.command in ("report", "words"):
            named = request.arguments.get("face")
            face = named if isinstance(named, str) else None
            action = actions.report if request.command == "report" else actions.words
            return action(*asked, face=face)
        return JOB_ACTIONS[request.command](*asked)

    def _answer(self, event: Event | Outcome, request: Request) -> None:
        self._write(to_line(event, request.id))

    def _say(self, event: str, **values: int | str) -> None:
        self._write(json.dumps({"event": event} | values))

    def _write(self, line: str) -> None:
        try:
            with self._writing:
                self._replies.write(line + "\n")
                self._replies.flush()
        except (OSError, ValueError):
            self._close()  # the host is gone: nobody is left to work for

    def _listen(self) -> None:
        try:
            while not self._closed.is_set() and (line := next_line(self._requests)):
                self._take(line)
        finally:
            self._close()  # whatever happened: a worker that hears nothing must not stay

    def _take(self, line: bytes) -> None:
        try:
            request = read_request(line)
        except (ValueError, RecursionError) as error:
            self._refuse(f"A line was no request ({error}): {_start_of(line)}")
            return
        if request.command == "shutdown":
            self._close()
        elif request.command == "cancel":
            self._cancel(request.id)
        else:
            self._queue(request)

    def _queue(self, request: Request) -> None:
        if request.id is not None and request.id in [other.id for other in self._open]:
            self._refuse(f"A request with the id {request.id!r} is still open.")
        elif self._waiting.qsize() >= MOST_WAITING:
            hint = "Wait for one of them, or cancel it."
            self._answer(Failure("busy", f"{MOST_WAITING} requests wait already.", hint), request)
        else:
            with self._queueing:
                if not self._closed.is_set():  # else the host has been told
                    self._open.append(request)
                    self._waiting.put(request)

    def _refuse(self, message: str) -> None:
        """Answer a line without an id: under one, the host would take it for that job's end."""
        hint = "Send one JSON object a line, each with a command and an id of its own."
        self._write(to_line(Failure("bad_request", message, hint)))

    def _cancel(self, number: int | str | None) -> None:
        """Cancel one request; without an id, all."""
        for request in list(self._open):
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
            self._say("heartbeat")


def next_line(stream: IO[bytes]) -> bytes:
    """The next line of the host; b"" at the end.

    Of a line that is longer than any request only the beginning is returned and ever held.
    """
    line = part = stream.readline(LONGEST_LINE + 1)
    while len(line) > LONGEST_LINE and part and not part.endswith(b"\n"):
        part = stream.readline(LONGEST_LINE)
    return line


def read_request(line: bytes) -> Request:
    """The request that a line holds.

    Raises:
        ValueError: the line is no request, with words that say why.
        RecursionError: it is nested more deeply than any request.
    """
    if len(line) > LONGEST_LINE:
        raise ValueError(f"it has more than {LONGEST_LINE} bytes")
    content = json.loads(line.decode("utf-8"))
    if not isinstance(content, dict):
        raise ValueError("it is no JSON object")
    command, number, arguments = map(content.get, ("command", "id", "arguments"))
    if not isinstance(command, str) or len(command) > LONGEST_NAME:
        raise ValueError("it has no command")
    # True is an int, and equal to 1; a number that is no whole one has no one way of writing it.
    if type(number) not in (int, str, type(None)) or len(str(number)) > LONGEST_NAME:
        raise ValueError("its id is neither a whole number nor a short text")
    if not isinstance(arguments, dict | None):
        raise ValueError("its arguments are no object")
    return Request(number, command, arguments or {})


def _give_back() -> None:
    """Leave the memory of a graphics card that a job needed to others, who render with it."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        gc.collect()
        torch.cuda.empty_cache()


def _start_of(line: bytes) -> str:
    """As much of a bad line as a person may want to see."""
    return line[: 4 * _SHOWN].decode("utf-8", "replace").strip()[:_SHOWN]


def main(arguments: Sequence[str] = ()) -> int:
    """Serve on this process's stdin and stdout."""
    parser = argparse.ArgumentParser(description="Do jobs for another program, see this module.")
    parser.add_argument("--idle", type=float, metavar="SECONDS", help="end after so long unasked")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    requests = os.fdopen(os.dup(0), "rb")
    with protected_stdout() as replies:
        Worker(requests, replies, options.idle).run()
    return 0


def protected_stdout() -> IO[str]:
    """The real stdout as a stream of its own; from now on prints of libraries go to stderr."""
    sys.stdout.flush()
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return replies


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
