"""Steps behind the caller: in order, few of them, with the caller's context, and never silent."""

from __future__ import annotations

from contextvars import ContextVar
from functools import partial
from threading import Event, current_thread, main_thread

import pytest

from gsmooth_core.behind import Behind

WHERE: ContextVar[str] = ContextVar("where", default="nowhere")


def test_steps_are_done_in_order_on_another_thread() -> None:
    done, threads = [], set()

    def step(number: int) -> None:
        threads.add(current_thread())
        done.append(number)

    with Behind("test", 2) as behind:
        for number in range(50):
            behind.do(partial(step, number))
    assert done == list(range(50))
    assert len(threads) == 1 and main_thread() not in threads


def test_no_more_than_a_few_wait() -> None:
    go, begun, asked = Event(), [], 0

    def step() -> None:
        begun.append(1)
        assert go.wait(10)

    with Behind("test", 3) as behind:
        for _ in range(3):
            behind.do(step)
            asked += 1
        assert len(begun) <= 1  # the caller was not held up
        go.set()
        for _ in range(10):
            behind.do(step)
            asked += 1
            assert len(begun) >= asked - 4
    assert len(begun) == 13


def test_what_a_step_raises_reaches_the_caller() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"), Behind("test", 5) as behind:
        behind.do(fail)
    late = []
    with pytest.raises(ValueError, match="no"), Behind("test", 1) as behind:
        behind.do(fail)
        behind.do(partial(late.append, 1))
        late.append(2)
    assert 2 not in late


def test_what_waits_is_not_done_where_the_caller_fails_but_what_is_begun_is() -> None:
    begun, done = Event(), []

    def step(number: int) -> None:
        begun.set()
        done.append(number)

    with pytest.raises(KeyError), Behind("test", 9) as behind:
        behind.do(partial(step, 1))
        assert begun.wait(10)
        raise KeyError
    assert done == [1]


def test_a_step_sees_what_was_set_around_its_maker() -> None:
    seen: list[str] = []
    token = WHERE.set("inside")
    try:
        with Behind("test", 1) as behind:
            behind.do(lambda: seen.append(WHERE.get()))
    finally:
        WHERE.reset(token)
    assert seen == ["inside"]
