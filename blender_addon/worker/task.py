"""One request to a worker, to be polled: what it has done so far, its result or its failure."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from .events import STAGES, Failure, count_in, shown, text_in
from .process import Process
from .progress import overall, time_left

log = logging.getLogger(__name__)

START_SECONDS = 240.0  # the first import of the numeric packages from a cold disk is slow
SILENT_SECONDS = 120.0  # heartbeats come every 5 s; native code may hold them back for a while
AWAY_SECONDS = 20.0  # between two looks: the computer slept, and the worker with it
WAKE_SECONDS = 20.0  # in which a worker that is up takes its next request
CANCEL_SECONDS = 15.0
LEAVE_SECONDS = 1.0  # for which Blender may stand still when it opens another file

_LASTING = {"bad_answer", "internal", "out_of_memory", "worker_died", "worker_silent"}
"""Failures that may leave a process unfit for the next job, as an error of CUDA does."""


class Task:
    """One request to one worker process, to be polled with `update()`.

    Args:
        title: what is going on, for people.
        command: of the protocol, for example "dub".
        arguments: of the command.
        process: which is asked.
        renew: gives a new process for the one that was kept from earlier requests and is gone
            when this one comes. Without it the process is this task's own and ends with it.

    Attributes:
        title: what is going on, for people.
        process: which is asked.
        stage: a key of `STAGES`.
        done: steps of the stage that are done.
        total: steps of the stage, 0 while unknown.
        detail: the worker's last remark.
        notes: its warnings.
        arguments: of the command.
        result: what the worker answered, when it did.
        failure: why it did not.
    """

    def __init__(
        self,
        title: str,
        command: str,
        arguments: Mapping[str, Any],
        process: Process,
        renew: Callable[[], Process] | None = None,
    ) -> None:
        self.title = title
        self.stage, self.done, self.total = "start", 0, 0
        self.detail = ""
        self.notes: list[str] = []
        self.result: dict[str, Any] | None = None
        self.failure: Failure | None = None
        self.arguments = arguments
        self._request = command, arguments
        self._renew = renew
        self._cancelled_at: float | None = None
        self._looked_at = time.monotonic()
        self._ask(process)

    def _ask(self, process: Process) -> None:
        self.process = process
        self._asked_at = time.monotonic()
        self._taken = False
        self._number = process.ask(*self._request)

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
    def overall(self) -> float:
        """Done share of the whole task, 0..1."""
        return overall(self.stage, self.fraction)

    @property
    def left(self) -> str:
        """How long it will take, for people; "" while it stops."""
        if self.cancelling:
            return ""
        return time_left(self.overall, time.monotonic() - self._asked_at)

    @property
    def stage_text(self) -> str:
        """The stage, for people; a worker that is up already need not be started."""
        up = self.stage == "start" and self.process.ready
        return "Preparing" if up else STAGES.get(self.stage, self.stage)

    @property
    def text(self) -> str:
        """Stage and count, for people."""
        if self.cancelling:
            return "Stopping"
        label = self.stage_text
        return f"{label} {self.done}/{self.total}" if self.total else label

    def update(self) -> bool:
        """Take in what has arrived. Returns whether the task still runs."""
        if not self.running:
            return False
        self.process.listen(self._take)
        if self.running:
            self._watch()
        if not self.running:
            self._release()
        return self.running

    def cancel(self) -> None:
        """Ask the worker to stop; what is finished stays in the job's folder."""
        if self.running and self._cancelled_at is None:
            self._cancelled_at = time.monotonic()
            self.process.cancel(self._number)

    def leave(self) -> None:
        """Stop because nobody will look any more; a worker that obeys at once is kept."""
        self.cancel()
        end = time.monotonic() + LEAVE_SECONDS
        while self.update() and time.monotonic() < end:
            self.pause()
        self._kill(Failure("cancelled", "The job was stopped."))

    @staticmethod
    def pause() -> None:
        """Give the worker a moment between two updates of a blocking caller."""
        time.sleep(0.05)

    def wait(self) -> None:
        """Block until the task has ended."""
        while self.update():
            self.pause()

    def _kill(self, failure: Failure) -> None:
        if self.running:
            self.failure = failure
            self.process.kill()

    def _release(self) -> None:
        """Let go of the process: a kept one stays for the next request, where it is fit."""
        if self._renew is None:
            self.process.close()
        elif self.failure is not None and self.failure.code in _LASTING:
            self.process.kill()

    # -- what the worker says ----------------------------------------------------------------

    def _take(self, event: Mapping[str, Any]) -> None:
        """Follow one event of the worker; one of an earlier request changes nothing.

        Raises:
            ValueError: it is no event of ours.
        """
        number = event.get("id")
        if number is not None and (type(number) is not int or not 0 < number <= self._number):
            raise ValueError("it belongs to another request")
        if number is not None and number < self._number:
            log.debug("an event of the request before: %.200s", event.get("event"))
            return
        self._taken = self._taken or number is not None
        handler = self._handlers().get(text_in(event, "event"))
        if handler is not None and self.running:
            handler(event)

    def _handlers(self) -> dict[str, Callable[[Mapping[str, Any]], None]]:
        return {
            "progress": self._on_progress,
            "message": self._on_message,
            "notice": self._on_notice,
            "result": self._on_result,
            "error": self._on_error,
        }

    def _on_progress(self, event: Mapping[str, Any]) -> None:
        stage = text_in(event, "stage")
        done, total = count_in(event, "done"), count_in(event, "total")
        self.stage, self.done, self.total = stage, done, total

    def _on_message(self, event: Mapping[str, Any]) -> None:
        text = text_in(event, "text")
        if event.get("level") == "warning":
            self.notes.append(text)
        else:
            self.detail = text

    def _on_notice(self, event: Mapping[str, Any]) -> None:
        self.notes.append(text_in(event, "text"))

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
        if event.get("id") is None and (self._taken or self._number > 1):
            # About some line of ours or one before, not about the request.
            raise ValueError("it belongs to no request")
        self.failure = Failure(
            shown(event.get("code")) or "error",
            shown(event.get("message")) or "The worker failed.",
            shown(event.get("hint")),
        )

    # -- what it does not say ----------------------------------------------------------------

    def _watch(self) -> None:
        now = time.monotonic()
        if now - self._looked_at > AWAY_SECONDS:
            self._asked_at += now - self._looked_at
            self.process.heard = now
        self._looked_at = now
        heard = max(self.process.heard, self._asked_at)
        if self._passed_over(now):
            self._ask_another()
        elif self.process.ended:
            self.failure = self._death()
        elif self._cancelled_at is not None and now - self._cancelled_at > CANCEL_SECONDS:
            self._kill(Failure("cancelled", "The job was stopped."))
        elif now - heard > (SILENT_SECONDS if self.process.ready else START_SECONDS):
            self._kill(
                Failure(
                    "worker_silent",
                    "The worker does not answer any more and was stopped.",
                    f"Start again: it goes on where it was. Its log: '{self.process.log_path}'.",
                )
            )

    def _passed_over(self, now: float) -> bool:
        """Whether a worker of earlier requests went without having begun this one."""
        if self._renew is None or self._number == 1 or self._taken or self.cancelling:
            return False
        late = self.process.ready and now - self._asked_at > WAKE_SECONDS
        return late or self.process.closing or self.process.ended

    def _ask_another(self) -> None:
        log.info("the worker went before it took the request; another one is asked")
        try:
            assert self._renew is not None  # noqa: S101 - see `_passed_over`
            self._ask(self._renew())
        except OSError as error:
            self.failure = Failure("worker_died", f"No worker can be started ({error.strerror}).")

    def _death(self) -> Failure:
        if self._cancelled_at is not None:
            return Failure("cancelled", "The job was stopped.")
        tail = self.process.log_tail()
        if not self.process.ready and "No module named" in tail:
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
