"""What a running job says: values inside the program, JSON lines outside of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gsmooth_core.errors import CancelledError, GSmoothError
from gsmooth_core.storage.files import cannot_write

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """`done` of `total` steps of a stage are done.

    The stages are "track", "motion" (of a photo that follows a video), "predict", "captions",
    "occluders", "adapt", "render" and "encode".
    """

    stage: str
    done: int
    total: int

    event = "progress"


@dataclass(frozen=True)
class Message:
    """Something a person should know; `level` is "info" or "warning"."""

    level: str
    text: str

    event = "message"


@dataclass(frozen=True)
class Notice:
    """Something of the source that the output will not have as it was, said before the work.

    Attributes:
        what: one word for programs, for example "depth".
        text: what and why, for a person.
    """

    what: str
    text: str

    event = "notice"


@dataclass(frozen=True)
class Result:
    """The job is done."""

    result: Mapping[str, Any]

    event = "result"


@dataclass(frozen=True)
class Failure:
    """The job has ended without a result."""

    code: str
    message: str
    hint: str = ""
    exit_code: int = field(default=1, metadata={"wire": False})

    event = "error"


Event = Progress | Message | Notice
"""What a job reports on its way."""

Outcome = Result | Failure
"""How a job ends."""

OnEvent = Callable[[Event], None]
Cancelled = Callable[[], bool]


def to_line(event: Event | Outcome, request: int | str | None = None) -> str:
    """An event as one line of JSON, with the id of the request it belongs to."""
    head: dict[str, Any] = {} if request is None else {"id": request}
    values = asdict(event)
    values.pop("exit_code", None)
    return json.dumps(head | {"event": event.event} | values)


def raise_if(cancelled: Cancelled) -> None:
    """End a job that the user has stopped.

    Raises:
        CancelledError: `cancelled()` says so.
    """
    if cancelled():
        raise CancelledError("The job was stopped.")


def progress(
    stage: str, total: int, on_event: OnEvent, cancelled: Cancelled
) -> Callable[[int], None]:
    """Begin a stage; what is returned is told how much of it is done, and ends a stopped job."""
    on_event(Progress(stage, 0, total))

    def on_progress(done: int) -> None:
        raise_if(cancelled)
        on_event(Progress(stage, done, total))

    return on_progress


def outcome_of(action: Callable[[], Mapping[str, Any]]) -> Outcome:
    """Run `action`; whatever goes wrong becomes words for a person.

    This is the one boundary at which any error is caught: behind it are a terminal or another
    program, and neither can do anything with a traceback (which goes to the log).
    """
    try:
        return Result(action())
    except KeyboardInterrupt:
        return stopped()
    except GSmoothError as error:
        return _failure(error)
    except Exception as error:
        failure = _unexpected(error)
        level = logging.ERROR if failure.code == "internal" else logging.WARNING
        log.log(level, "unexpected error", exc_info=error)
        return failure


def stopped() -> Failure:
    """The end of a job that the user has stopped."""
    return _failure(CancelledError("The job was stopped."))


def _failure(error: GSmoothError) -> Failure:
    return Failure(error.code, error.message, error.hint, error.exit_code)


def _unexpected(error: Exception) -> Failure:
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return Failure(
            "out_of_memory",
            "There is not enough memory.",
            "Close other programs, or set crop_size to 256 or device to cpu; then start again.",
            9,
        )
    if isinstance(error, OSError) and error.errno is not None:
        return _failure(cannot_write(Path(str(error.filename or "the job's folder")), error))
    return Failure(
        "internal",
        f"Something went wrong that GSmooth does not know ({type(error).__name__}: {error}).",
        "Please report it with the log.",
        70,
    )
