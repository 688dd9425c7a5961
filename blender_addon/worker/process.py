"""A child process that speaks JSON lines: start it, ask it, listen to it, end it.

Nothing in here touches Blender, so that the whole file can be tested with any Python. The
protocol is one JSON object a line (see `gsmooth_core.app.worker`); arrays never travel through
the pipes, they lie in the job's folder.
"""

from __future__ import annotations

import json
import logging
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from ..storage.files import parse_object
from .interpreter import core_folder, worker_environment

log = logging.getLogger(__name__)

_LONGEST_LINE = 1 << 24  # letters; a longer one comes in parts that are no events


class Process:
    """A child process whose output lines arrive in a queue.

    Args:
        command: program and arguments.
        log_path: file for what it writes to stderr.

    Attributes:
        asked: number of requests so far, and id of the last one.
        ready: it has said that it is.
        closing: it has said that it takes no more requests.
        heard: when its last line was taken in, on the monotonic clock.

    Raises:
        OSError: it cannot be started, or the log not be written.
    """

    def __init__(self, command: Sequence[str], log_path: Path) -> None:
        log_path.parent.mkdir(parents=True, exist_ok=True)
        self.log_path = log_path
        self.asked = 0
        self.ready = self.closing = False
        self.heard = time.monotonic()
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        log_path.unlink(missing_ok=True)
        with log_path.open("xb") as errors:  # never what a link or pipe in its place leads to
            self.popen = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=worker_environment(),
                cwd=core_folder(),  # `-m` searches there first
                text=True,
                encoding="utf-8",
                errors="replace",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                process_group=0,  # a Ctrl-C in Blender's terminal is Blender's to answer
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        stream: IO[str] | None = self.popen.stdout
        while stream and (line := stream.readline(_LONGEST_LINE)):
            self._lines.put(line)

    def ask(self, command: str, arguments: Mapping[str, Any]) -> int:
        """Send a request; returns its id."""
        self.asked += 1
        self._send({"id": self.asked, "command": command, "arguments": dict(arguments)})
        return self.asked

    def cancel(self, number: int) -> None:
        """Ask it to stop a request."""
        self._send({"id": number, "command": "cancel"})

    def _send(self, message: Mapping[str, Any]) -> None:
        """Write one line; a process that is gone is noticed by its exit, not here."""
        try:
            assert self.popen.stdin is not None  # noqa: S101 - opened as a pipe above
            self.popen.stdin.write(json.dumps(message) + "\n")
            self.popen.stdin.flush()
        except (OSError, ValueError):
            log.debug("the worker does not listen any more")

    def listen(self, take: Callable[[Mapping[str, Any]], None] = lambda event: None) -> None:
        """Give what has arrived to `take`, which raises ValueError for what is no event."""
        while not self._lines.empty():
            line = self._lines.get()
            self.heard = time.monotonic()
            try:
                event = parse_object(line)
                self._notice(event.get("event"))
                take(event)
            except (ValueError, RecursionError) as error:
                log.warning("not an event (%s): %.200s", error, line.rstrip())

    def _notice(self, said: Any) -> None:
        self.ready = self.ready or said == "ready"
        self.closing = self.closing or said == "closing"

    @property
    def ended(self) -> bool:
        """The process is gone and everything it said has been taken in."""
        gone = self.popen.poll() is not None and not self._reader.is_alive()
        return gone and self._lines.empty()

    def log_tail(self) -> str:
        """The last lines of what it wrote to stderr."""
        try:
            text = self.log_path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.strip().splitlines()[-6:])

    def kill(self) -> None:
        """End it at once."""
        self.popen.kill()
        self.close()

    def close(self, patience: float = 3.0) -> None:
        """Closing stdin ends the worker; one that does not end is killed."""
        try:
            if self.popen.stdin:
                self.popen.stdin.close()
        except OSError:
            log.debug("stdin was closed already")
        try:
            self.popen.wait(patience)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        self._reader.join(1.0)
        if self.popen.stdout:
            self.popen.stdout.close()
