"""Steps on a thread behind the caller: in order, few at a time, none left out."""

from __future__ import annotations

import gc
import threading
import weakref
from contextlib import suppress
from contextvars import ContextVar

import pytest

from gsmooth_core.behind import Behind


def test_steps_are_done_in_order_on_one_other_thread() -> None:
    seen: list[tuple[int, int]] = []
    with Behind("test", 2) as behind:
        for number in range(20):
            behind.do(lambda n=number: seen.append((n, threading.get_ident())))
    assert [number for number, _ in seen] == list(range(20))
    assert {thread for _, thread in seen} - {threading.get_ident()} == {seen[0][1]}


def test_the_caller_waits_where_too_many_are_not_done() -> None:
    gate, asked = threading.Event(), []

    def ask(behind: Behind) -> None:
        for number in range(4):
            behind.do(gate.wait)
            asked.append(number)

    with Behind("test", 2) as behind:
        caller = threading.Thread(target=ask, args=(behind,))
        caller.start()
        caller.join(0.3)
        assert caller.is_alive()
        assert asked == [0, 1]
        gate.set()
        caller.join(10)
    assert asked == [0, 1, 2, 3]


def test_a_failure_reaches_the_caller_and_the_rest_is_done() -> None:
    done: list[int] = []

    def fail() -> None:
        raise ValueError("the first")

    with pytest.raises(ValueError, match="the first"), Behind("test", 9) as behind:
        behind.do(fail)
        behind.do(lambda: done.append(1))
        behind.do(lambda: [][0])
        behind.do(lambda: done.append(2))
    assert done == [1, 2]


def test_a_failure_is_told_while_steps_are_asked_for() -> None:
    with pytest.raises(ZeroDivisionError), Behind("test", 1) as behind:
        for _ in range(9):
            behind.do(lambda: 1 // 0)


def test_what_waits_is_done_when_the_caller_fails() -> None:
    done: list[int] = []
    gate = threading.Event()
    with pytest.raises(KeyError, match="caller"), Behind("test", 9) as behind:
        behind.do(gate.wait)
        behind.do(lambda: done.append(1))
        behind.do(lambda: 1 // 0)
        behind.do(lambda: done.append(2))
        gate.set()
        raise KeyError("caller")
    assert done == [1, 2]


def test_it_works_in_the_callers_context() -> None:
    chosen: ContextVar[str] = ContextVar("chosen", default="none")
    seen: list[str] = []
    token = chosen.set("mine")
    with Behind("test", 1) as behind:
        behind.do(lambda: seen.append(chosen.get()))
    chosen.reset(token)
    assert seen == ["mine"]


def test_a_failure_that_was_seen_to_keeps_nothing() -> None:
    """What frames and files it came through goes at once, not when somebody tidies up."""

    class Held:
        pass

    def fail(held: Held) -> None:
        raise ValueError(type(held))

    def ask() -> weakref.ref[Held]:
        held = Held()
        known = weakref.ref(held)
        with suppress(ValueError), Behind("test", 9) as behind:
            behind.do(lambda: fail(held))
        return known

    gc.collect()
    gc.disable()
    try:
        assert ask()() is None
    finally:
        gc.enable()
