"""A model file on its way in: whoever made it, it is right, or it is refused by name.

All readers of model files go through here. What a file says about itself (names, sizes, choices)
is held against limits before anything is made of it, and its numbers against limits before
anything is computed with them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from numpy.typing import NDArray

from gsmooth_core.errors import InputError, ModelError
from gsmooth_core.storage.arrays import Arrays, load_arrays
from gsmooth_core.storage.files import check_file

LARGEST = 1 << 30
"""Bytes of a model file; wav2vec 2.0 base has 380 MB, BFM 2009 240 MB."""
GREATEST = 1e4
"""Magnitude of a weight; those that come with GSmooth stay below 11."""

_MOST_MEMBERS = 10_000
_MOST_NAMES = 10_000
_LONGEST_TEXT = 200
_ENTRY = b"PK\x01\x02"  # begins a file's entry in the list at the end of a zip

T = TypeVar("T")
Limits = Mapping[str, tuple[Any, ...]]
"""By name: smallest and largest number, or the words that are allowed."""


@dataclass(frozen=True)
class ModelSource:
    """A file, with the words for refusing it.

    Attributes:
        path: where it is.
        what: what it should be, such as "A2EP checkpoint".
        hint: what a person can do when it is something else.
    """

    path: Path
    what: str
    hint: str

    def refused(self, why: str) -> ModelError:
        """The error that says why the file cannot be used; whatever it holds, it is readable."""
        text = f"'{self.path.name}' is not a usable {self.what}: {' '.join(why.split())}"
        shown = "".join(c if c.isprintable() else "?" for c in text)
        return ModelError(shown[: 2 * _LONGEST_TEXT].rstrip(".") + ".", self.hint)

    def check(self, largest: int = LARGEST) -> int:
        """Size in bytes of the file, which is there, an ordinary one, and not far too large.

        Raises:
            ModelError: it is not.
        """
        size = check_file(self.path, ModelError).st_size
        if not 0 < size <= largest:
            raise self.refused("it is empty" if not size else f"{size / 1e6:.0f} MB are too many")
        return size

    def read(self, largest: int = LARGEST) -> bytes:
        """The file's bytes.

        Raises:
            ModelError: there is no such file, or it cannot be read, or it is far too large.
        """
        self.check(largest)
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise self.refused(f"it cannot be read ({error.strerror})") from error

    def arrays(self, kind: str) -> tuple[Arrays, dict[str, Any]]:
        """Arrays and metadata of a file of ours.

        Args:
            kind: as it was given to `storage.save_arrays`.

        Raises:
            ModelError: missing, damaged, far too large, or of another kind.
        """
        self.check()
        try:
            return load_arrays(self.path, kind)
        except InputError as error:
            raise ModelError(error.message, self.hint) from error

    def zip(self) -> zipfile.ZipFile:
        """The file as an archive whose list of contents is short; nothing is unpacked yet.

        Raises:
            ModelError: it is none, or a damaged one.
        """
        if self.read().count(_ENTRY) > _MOST_MEMBERS:
            raise self.refused("it is an archive of far too many files")
        try:
            return zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise self.refused(f"it is damaged ({error})") from error

    # -- what a header says ------------------------------------------------------------------

    def entry(self, meta: Mapping[str, Any], name: str) -> Any:
        """The entry `name` of a header.

        Raises:
            ModelError: there is none.
        """
        if name not in meta:
            raise self.refused(f"its header lacks '{name}'")
        return meta[name]

    def names(self, meta: Mapping[str, Any], name: str) -> tuple[str, ...]:
        """A list of different names in a header.

        Raises:
            ModelError: it is missing, or something else.
        """
        listed = self.entry(meta, name)
        if not isinstance(listed, list) or not 0 < len(listed) <= _MOST_NAMES:
            raise self.refused(f"'{name}' is no list of names")
        if not all(isinstance(n, str) and 0 < len(n) <= _LONGEST_TEXT for n in listed):
            raise self.refused(f"'{name}' holds what is no name")
        if len(set(listed)) < len(listed):
            raise self.refused(f"'{name}' holds a name twice")
        return tuple(listed)

    def settings(self, kind: type[T], values: Any, limits: Limits) -> T:
        """A dataclass of the settings in a header; what is not in it keeps its default.

        Args:
            kind: the dataclass; its defaults say of which type each setting is.
            values: what the header holds.
            limits: of every field that is a number or a word.

        Raises:
            ModelError: something unknown, of the wrong type, or out of its limits.
        """
        if not isinstance(values, dict):
            raise self.refused("its settings are no table of names and values")
        known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
        if unknown := sorted(set(map(str, values)) - set(known)):
            raise self.refused(f"it has unknown settings: {', '.join(unknown)}")
        return kind(**{n: self._setting(known[n], v, limits) for n, v in values.items()})

    def _setting(self, field: Field[Any], value: Any, limits: Limits) -> Any:
        """One checked value for a field of a dataclass; see `settings`."""
        default = None if field.default is MISSING else field.default
        if _allowed(default, value, limits.get(field.name, ())):
            return tuple(value) if isinstance(default, tuple) else value
        raise self.refused(f"'{field.name}' is {str(value)[:_LONGEST_TEXT]!r}")

    # -- numbers -----------------------------------------------------------------------------

    def bounded(self, name: str, values: NDArray[Any], low: float, high: float) -> None:
        """See that a table holds numbers from `low` to `high` and nothing else.

        Raises:
            ModelError: it is empty, no table of numbers, or one of them is out of the limits.
        """
        if values.dtype.kind not in "fiu" or not values.size:
            raise self.refused(f"'{name}' is no table of numbers")
        if not (low <= values.min() and values.max() <= high):  # NaN is neither
            raise self.refused(
                f"'{name}' holds values that are no numbers or not within {low:g} to {high:g}"
            )

    def shaped(self, name: str, values: NDArray[Any], shape: tuple[int | None, ...]) -> None:
        """See that a table has a shape; None stands for any length.

        Raises:
            ModelError: it has another.
        """
        pairs = zip(values.shape, shape, strict=False)
        if values.ndim != len(shape) or any(n not in (None, size) for size, n in pairs):
            wanted = " x ".join("any" if n is None else str(n) for n in shape)
            raise self.refused(f"'{name}' has the shape {values.shape}, not {wanted}")


def _allowed(default: Any, value: Any, limits: tuple[Any, ...]) -> bool:
    """Whether `value` is of the default's type and within its limits."""
    if isinstance(default, bool):
        return isinstance(value, bool)
    if isinstance(default, str):
        return isinstance(value, str) and value in limits
    if isinstance(default, tuple | list):
        several = isinstance(value, tuple | list) and 0 < len(value) <= 16
        return several and all(_allowed(default[0], v, limits) for v in value)
    kinds = (int, float) if isinstance(default, float) else (int,)
    return type(value) in kinds and bool(limits[0] <= value <= limits[1])
