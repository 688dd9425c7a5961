"""A job of strips: Blender renders first what is in no file, then the worker is asked."""

from __future__ import annotations

from typing import Any

from ..timeline.plan import Plan
from ..worker.task import Task
from . import rendering
from .job import Job


class PlannedJob(Job):
    """A job that has a plan when it starts, see `planning.make_plan`."""

    _plan: Plan

    def start(self) -> Task:
        self._plan = self._make_plan()
        return self._go_on()

    def follow(self, result: dict[str, Any]) -> Task | None:
        if not rendering.missing(self._plan):
            return None
        self._plan = rendering.with_files(self._plan, result)
        return self._go_on()

    def _go_on(self) -> Task:
        return rendering.next_task(self.title, self._plan) or self._ask()

    def _make_plan(self) -> Plan:
        """Which frames and seconds the job is about.

        Raises:
            UserError: the strips cannot be used as they are.
        """
        raise NotImplementedError

    def _ask(self) -> Task:
        """Ask the worker, when nothing is missing any more.

        Raises:
            UserError: it cannot be asked.
        """
        raise NotImplementedError
