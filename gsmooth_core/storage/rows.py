"""One table of numbers in a file: a row a frame."""

from __future__ import annotations

from pathlib import Path

from gsmooth_core.storage.arrays import load_arrays, save_arrays
from gsmooth_core.storage.layout import ArrayLayout
from gsmooth_core.types import Float

_LAYOUT = {"rows": ArrayLayout(("T", "H"), 1e6, -1e6)}


def save_rows(path: Path, rows: Float) -> None:
    """Write (T, H) in one atomic step."""
    save_arrays(path, "rows", {"rows": rows}, {})


def load_rows(path: Path) -> Float:
    """Read what `save_rows` wrote.

    Raises:
        InputError: no such file, damaged, or of another kind.
    """
    arrays, _ = load_arrays(path, "rows", _LAYOUT)
    return arrays["rows"]
