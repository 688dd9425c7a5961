"""What a file must hold: its arrays' shapes, types and limits, and its facts, by name.

A reader states what it needs; whatever else a file holds ends in an error that names the field.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from gsmooth_core.errors import InputError
from gsmooth_core.storage.files import shown

_RATE = re.compile(r"\d{1,12}(\.\d{1,20})?(/\d{1,12})?")
LONGEST_NAME = 200
LOWEST_RATE, HIGHEST_RATE = Fraction(1, 10), Fraction(1000)
MOST_PIXELS = 1 << 20  # on a side
_PART = 1 << 22  # bytes


@dataclass(frozen=True)
class ArrayLayout:
    """What one array must be.

    Attributes:
        shape: its sizes; a letter stands for a size that is the same throughout the file.
        largest: greatest value of a number in it, 0 for any.
        smallest: least value; None for `-largest`.
        kind: numpy's letters of the allowed kinds of numbers.
        gaps: whether NaN may stand for what is unknown.
    """

    shape: tuple[int | str, ...]
    largest: float = 0.0
    smallest: float | None = None
    kind: str = "f"
    gaps: bool = False


Layout = Mapping[str, ArrayLayout]


def check_arrays(path: Path, arrays: Mapping[str, np.ndarray[Any, Any]], layout: Layout) -> None:
    """Hold the arrays of a file against what they must be.

    Raises:
        InputError: one is missing, unknown, or not as its layout says.
    """
    unknown = sorted(set(arrays) - set(layout))
    if unknown:
        raise damaged(path, f"'{unknown[0][:LONGEST_NAME]}' is unknown")
    sizes: dict[str, int] = {}
    for name, wanted in layout.items():
        if name not in arrays:
            raise damaged(path, f"'{name}' is missing")
        _check_array(path, name, arrays[name], wanted, sizes)


def _check_array(
    path: Path,
    name: str,
    array: np.ndarray[Any, Any],
    wanted: ArrayLayout,
    sizes: dict[str, int],
) -> None:
    if array.dtype.kind not in wanted.kind:
        raise damaged(path, f"'{name}' holds values of the type {array.dtype}")
    expected = tuple(
        sizes.setdefault(size, found) if isinstance(size, str) else size
        for size, found in zip(wanted.shape, array.shape, strict=False)
    )
    if array.ndim != len(wanted.shape) or array.shape != expected:
        named = " x ".join(str(size) for size in wanted.shape)
        raise damaged(path, f"'{name}' has the shape {array.shape} and not {named}")
    for some in parts_of(array):
        _check_values(path, name, array[some], wanted)


def _check_values(path: Path, name: str, values: np.ndarray[Any, Any], wanted: ArrayLayout) -> None:
    known = values[~np.isnan(values)] if wanted.gaps else values
    if not np.isfinite(known).all():
        raise damaged(path, f"'{name}' holds values that are no numbers")
    low = -wanted.largest if wanted.smallest is None else wanted.smallest
    if wanted.largest and known.size and (known.min() < low or known.max() > wanted.largest):
        raise damaged(path, f"'{name}' holds values beyond {low:g} to {wanted.largest:g}")


def parts_of(array: np.ndarray[Any, Any]) -> Iterator[slice]:
    """Parts of the first axis that are small enough to be copied."""
    rows = max(_PART // max(array[:1].nbytes, 1), 1)
    return (slice(start, start + rows) for start in range(0, len(array), rows))


@dataclass(frozen=True)
class Facts:
    """The facts that a file states beside its arrays, read one by one.

    Attributes:
        path: the file, for the words of the errors.
        values: what it states, by name.
    """

    path: Path
    values: Mapping[str, Any]

    def text(self, name: str) -> str:
        """A short text."""
        value = self._get(name)
        if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME:
            raise self._wrong(name, f"a text of 1 to {LONGEST_NAME} letters")
        return value

    def whole(self, name: str, low: int, high: int) -> int:
        """A whole number within limits."""
        value = self._get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self._wrong(name, f"a whole number from {low} to {high}")
        return value

    def number(self, name: str, low: float, high: float) -> float:
        """A number within limits."""
        value = self._get(name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not math.isfinite(value) or not low <= value <= high:
            raise self._wrong(name, f"a number from {low:g} to {high:g}")
        return float(value)

    def rate(self, name: str) -> Fraction:
        """A frame rate such as "30000/1001"."""
        rate = as_rate(self._get(name))
        if rate is None:
            raise self._wrong(name, "a rate such as 25 or 30000/1001")
        if not LOWEST_RATE <= rate <= HIGHEST_RATE:
            raise self._wrong(name, f"a rate from {LOWEST_RATE} to {HIGHEST_RATE}")
        return rate

    def names(self, name: str) -> tuple[str, ...]:
        """Names that differ from each other."""
        value = self._get(name)
        texts = isinstance(value, list) and all(
            isinstance(text, str) and 0 < len(text) <= LONGEST_NAME for text in value
        )
        if not texts or not value or len(set(value)) != len(value):
            raise self._wrong(name, "a list of different names")
        return tuple(value)

    def _get(self, name: str) -> Any:
        if name not in self.values:
            raise damaged(self.path, f"'{name}' is missing")
        return self.values[name]

    def _wrong(self, name: str, what: str) -> InputError:
        found = repr(self.values[name])
        cut = found if len(found) <= LONGEST_NAME else found[:LONGEST_NAME] + "..."
        return damaged(self.path, f"'{name}' is {cut} and not {what}")


def as_rate(value: Any) -> Fraction | None:
    """A frame rate such as "30000/1001", "25" or 29.97; None for anything else.

    `Fraction` alone would work for hours on "1e999999999".
    """
    plain = isinstance(value, str | int | float | Fraction) and not isinstance(value, bool)
    if not plain or not _RATE.fullmatch(str(value)):
        return None
    top, _, bottom = str(value).partition("/")
    divisor = int(bottom) if bottom else 1
    return Fraction(top) / divisor if divisor else None


def damaged(path: Path, why: str) -> InputError:
    """The error for a file that does not hold what it should."""
    return InputError(f"'{shown(path)}' is damaged: {why}.", "Make it again.")
