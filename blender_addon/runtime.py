"""The worker process: start it, listen to it, stop it.

Nothing in here touches Blender, so that a crash of the worker costs one job and the whole file
can be tested with any Python. The protocol is one JSON object a line; arrays never travel
through the pipes, they lie in the job's folder.
"""

from __future__ import annotations

import json
import logging
import queue
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .files import parse_object
from .interpreter import core_folder, worker_environment

log = logging.getLogger(__name__)

ENTRY: tuple[str, ...] = ("-m", "gsmooth_core.app.worker")
START_SECONDS = 240.0  # the first import of the numeric packages from a cold disk is slow
SILENT_SECONDS = 120.0  # heartbeats come every 5 s; native code may hold them back for a while
CANCEL_SECONDS = 15.0
_ID = 1  # of the one request that a process gets
_LONGEST_LINE = 1 << 24  # letters; a longer one comes in parts that are no events
_LONGEST_TEXT = 2000  # letters of what the worker says that people are shown

STAGES = {
    "start": "Starting the worker",
    "track": "Following the face",
    "predict": "Listening to the speech",
    "occluders": "Looking for what is before the mouth",
    "adapt": "Learning this mouth",
    "render": "Making the new mouth",
    "encode": "Writing the clip",
    "mesh": "Building the mesh",
    "sync": "Comparing lips and sound",
    "install": "Installing packages",
}


@dataclass(frozen=True)
class Failure:
    """Why a task ended without a result.

    Attributes:
        code: stable name for programs, for example "no_face" or "worker_died".
        message: what happened, in a person's words.
        hint: what they can do about it.
    """

    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


# -- one process, one request ----------------------------------------------------------------


class Process:
    """A child process whose output lines arrive in a queue."""

    def __init__(self, command: Sequence[str], log_path: Path) -> None:
        log_path.parent.mkdir(parents=True, exist_ok=True)
        self.log_path = log_path
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()
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
            )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        stream: IO[str] | None = self.popen.stdout
        while stream and (line := stream.readline(_LONGEST_LINE)):
            self.lines.put(line)

    def send(self, message: Mapping[str, Any]) -> None:
        """Write one line; a process that is gone is noticed by its exit, not here."""
        try:
            assert self.popen.stdin is not None  # noqa: S101 - opened as a pipe above
            self.popen.stdin.write(json.dumps(message) + "\n")
            self.popen.stdin.flush()
        except (OSError, ValueError):
            log.debug("the worker does not listen any more")

    @property
    def ended(self) -> bool:
        """The process is gone and everything it said has been queued."""
        return self.popen.poll() is not None and not self.reader.is_alive()

    def drain(self) -> Iterator[str]:
        """Lines that have arrived since the last call."""
        while not self.lines.empty():
            yield self.lines.get()

    def log_tail(self, lines: int = 6) -> str:
        """The end of what it wrote to stderr."""
        try:
            text = self.log_path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.strip().splitlines()[-lines:])

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
        self.reader.join(1.0)
        if self.popen.stdout:
            self.popen.stdout.close()


