"""What a value must be that comes out of a file which others may have made.

Job files, mesh files, custom properties of a blend file and the worker's answers are all looked
at here before anything uses them; what does not fit is named, with a way out.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..errors import UserError

_LONGEST = 4096  # letters of a path or name
_LATEST = 100_000_000  # frames; sums of a few of them stay within Blender's 32 bits
_RATE = re.compile(r"([1-9][0-9]{0,6})(?:/([1-9][0-9]{0,6}))?")


@dataclass(frozen=True)
class Kind:
    """A kind of value: the test, and what people call it."""

    fits: Callable[[Any], bool]
    words: str


class Values(Protocol):
    """Named values: a dictionary, or a Blender object with custom properties."""

    def get(self, name: str, /) -> Any:
        """The value of that name, or None."""


def check(values: Values, kinds: Mapping[str, Kind], where: str, advice: str) -> None:
    """See that every one of `kinds` is there and fits.

    Args:
        values: what was read.
        kinds: what it must hold, by name.
        where: whose values these are, for the error.
        advice: what the user can do about it.

    Raises:
        UserError: one is missing or does not fit; it is named.
    """
    for name, kind in kinds.items():
        if not kind.fits(values.get(name)):
            raise UserError(f"'{name}' of {where} is not {kind.words}: {advice}")


def whole(least: int, most: int) -> Kind:
    """A whole number in these limits; True and False are none."""
    words = f"a whole number from {least} to {most}"
    return Kind(lambda value: type(value) is int and least <= value <= most, words)


def number(least: float, most: float) -> Kind:
    """A finite number in these limits."""

    def fits(value: Any) -> bool:
        return type(value) in (int, float) and least <= value <= most  # NaN is in no limits

    return Kind(fits, f"a number from {least:g} to {most:g}")


def optional(kind: Kind) -> Kind:
    """The same, or nothing."""
    return Kind(lambda value: value is None or kind.fits(value), f"{kind.words}, or nothing")


def record(kinds: Mapping[str, Kind], words: str) -> Kind:
    """An object that holds these, whatever else it holds."""

    def fits(value: Any) -> bool:
        values = value if isinstance(value, dict) else {}
        return value is values and all(kinds[name].fits(values.get(name)) for name in kinds)

    return Kind(fits, words)


def rows(kind: Kind, words: str) -> Kind:
    """A list of such values."""
    return Kind(lambda value: isinstance(value, list) and all(map(kind.fits, value)), words)


def is_text(value: Any) -> bool:
    """Whether it is a text that Blender can take: UTF-8 without a NUL."""
    if not isinstance(value, str) or len(value) > _LONGEST or "\0" in value:
        return False
    return not any("\ud800" <= letter <= "\udfff" for letter in value)


def _is_path(value: Any) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST or "\0" in value:
        return False
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        return False
    return True


def _is_rate(value: Any) -> bool:
    # No Fraction(value) of just any text: "1e999999999" would be computed digit by digit.
    found = _RATE.fullmatch(value) if isinstance(value, str) else None
    return found is not None and 1 <= int(found[1]) / int(found[2] or 1) <= 240


FLAG = Kind(lambda value: isinstance(value, bool), "true or false")
TEXT = Kind(is_text, "a text")
PATH = Kind(_is_path, "a path")
FILE = Kind(lambda value: _is_path(value) and os.path.isfile(value), "the path of a file")  # noqa: PTH113 - never raises
RATE = Kind(_is_rate, "a rate such as 25/1 or 30000/1001, from 1 to 240")
FRAME = whole(-_LATEST, _LATEST)
FILE_FRAME = whole(0, _LATEST)
COUNT = whole(1, _LATEST)
SECONDS = number(-math.inf, math.inf)
