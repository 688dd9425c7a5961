"""Steps that are done one after the other on a thread of their own, a little behind the caller."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Self


class Behind:
    """Does steps in their order, few of them behind whoever asks for them; a context manager.

    Args:
        name: of the thread.
        most: steps that wait or are at work, each of which holds what it works on.
    """

    def __init__(self, name: str, most: int) -> None:
        self._most = most
        self._thread = ThreadPoolExecutor(1, name)
        self._waiting: deque[Future[None]] = deque()
        self._context = copy_context()  # networks' answers are kept as the caller's are

    def do(self, step: Callable[[], None]) -> None:
        """Have a step done; waits where too many are not done yet.

        Raises:
            Exception: what an earlier step has raised.
        """
        self._waiting.append(self._thread.submit(self._context.run, step))
        if len(self._waiting) > self._most:
            self._waiting.popleft().result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Wait for all steps: each is done, whatever happens, since it may end what it holds.

        Raises:
            Exception: the first that one of them has raised, unless the caller has failed.
        """
        self._thread.shutdown()
        failed = [*filter(None, (step.exception() for step in self._waiting))]
        self._waiting.clear()
        if failed and error is None:
            raise failed.pop(0)  # no name is left for it: it would keep itself and all that it saw
