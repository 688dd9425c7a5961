"""What the worker's answers hold, looked at before anything uses them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..storage.checks import FILE, FILE_FRAME, Kind, check, rows

_PAIR = Kind(
    lambda value: isinstance(value, list) and len(value) == 2 and all(map(FILE_FRAME.fits, value)),
    "a first and a last frame",
)
RUNS = rows(_PAIR, "a list of frames")
_QUARTERS = (90, 180, 270)
_BOTH = 2
_MOST_PEOPLE = 1000
_DUB = {"output": FILE, "frames": FILE_FRAME, "untouched_frames": RUNS}


def check_answer(result: dict[str, Any], kinds: Mapping[str, Kind]) -> None:
    """See that the worker's answer holds what is taken from it.

    Raises:
        UserError: it does not.
    """
    advice = "update GSmooth, or choose another Python in Preferences > Add-ons > GSmooth."
    check(result, kinds, "the worker's answer", advice)


def read_dub(result: dict[str, Any]) -> tuple[Path, str]:
    """The clip that the worker made, and one line about it for the strip's panel.

    Raises:
        UserError: the answer holds something else, or the clip is not there.
    """
    check_answer(result, _DUB)
    kept = sum(last - first + 1 for first, last in result["untouched_frames"])
    text = f"{result['frames']} frames"
    text += f", {kept} kept as they were" if kept else ""
    return Path(result["output"]), text + _who(result.get("people"))


def longer(result: dict[str, Any]) -> int:
    """Frames that a checked answer's clip has more than were taken from its source."""
    taken: Any = result.get("source_frames")
    return int(result["frames"] - taken) if FILE_FRAME.fits(taken) else 0


def turned(result: dict[str, Any]) -> int:
    """Degrees anticlockwise by which the clip stands otherwise than its source is stored."""
    degrees: Any = result.get("turned")
    return degrees if type(degrees) is int and degrees in _QUARTERS else 0


def _who(people: Any) -> str:
    """Who was dubbed, where several are seen."""
    if not isinstance(people, list) or not 1 < len(people) < _MOST_PEOPLE:
        return ""
    seen = [person for person in people if isinstance(person, dict)]
    numbers = [p.get("number") for p in seen if p.get("chosen") is True]
    named = bool(numbers) and all(type(number) is int for number in numbers)
    chosen = f"number {numbers[0]}" if named else "one"
    if named and len(numbers) > 1:
        everybody = "both" if len(people) == _BOTH else "all of them"
        who = everybody if len(numbers) == len(people) else " and ".join(map(str, numbers))
        return f"; {len(people)} people are seen, {who} were dubbed"
    return f"; {len(people)} people are seen, {chosen} was dubbed (People)"
