"""A Ctrl-C (or termination) as a wish to stop, which comes true whatever the program is doing."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from gsmooth_core.errors import CancelledError

PATIENCE = 0.7
"""Seconds after a Ctrl-C in which a job may end by itself, again after it is interrupted, and again
for its last words."""

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def interruptible(on_give_up: Callable[[], None]) -> Iterator[Callable[[], bool]]:
    """Turn a Ctrl-C (or termination) into a wish to stop, and see that it comes true.

    A job ends at its next frame; whatever has not ended by then, probing a file for example, is
    interrupted, and what cannot be interrupted (native code) ends with the process. A job can be
    killed at any moment, so nothing is lost by that. A second Ctrl-C interrupts at once.

    Args:
        on_give_up: called just before the process ends by force, from another thread.

    Yields:
        a function that says whether the user wants to stop.
    """
    watch = _Watch(on_give_up)
    before = [signal.signal(number, watch.on_signal) for number in _NUMBERS]
    woken_before = signal.set_wakeup_fd(watch.bell, warn_on_full_buffer=False)
    try:
        yield lambda: watch.wished
    finally:
        watch.leave()
        signal.set_wakeup_fd(woken_before)
        watch.close()
        for number, handler in zip(_NUMBERS, before, strict=True):
            signal.signal(number, handler)


class _Watch:
    """A thread that hears of a signal in the moment it comes, and sees to the end.

    Python runs a handler once the main thread is back in Python. A thread that was about to wait
    (for a program that hangs, say), or that another thread's signal did not wake, is not back
    before something else happens. So the signal rings a bell outside of Python.
    """

    def __init__(self, on_give_up: Callable[[], None]) -> None:
        self.wished = False
        self._on_give_up = on_give_up
        self._worker = threading.get_ident()
        self._handled = self._pressing = self._raised = False
        self._left = threading.Event()
        self._ear, self._bell = socket.socketpair()  # Windows has wake-ups for sockets alone
        self._bell.setblocking(False)
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def bell(self) -> int:
        """What a signal's number is written to."""
        return self._bell.fileno()

    def on_signal(self, _number: int, _frame: FrameType | None) -> None:
        """Python's own handler, in the main thread, once it is back in Python."""
        if self._left.is_set() or self._raised:  # what ends by itself is not torn out of that
            return
        self.wished = True
        if self._handled or self._pressing:
            self._raised = True
            raise KeyboardInterrupt
        self._handled = True

    def leave(self) -> None:
        """What was watched has ended: nothing is interrupted any more."""
        self._left.set()

    def close(self) -> None:
        """End the thread; no signal rings the bell by now."""
        self._bell.close()
        self._thread.join()
        self._ear.close()

    def _watch(self) -> None:
        while (number := self._ear.recv(1)) and number[0] not in _NUMBERS:
            pass  # another library's signal
        if not number:
            return
        self.wished = True
        if not self._left.wait(PATIENCE):
            self._pressing = True
            _interrupt(self._worker)
        if not self._left.wait(PATIENCE):
            # Nobody may be reading, and the pipe be full: that is no reason to stay.
            words = threading.Thread(target=self._on_give_up, daemon=True)
            words.start()
            words.join(PATIENCE)
            os._exit(CancelledError.exit_code)


def _interrupt(thread: int) -> None:
    """Have Python's handler run in the main thread, out of a system call too."""
    if sys.platform == "win32":
        signal.raise_signal(signal.SIGINT)
    else:
        signal.pthread_kill(thread, signal.SIGINT)
