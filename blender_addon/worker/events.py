"""What a worker says, read as values; a worker may be any program, so each of them is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LONGEST_TEXT = 2000  # letters of what the worker says that people are shown

STAGES = {
    "start": "Starting the worker",
    "source": "Rendering the strip",
    "mix": "Mixing the speech",
    "track": "Following the face",
    "motion": "Following the movement",
    "predict": "Listening to the speech",
    "captions": "Looking for captions",
    "occluders": "Looking for what is before the mouth",
    "adapt": "Learning this mouth",
    "render": "Making the new mouth",
    "encode": "Writing the clip",
    "mesh": "Building the mesh",
    "sync": "Comparing lips and sound",
    "find": "Finding the face in the dub",
    "compare": "Comparing with the clip",
    "words": "Recognising words",
    "install": "Looking for packages",
    "download": "Downloading (kB)",
    "unpack": "Unpacking packages",
}


@dataclass(frozen=True)
class Failure:
    """Why a task ended without a result.

    Attributes:
        code: stable name for programs, for example "no_face" or "worker_died".
        message: what happened, in a person's words.
        hint: what they can do about it.
    """

    code: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


def text_in(event: Mapping[str, Any], name: str) -> str:
    """A text of an event, as Blender can show it.

    Raises:
        ValueError: it is missing, or something else.
    """
    value = event.get(name)
    if not isinstance(value, str):
        raise ValueError(f"its '{name}' is no text")
    return shown(value)


def count_in(event: Mapping[str, Any], name: str) -> int:
    """A count of an event; 0 where there is none.

    Raises:
        ValueError: it is something else.
    """
    value = event.get(name, 0)
    if type(value) is not int or not 0 <= value < 1 << 53:
        raise ValueError(f"its '{name}' is no count")
    return value


def shown(value: Any) -> str:
    """A text as Blender can show it: not too long, and UTF-8 without a NUL; "" for no text."""
    text = value[:_LONGEST_TEXT].replace("\0", "") if isinstance(value, str) else ""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
