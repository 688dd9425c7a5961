"""A job: one act for which a worker is asked, in one task or several, and what comes of it.

Operators, the queue and scripts (`api`) drive the same jobs: with `update()` from a timer, or with
`wait()`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from .. import preferences
from ..errors import UserError
from ..worker import runtime
from ..worker.runtime import Outcome
from ..worker.task import Task


class Job:
    """An act that is begun, polled, and taken into Blender when the worker has done it.

    Attributes:
        title: what is going on, for people.
        state: "ready", "running", "done", "failed" or "cancelled".
        text: what came of it, for people.
        notes: what the worker warned of.
        task: what the worker is asked now.
        on_end: called when it has ended.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.state, self.text = "ready", ""
        self.notes: list[str] = []
        self.task: Task | None = None
        self.on_end: Callable[[], None] = lambda: None

    # -- what each kind of job does --------------------------------------------------------------

    def start(self) -> Task:
        """Prepare, and ask the worker for the first time.

        Raises:
            UserError: it cannot be done.
        """
        raise NotImplementedError

    def follow(self, result: dict[str, Any]) -> Task | None:
        """The next task, when the one that gave this result was not the last.

        Raises:
            UserError: it cannot be started.
        """
        return None

    def finish(self, result: dict[str, Any]) -> str:
        """Take the last result into Blender; returns what to tell the user.

        Raises:
            UserError: there is no place for it (any more).
        """
        raise NotImplementedError

    # -- how it goes -----------------------------------------------------------------------------

    def begin(self) -> Self:
        """Start; a job that cannot be started has failed at once."""
        self.state = "running"
        try:
            self.task = runtime.activate(self.start())
        except UserError as error:
            self.end("failed", str(error))
        return self

    def update(self) -> bool:
        """Take in what has arrived; returns whether it still runs."""
        if self.state != "running" or self.task is None:
            return False
        if self.task.update():
            return True
        self.notes += self.task.notes
        self._advance(self.task)
        return self.state == "running"

    def _advance(self, task: Task) -> None:
        """What comes after a task that has ended."""
        if task.failure is not None:
            state = "cancelled" if task.failure.code == "cancelled" else "failed"
            self.end(state, str(task.failure))
            return
        try:
            following = self.follow(task.result or {})
            if following is not None:
                self.task = runtime.activate(following)
            else:
                self.end("done", self.finish(task.result or {}))
        except UserError as error:
            self.end("failed", str(error))

    def end(self, state: str, text: str) -> None:
        """Note what came of it, where the panel shows it until the next act."""
        self.state, self.text = state, text
        runtime.tell(Outcome(self.title, state, text, tuple(dict.fromkeys(self.notes))))
        self.on_end()

    def cancel(self) -> None:
        """Ask the worker to stop; what is finished is kept, and the same job goes on from there."""
        if self.task is not None:
            self.task.cancel()

    def leave(self) -> None:
        """Stop because nobody will look any more."""
        if self.task is not None:
            self.task.leave()
            self.update()

    def wait(self) -> Self:
        """Begin where that has not been done, and block until it has ended."""
        if self.state == "ready":
            self.begin()
        while self.update():
            Task.pause()
        return self

    def result(self) -> str:
        """Block until it has ended; returns what came of it.

        Raises:
            UserError: it failed or was cancelled.
        """
        if self.wait().state != "done":
            raise UserError(self.text)
        return self.text


def worker_task(title: str, command: str, **arguments: Any) -> Task:
    """A request to the worker.

    Raises:
        UserError: there is no Python to run it, its log cannot be written, or it is at work.
    """
    _origin, python = preferences.find_python()
    logs = preferences.user_folder() / "logs"
    try:
        return runtime.ask_worker(title, python, command, arguments, logs)
    except OSError as error:
        raise UserError(
            f"The worker cannot be started ({error.strerror}: '{error.filename or python}'). "
            "Choose another Python in Preferences > Add-ons > GSmooth."
        ) from error
