"""What all operators that use the worker share: prepare, run, finish.

In the window `invoke()` polls the worker from a timer and the window stays usable; `execute()`
blocks, which is what scripts and `--background` want.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import bpy

from .. import preferences, runtime
from ..checks import Kind, check
from ..errors import UserError
from ..events import STAGES, Failure
from ..task import Task

_SHOWS_PROGRESS = {"SEQUENCE_EDITOR", "VIEW_3D", "PREFERENCES"}


class WorkerOperator:
    """Mixin of operators; subclasses say what to ask the worker and what to do with the answer."""

    title: ClassVar[str] = "GSmooth"

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

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do it all at once."""
        if self._is_ready(context):
            return {"FINISHED"}
        task = self._begin(context)
        if task is None:
            return {"CANCELLED"}
        while True:
            try:
                self._wait(task)
            except KeyboardInterrupt:
                task.cancel()
                task.wait()
            following = self._next(context, task)
            if following is None:
                return self._end(context, task)
            task = following

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Start, and watch from a timer."""
        if self._is_ready(context):
            return {"FINISHED"}
        task = self._begin(context)
        if task is None:
            return {"CANCELLED"}
        self._task = task
        manager = context.window_manager
        self._timer = manager.event_timer_add(0.2, window=context.window)
        manager.modal_handler_add(self)
        self._show(context)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Everything goes on to the rest of Blender; ESC, too, which ends playback there."""
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        if self._task.update():
            self._show(context)
            return {"PASS_THROUGH"}
        following = self._next(context, self._task)
        if following is not None:
            self._task = following
            return {"PASS_THROUGH"}
        self._leave(context)
        return self._end(context, self._task)

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender closes, or opens another file."""
        self._task.leave()
        self._leave(context)

    def _is_ready(self, context: bpy.types.Context) -> bool:
        text = self.ready(context)
        runtime.warn(self.title)
        if text:
            self._say("INFO", text)
        return bool(text)

    def _begin(self, context: bpy.types.Context) -> Task | None:
        try:
            return runtime.activate(self.start(context))
        except UserError as error:
            self._fail(self.title, str(error))
            return None

    def _next(self, context: bpy.types.Context, task: Task) -> Task | None:
        """The task after one that has ended, running; None when that was the last."""
        if task.failure is not None:
            return None
        try:
            following = self.follow(context, task.result or {})
            return runtime.activate(following) if following else None
        except UserError as error:
            task.failure = Failure("follow", str(error))
            return None

    def _wait(self, task: Task) -> None:
        stage = ""
        while task.update():
            if task.stage != stage:
                stage = task.stage
                self._say("INFO", STAGES.get(stage, stage))
            task.pause()

    def _end(self, context: bpy.types.Context, task: Task) -> set[str]:
        runtime.warn(task.title, *task.notes)
        for note in task.notes:
            self._say("WARNING", note)
        if task.failure is not None and task.failure.code == "cancelled":
            self._say("WARNING", str(task.failure))
            return {"CANCELLED"}
        if task.failure is not None:
            self._fail(task.title, str(task.failure))
            return {"CANCELLED"}
        try:
            self._say("INFO", self.finish(context, task.result or {}))
        except UserError as error:
            self._fail(task.title, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}

    def _fail(self, title: str, text: str) -> None:
        # Blender's own message is gone when the mouse moves.
        runtime.warn(title, *runtime.warnings()[1:], text)
        self._say("ERROR", text)

    def _say(self, level: str, text: str) -> None:
        # Names of files may hold bytes that are no UTF-8, which Blender does not take.
        self.report({level}, text.encode("utf-8", "backslashreplace").decode("utf-8"))

    def _show(self, context: bpy.types.Context) -> None:
        context.workspace.status_text_set(
            f"{self.title}: {self._task.text}   (Cancel in the GSmooth tab stops it)"
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


def check_answer(result: dict[str, Any], kinds: Mapping[str, Kind]) -> None:
    """See that the worker's answer holds what is taken from it.

    Raises:
        UserError: it does not.
    """
    advice = "update GSmooth, or choose another Python in Preferences > Add-ons > GSmooth."
    check(result, kinds, "the worker's answer", advice)
