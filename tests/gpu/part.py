"""What one part of a run finds: figures and failures, written down as they come."""

from __future__ import annotations

import json
import time
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

START = time.monotonic()


def say(text: str) -> None:
    """A line of progress, with the seconds since this process began."""
    print(f"{time.monotonic() - START:7.1f} s  {text}", flush=True)


class Part:
    """The record of one part.

    Args:
        device: where networks run, "cuda" or, in a rehearsal, "cpu".
        quick: sizes for a rehearsal.
        path: file that is written anew with every figure, so that a part that is stopped leaves
            what it had; None writes nothing.
    """

    def __init__(self, device: str, *, quick: bool = False, path: Path | None = None) -> None:
        self.device = torch.device(device)
        self.quick = quick
        self.figures: dict[str, Any] = {}
        self.failures: list[str] = []
        self._path = path

    def figure(self, name: str, value: Any) -> None:
        """Note a figure; numbers keep four digits that mean something."""
        self.figures[name] = _rounded(value)
        say(f"{name}: {json.dumps(self.figures[name])}")
        self._write()

    def check(self, name: str, *, holds: bool) -> None:
        """Note a failure unless `holds`."""
        if not holds:
            self.fail(name)

    def fail(self, text: str) -> None:
        """Note a failure."""
        self.failures.append(text)
        say(f"FAILED {text}")
        self._write()

    def attempt(self, name: str) -> Attempt:
        """A block whose error is noted as a failure of this part, and ends only the block."""
        return Attempt(self, name)

    def _write(self) -> None:
        if self._path:
            found = {"figures": self.figures, "failures": self.failures}
            partial = self._path.with_suffix(".partial")
            partial.write_text(json.dumps(found), encoding="utf-8")
            partial.replace(self._path)


class Attempt:
    """See `Part.attempt`: a card may be had once, and one error must not cost all other figures."""

    def __init__(self, part: Part, name: str) -> None:
        self.part, self.name = part, name

    def __enter__(self) -> None:
        say(f"{self.name} ...")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        where = "".join(traceback.format_tb(trace)[-3:])
        self.part.fail(f"{self.name}: {type(error).__name__}: {str(error)[:2000]}\n{where}")
        return True


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: _rounded(entry) for name, entry in value.items()}
    return value
