"""How events and ends are shown: bars for a person, JSON lines for a program."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

from tqdm import tqdm

from gsmooth_core.job.events import Event, Failure, Message, Notice, Outcome, Progress, to_line
from gsmooth_core.text import printable

STAGES = {
    "track": "Following the face",
    "motion": "Following the movement",
    "predict": "Listening to the speech",
    "words": "Recognising words",
    "captions": "Looking for captions",
    "occluders": "Looking for what is before the mouth",
    "adapt": "Learning this mouth",
    "render": "Making the new mouth",
    "encode": "Writing the video",
    "mesh": "Building the mesh",
    "sync": "Comparing lips and sound",
    "find": "Finding the face in the dub",
    "compare": "Comparing with the source",
}


class _PlainFormatter(logging.Formatter):
    """Names of files stand in the log, and move no cursor there."""

    def format(self, record: logging.LogRecord) -> str:
        """The record in one plain text."""
        return printable(super().format(record))


def log_to_stderr(level: int) -> None:
    """Send the log of this process to stderr, from `level` on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_PlainFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])


class ConsoleReporter:
    """Shows a job to whoever looks.

    Args:
        as_json: JSON lines on stdout; otherwise words and bars on stderr.
        to_text: how the result is told to a person.
    """

    def __init__(self, as_json: bool, to_text: Callable[[dict[str, Any]], str]) -> None:
        self._as_json = as_json
        self._to_text = to_text
        self._bar: tqdm[Any] | None = None
        self._stage = ""

    def on_event(self, event: Event) -> None:
        """Show progress or a message."""
        if self._as_json:
            self._say(sys.stdout, to_line(event))
        elif isinstance(event, Message):
            self._tell(event.text if event.level == "info" else f"Note: {event.text}")
        elif isinstance(event, Notice):
            self._tell(f"Not kept: {event.text}")
        else:
            self._advance(event)

    def end(self, outcome: Outcome) -> int:
        """Show how it ended; the last line on stdout is the result.

        Returns:
            the process's exit status.
        """
        self._close_bar()
        if self._as_json:
            self._say(sys.stdout, to_line(outcome))
        if isinstance(outcome, Failure):
            self._tell(f"{outcome.message} {outcome.hint}".strip() + f" [{outcome.code}]")
            return outcome.exit_code
        if not self._as_json:
            self._say(sys.stdout, self._to_text(dict(outcome.result)))
        return 0

    def _advance(self, event: Progress) -> None:
        if event.stage != self._stage:
            self._close_bar()
            self._stage = event.stage
            label = STAGES.get(event.stage, event.stage)
            if sys.stderr.isatty():
                self._bar = tqdm(total=event.total, desc=label, unit="frame", file=sys.stderr)
            else:
                self._tell(label)
        if self._bar is not None:
            self._bar.total = event.total
            self._bar.update(event.done - self._bar.n)

    def _close_bar(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _tell(self, text: str) -> None:
        if self._bar is not None:
            self._bar.write(printable(text), file=sys.stderr)
        else:
            self._say(sys.stderr, text)

    @staticmethod
    def _say(stream: Any, text: str) -> None:
        """Write lines; a name in them can neither move the cursor nor break the encoding."""
        encoding = stream.encoding or "utf-8"
        stream.write(printable(text).encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
