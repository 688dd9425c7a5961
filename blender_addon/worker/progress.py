"""How far a task is as a whole, and how long it will take."""

from __future__ import annotations

_DUB = {
    "start": 0.04,
    "track": 0.11,
    "motion": 0.01,
    "predict": 0.04,
    "captions": 0.03,
    "occluders": 0.08,
    "adapt": 0.04,
    "render": 0.6,
    "encode": 0.05,
}
_CHECK = {"find": 0.3, "compare": 0.7}
"""What the stages of a dub, and of its check, take of the time, in their order; roughly."""
_EARLY, _SOON = 0.05, 3.0  # share and seconds before which nothing can be told
_MINUTE = 60


def overall(stage: str, fraction: float) -> float:
    """The share of a task that is done: of a dub or check over all stages, else of its one."""
    shares = next((shares for shares in (_DUB, _CHECK) if stage in shares), {stage: 1.0})
    names = list(shares)
    before = sum(shares[name] for name in names[: names.index(stage)])
    return round(before + fraction * shares[stage], 6)


def time_left(done: float, seconds: float) -> str:
    """How long it will take, for people; "" where nothing is left.

    Args:
        done: share of the task.
        seconds: which that took.
    """
    if done >= 1:
        return ""
    if done < _EARLY or seconds < _SOON:
        return "measuring the time left ..."
    left = seconds * (1 - done) / done
    if left < _MINUTE:
        return f"about {max(5, 5 * round(left / 5))} s left"
    return f"about {round(left / _MINUTE)} min left"
