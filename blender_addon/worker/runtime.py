"""The worker that is kept warm between requests, and the one task that the interface shows.

A worker that has done a job has its packages and models at hand: it begins the next one at once,
where a new one needs seconds. So there is one worker, made when it is first asked, until something
it was made from changes, it is gone, or it has ended itself for want of requests.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UserError
from .interpreter import core_stamp, file_stamp, worker_environment
from .process import Process
from .task import Task

IDLE_SECONDS = 600  # after which a worker ends itself, since it holds about a gigabyte
ENTRY: tuple[str, ...] = ("-m", "gsmooth_core.app.worker", "--idle", str(IDLE_SECONDS))
_LOGS = 5  # files that are kept, one a worker

_numbers = itertools.count(1)


# -- the one worker --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Kept:
    """A worker, and what it was made from: another of that needs another worker."""

    process: Process
    origin: tuple[Any, ...]


_kept: list[_Kept] = []


def ask_worker(
    title: str, python: Path, command: str, arguments: Mapping[str, Any], logs: Path
) -> Task:
    """A request to the warm worker; where none suits, one is started.

    Args:
        title: what is going on, for people.
        python: interpreter of the worker.
        command: of the protocol.
        arguments: of the command.
        logs: folder for the workers' logs.

    Raises:
        UserError: another task runs.
        OSError: the worker cannot be started, or its log not be written.
    """
    if active() is not None:
        raise UserError("A job is running: wait for it or cancel it.")

    def start() -> Process:
        stop_worker()
        process = Process([str(python), *ENTRY], new_log(logs))
        _kept.append(_Kept(process, _origin(python)))
        return process

    process = _usable(_origin(python)) or start()
    return Task(title, command, arguments, process, renew=start)


def _usable(origin: tuple[Any, ...]) -> Process | None:
    """The kept worker, when it would be made in the same way now and takes requests."""
    if not _kept or _kept[0].origin != origin:
        return None
    process = _kept[0].process
    process.listen()  # to what it said since the last request
    return None if process.closing or process.popen.poll() is not None else process


def _origin(python: Path) -> tuple[Any, ...]:
    environment = tuple(sorted(worker_environment().items()))
    return str(python), file_stamp(python), ENTRY, environment, core_stamp()


def stop_worker() -> None:
    """End the worker, if there is one."""
    for kept in _kept:
        kept.process.kill()  # it has no work; one that had would go on from its journal
    _kept.clear()


def new_log(folder: Path) -> Path:
    """Path for the log of one more worker; the oldest are removed."""
    for old in sorted(folder.glob("worker-*.log"))[: 1 - _LOGS]:  # their names begin with the time
        with suppress(OSError):
            old.unlink()
    # Several Blenders share the folder.
    return folder / f"worker-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-{next(_numbers)}.log"


# -- the one task that the interface shows ---------------------------------------------------

_active: list[Task] = []


def active() -> Task | None:
    """The task that runs now, for panels and the Cancel button."""
    return _active[0] if _active and _active[0].running else None


@dataclass(frozen=True)
class Outcome:
    """What came of the last act, for its user; until the next one.

    Attributes:
        title: of the act.
        state: "done", "failed" or "cancelled".
        text: in a sentence.
        notes: what its user should know, too.
    """

    title: str
    state: str
    text: str
    notes: tuple[str, ...] = ()


_outcome: list[Outcome] = []


def outcome() -> Outcome | None:
    """What came of the last act."""
    return _outcome[0] if _outcome else None


def tell(news: Outcome | None) -> None:
    """Take this in place of what came of the act before; None for nothing."""
    _outcome[:] = [news] if news else []


def warnings() -> list[str]:
    """What its user should know of the last act, after its title; nothing where all is well."""
    last = outcome()
    if last is None:
        return []
    texts = [*last.notes, last.text] if last.state == "failed" else list(last.notes)
    return [last.title, *dict.fromkeys(texts)] if texts else []


def activate(task: Task) -> Task:
    """Make `task` the one that the interface shows."""
    _active[:] = [task]
    return task


def stop_all() -> None:
    """End whatever runs, and the worker: Blender quits, or the add-on is switched off."""
    for task in _active:
        task.leave()
    _active.clear()
    stop_worker()
