"""A wish to stop: first heard, then pressed, and nothing is left of the watch."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable

import pytest

from gsmooth_core.app import interruption
from gsmooth_core.app.interruption import interruptible

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs signals")

LIMIT = 20.0


def give_up() -> None:
    pytest.fail("the process would have ended by force")


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_ends_by_itself_is_not_interrupted(number):
    with interruptible(give_up) as wished:
        assert not wished()
        os.kill(os.getpid(), number)
        until(wished)


def test_a_second_signal_interrupts_at_once(monkeypatch):
    monkeypatch.setattr(interruption, "PATIENCE", LIMIT)
    with pytest.raises(KeyboardInterrupt), interruptible(give_up) as wished:
        os.kill(os.getpid(), signal.SIGINT)
        until(wished)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(LIMIT)


def test_who_goes_on_is_interrupted(monkeypatch):
    monkeypatch.setattr(interruption, "PATIENCE", 0.2)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), interruptible(give_up):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(2 * LIMIT)
    assert 0.2 <= time.monotonic() - began < LIMIT


def test_another_librarys_signal_is_no_wish():
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with interruptible(give_up) as wished:
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(0.1)
            assert not wished()
            os.kill(os.getpid(), signal.SIGINT)
            until(wished)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_nothing_is_left_of_it():
    ear, bell = socket.socketpair()
    with ear, bell:
        bell.setblocking(False)
        woken_before = signal.set_wakeup_fd(bell.fileno())
        handlers, threads = (
            [signal.getsignal(n) for n in interruption._NUMBERS],
            threading.active_count(),
        )
        try:
            with interruptible(give_up):
                assert threading.active_count() == threads + 1
            assert [signal.getsignal(n) for n in interruption._NUMBERS] == handlers
        finally:
            assert signal.set_wakeup_fd(woken_before) == bell.fileno()
    assert threading.active_count() == threads
