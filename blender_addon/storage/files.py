"""The look at a file before it is read, and files that are written whole or not at all.

A folder that came with a stranger's blend file may hold anything: pipes that are waited for
without end, links to what is none of the job's business.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

UNREADABLE = (OSError, ValueError, RecursionError, MemoryError)
"""What reading a file that others made may raise."""


def read_file(path: Path, largest: int) -> bytes:
    """The content of an ordinary file of at most `largest` bytes.

    Raises:
        OSError: it is not there or may not be read.
        ValueError: it is something else than an ordinary file, or larger.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is no ordinary file")
    if status.st_size > largest:
        raise ValueError("it is too large for what it should be")
    with path.open("rb") as file:
        return file.read(largest)  # not all there is: it may have grown meanwhile


def read_object(path: Path, largest: int) -> dict[str, Any]:
    """The JSON object that a file holds.

    Raises:
        OSError: it is not there or may not be read.
        ValueError: it is no file, larger, no JSON, or no object.
        RecursionError: it is nested too deeply.
    """
    return parse_object(read_file(path, largest))


def parse_object(text: bytes | str) -> dict[str, Any]:
    """The JSON object that a text is.

    Raises:
        ValueError: it is no JSON, or no object.
        RecursionError: it is nested too deeply.
    """
    content = json.loads(text if isinstance(text, str) else text.decode("utf-8"))
    if not isinstance(content, dict):
        raise ValueError("it holds no object")
    return content


def noted_object(owner: Any, name: str) -> dict[str, Any]:
    """The JSON object in a custom property; {} for none, or where that cannot be understood."""
    text = owner.get(name) if owner is not None else None
    if not isinstance(text, str):
        return {}
    try:
        return parse_object(text)
    except UNREADABLE:
        return {}


def write_json(path: Path, content: Any, indent: int | None = None) -> None:
    """Write a JSON file so that it is never half there.

    A link that lies in its place is replaced; what it points to stays as it was.

    Args:
        path: the file.
        content: what JSON can hold.
        indent: how far each level is moved in, for people.

    Raises:
        OSError: it cannot be written.
    """
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    with partial.open("x", encoding="utf-8") as file:  # "x" never opens what is there
        file.write(json.dumps(content, indent=indent))
    partial.replace(path)


def reason(error: BaseException) -> str:
    """Why a file could not be used, in a few words."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, MemoryError):
        return "there is not enough memory"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)[:200]
