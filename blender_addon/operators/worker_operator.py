"""What all operators that use the worker share: prepare, run, finish.

In the window `invoke()` polls the worker from a timer and the window stays usable; `execute()`
blocks, which is what scripts and `--background` want.
"""

from __future__ import annotations

from typing import Any, ClassVar

import bpy

from ..errors import UserError
from ..jobs import closing
from ..jobs.job import Job
from ..worker import runtime
from ..worker.task import Task

_SHOWS_PROGRESS = {"SEQUENCE_EDITOR", "VIEW_3D", "PREFERENCES"}
_LEVELS = {"done": "INFO", "cancelled": "WARNING", "failed": "ERROR"}


class _OwnJob(Job):
    """The job of an operator that is one by itself."""

    def __init__(self, operator: WorkerOperator) -> None:
        super().__init__(operator.title)
        self._operator = operator

    def start(self) -> Task:
        task = self._operator.start(bpy.context)
        self.title = task.title
        return task

    def follow(self, result: dict[str, Any]) -> Task | None:
        return self._operator.follow(bpy.context, result)

    def finish(self, result: dict[str, Any]) -> str:
        return self._operator.finish(bpy.context, result)


class WorkerOperator:
    """Mixin of operators; subclasses say what to ask the worker and what to do with the answer."""

    title: ClassVar[str] = "GSmooth"
    about_file: ClassVar[bool] = True  # else Blender may close without a word

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str:
        """Why the operator cannot run now, in a person's words; "" if it can."""
        return ""

    def ready(self, context: bpy.types.Context) -> str:
        """What is there already, so that no worker is needed; "" if one is."""
        return ""

    def start(self, context: bpy.types.Context) -> Task:
        """Prepare and start the task.

        Raises:
            UserError: it cannot be started.
        """
        raise NotImplementedError

    def follow(self, context: bpy.types.Context, result: dict[str, Any]) -> Task | None:
        """The next task, when the one that gave this result was not the last.

        Raises:
            UserError: it cannot be started.
        """
        return None

    def finish(self, context: bpy.types.Context, result: dict[str, Any]) -> str:
        """Take the result into Blender; returns what to tell the user.

        Raises:
            UserError: there is no place for it (any more).
        """
        raise NotImplementedError

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """One reason for both the disabled button and its tooltip."""
        reason = "A job is running: wait for it or cancel it." if runtime.active() else ""
        reason = reason or cls.why_not(context)
        if reason:
            cls.poll_message_set(reason)
        return not reason

    def job(self, context: bpy.types.Context) -> Job:
        """The job that is done.

        Raises:
            UserError: it cannot be.
        """
        return _OwnJob(self)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do it all at once."""
        job = self._begin(context)
        stage = ""
        while job is not None and self._goes_on(job):
            if job.task is not None and job.task.stage != stage:
                stage = job.task.stage
                self._say("INFO", job.task.stage_text)
            Task.pause()
        return self._end(job) if job else {"FINISHED"}

    @staticmethod
    def _goes_on(job: Job) -> bool:
        try:
            return job.update()
        except KeyboardInterrupt:
            job.cancel()
            return True

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Start, and watch from a timer."""
        job = self._begin(context)
        if job is None or job.state != "running":
            return self._end(job) if job else {"FINISHED"}
        self._job = job
        manager = context.window_manager
        self._timer = manager.event_timer_add(0.2, window=context.window)
        manager.modal_handler_add(self)
        self._show(context)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Everything goes on to the rest of Blender; ESC, too, which ends playback there."""
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        if self._job.update():
            if self.about_file:  # at every tick: it may be saved meanwhile
                closing.have_it_asked(self._job.title)
            self._show(context)
            return {"PASS_THROUGH"}
        self._leave(context)
        return self._end(self._job)

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender closes, or opens another file."""
        self._job.leave()
        self._leave(context)

    def _begin(self, context: bpy.types.Context) -> Job | None:
        """The job, begun; None where it has been done already."""
        text = self.ready(context)
        runtime.tell(None)
        if text:
            self._say("INFO", text)
            return None
        try:
            return self.job(context).begin()
        except UserError as error:
            failed = Job(self.title)
            failed.end("failed", str(error))
            return failed

    def _end(self, job: Job) -> set[str]:
        for note in dict.fromkeys(job.notes):
            self._say("WARNING", note)
        self._say(_LEVELS[job.state], job.text)
        return {"FINISHED"} if job.state == "done" else {"CANCELLED"}

    def _say(self, level: str, text: str) -> None:
        # Names of files may hold bytes that are no UTF-8, which Blender does not take.
        self.report({level}, text.encode("utf-8", "backslashreplace").decode("utf-8"))

    def _show(self, context: bpy.types.Context) -> None:
        context.workspace.status_text_set(
            f"{self._job.title}: {self._job.task.text}   "
            "(Cancel in the GSmooth tab stops it, and so does closing Blender)"
        )
        self._redraw(context)

    def _leave(self, context: bpy.types.Context) -> None:
        context.window_manager.event_timer_remove(self._timer)
        context.workspace.status_text_set(None)
        self._redraw(context)

    @staticmethod
    def _redraw(context: bpy.types.Context) -> None:
        for window in context.window_manager.windows:
            for area in window.screen.areas:
                if area.type in _SHOWS_PROGRESS:
                    area.tag_redraw()