class Task:
    """One request to one worker process, to be polled with `update()`.

    Args:
        title: what is going on, for people.
        program: the worker's command line.
        command: of the protocol, for example "dub".
        arguments: of the command.
        log_path: file for what the worker writes to stderr.

    Attributes:
        title: what is going on, for people.
        stage: a key of `STAGES`.
        done: steps of the stage that are done.
        total: steps of the stage, 0 while unknown.
        detail: the worker's last remark.
        notes: its warnings.
        result: what the worker answered, when it did.
        failure: why it did not.
    """

    def __init__(
        self,
        title: str,
        program: Sequence[str],
        command: str,
        arguments: Mapping[str, Any],
        log_path: Path,
    ) -> None:
        self.title = title
        self.stage, self.done, self.total = "start", 0, 0
        self.detail = ""
        self.notes: list[str] = []
        self.result: dict[str, Any] | None = None
        self.failure: Failure | None = None
        self.started = self._heard = time.monotonic()
        self._cancelled_at: float | None = None
        self._ready = False
        self._taken = False
        self._request = {"id": _ID, "command": command, "arguments": dict(arguments)}
        self.process = Process(program, log_path)
        self.process.send(self._request)

    @property
    def running(self) -> bool:
        """Neither a result nor a failure yet."""
        return self.result is None and self.failure is None

    @property
    def cancelling(self) -> bool:
        """The user asked to stop and the worker has not answered yet."""
        return self._cancelled_at is not None and self.running

    @property
    def fraction(self) -> float:
        """Done share of the current stage, 0..1."""
        return min(1.0, self.done / self.total) if self.total else 0.0

    @property
    def text(self) -> str:
        """Stage and count, for people."""
        if self.cancelling:
            return "Stopping"
        label = STAGES.get(self.stage, self.stage)
        return f"{label} {self.done}/{self.total}" if self.total else label

    def update(self) -> bool:
        """Take in what has arrived. Returns whether the task still runs."""
        for line in self.process.drain():
            self._heard = time.monotonic()
            self._take(line)
        if self.running:
            self._watch()
        if not self.running:
            self.process.close()
        return self.running

    def cancel(self) -> None:
        """Ask the worker to stop; what is finished stays in the job's folder."""
        if self.running and self._cancelled_at is None:
            self._cancelled_at = time.monotonic()
            self.process.send({"id": _ID, "command": "cancel"})

    def kill(self) -> None:
        """End the worker at once."""
        if self.running:
            self.failure = Failure("cancelled", "The job was stopped.")
        self.process.popen.kill()
        self.process.close()

    @staticmethod
    def pause() -> None:
        """Give the worker a moment between two updates of a blocking caller."""
        time.sleep(0.05)

    def wait(self) -> None:
        """Block until the task has ended."""
        while self.update():
            self.pause()

    def _take(self, line: str) -> None:
        """Follow one line of the worker; what is no event of ours changes nothing."""
        try:
            event = parse_object(line)
            handler = self._handler(event)
            if handler is not None and self.running:
                handler(event)
        except (ValueError, RecursionError) as error:
            log.warning("not an event (%s): %.200s", error, line.rstrip())

    def _handler(self, event: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], None] | None:
        number = event.get("id")
        if number is not None and (type(number) is not int or number != _ID):
            raise ValueError("it belongs to another request")
        self._taken = self._taken or number == _ID
        handlers = {
            "ready": self._on_ready,
            "progress": self._on_progress,
            "message": self._on_message,
            "result": self._on_result,
            "error": self._on_error,
        }
        return handlers.get(_text(event, "event"))

    def _on_ready(self, _event: Mapping[str, Any]) -> None:
        self._ready = True

    def _on_progress(self, event: Mapping[str, Any]) -> None:
        stage, done, total = _text(event, "stage"), _count(event, "done"), _count(event, "total")
        self.stage, self.done, self.total = stage, done, total

    def _on_message(self, event: Mapping[str, Any]) -> None:
        text = _text(event, "text")
        if event.get("level") == "warning":
            self.notes.append(text)
        else:
            self.detail = text

    def _on_result(self, event: Mapping[str, Any]) -> None:
        result = event.get("result")
        if isinstance(result, dict):
            self.result = result
        else:  # nothing else will come: to wait for it would be to wait for ever
            self.failure = Failure(
                "bad_answer",
                "The worker's answer cannot be understood.",
                "Update GSmooth, or choose another Python in Preferences > Add-ons > GSmooth.",
            )

    def _on_error(self, event: Mapping[str, Any]) -> None:
        if event.get("id") is None and self._taken:
            # About some line of ours, not about the request, which the worker is at already.
            raise ValueError("it belongs to no request")
        self.failure = Failure(
            _shown(event.get("code")) or "error",
            _shown(event.get("message")) or "The worker failed.",
            _shown(event.get("hint")),
        )

    def _watch(self) -> None:
        now = time.monotonic()
        if self.process.ended and self.process.lines.empty():
            self.failure = self._death()
        elif self._cancelled_at is not None and now - self._cancelled_at > CANCEL_SECONDS:
            self.kill()
        elif now - self._heard > (SILENT_SECONDS if self._ready else START_SECONDS):
            self.kill()
            self.failure = Failure(
                "worker_silent",
                "The worker does not answer any more and was stopped.",
                f"Start again: it goes on where it was. Its log: '{self.process.log_path}'.",
            )

    def _death(self) -> Failure:
        if self._cancelled_at is not None:
            return Failure("cancelled", "The job was stopped.")
        tail = self.process.log_tail()
        if "No module named" in tail:
            missing = tail.rsplit("No module named", 1)[1].strip().splitlines()[0]
            return Failure(
                "worker_incomplete",
                f"The worker's Python lacks the package {missing}.",
                "Press Install in Preferences > Add-ons > GSmooth, or choose another Python there.",
            )
        code = self.process.popen.returncode
        last = tail.splitlines()[-1] if tail else "no message"
        return Failure(
            "worker_died",
            f"The worker stopped unexpectedly (exit status {code}: {last}).",
            f"Start again: it goes on where it was. Its log: '{self.process.log_path}'.",
        )


def _text(event: Mapping[str, Any], name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str):
        raise ValueError(f"its '{name}' is no text")
    return _shown(value)


def _count(event: Mapping[str, Any], name: str) -> int:
    value = event.get(name, 0)
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise ValueError(f"its '{name}' is no count")
    return value


def _shown(value: Any) -> str:
    """A text as Blender can show it: not too long, and UTF-8 without a NUL; "" for no text."""
    text = value[:_LONGEST_TEXT].replace("\0", "") if isinstance(value, str) else ""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


# -- the one task that the interface shows ---------------------------------------------------

_active: list[Task] = []


def active() -> Task | None:
    """The task that runs now, for panels and the Cancel button."""
    return _active[0] if _active and _active[0].running else None


def activate(task: Task) -> Task:
    """Make `task` the one that the interface shows."""
    _active[:] = [task]
    return task


def stop_all() -> None:
    """Kill whatever runs: Blender quits, or the add-on is switched off."""
    for task in _active:
        task.kill()
    _active.clear()
