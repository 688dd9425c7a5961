"""Times on a card: events on its own clock, after a warm-up, as medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

WARM = 3
FEWEST, MOST = 3, 60  # rounds


@dataclass(frozen=True)
class Timing:
    """Of one call, in milliseconds.

    Attributes:
        median_ms: over rounds.
        best_ms: the shortest round.
        rounds: that were timed.
    """

    median_ms: float
    best_ms: float
    rounds: int

    def per_second(self, count: float) -> float:
        """Things a second, at `count` a call."""
        return 1e3 * count / self.median_ms


def timed(run: Callable[[], object], device: torch.device, seconds: float = 1.0) -> Timing:
    """Time `run` on its device for about `seconds`; each round is waited for."""
    for _ in range(WARM):
        run()
    wait(device)
    once = _cuda_ms if device.type == "cuda" else _wall_ms
    begin, rounds = time.monotonic(), list[float]()
    while len(rounds) < FEWEST or (len(rounds) < MOST and time.monotonic() - begin < seconds):
        rounds.append(once(run))
    return Timing(statistics.median(rounds), min(rounds), len(rounds))


def wall_seconds(run: Callable[[], object], device: torch.device) -> float:
    """Seconds of one call that is too long to repeat, all of the device's work included."""
    wait(device)
    begin = time.perf_counter()
    run()
    wait(device)
    return time.perf_counter() - begin


def wait(device: torch.device) -> None:
    """Until the device has nothing left to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _cuda_ms(run: Callable[[], object]) -> float:
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    run()
    end.record()
    end.synchronize()
    return float(begin.elapsed_time(end))


def _wall_ms(run: Callable[[], object]) -> float:
    begin = time.perf_counter()
    run()
    return 1e3 * (time.perf_counter() - begin)
