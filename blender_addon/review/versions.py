"""The versions of a dub: the files that Re-render left in its job's folder, one beside another."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..storage import job_folder
from ..timeline import strips

_VERSION = re.compile(r"(.*)_v([0-9]{1,4})")
_FRESH = 2.0  # seconds for which a list is shown without looking again
COMPARES = "gsmooth_compares"
"""Custom property of a strip that shows another version beside a dub: the dub's name."""


@dataclass(frozen=True)
class Version:
    """One version.

    Attributes:
        path: its file.
        number: 1 for the first.
        bytes: its size.
    """

    path: Path
    number: int
    bytes: int


_listed: dict[Path, tuple[float, list[Version]]] = {}


def of_strip(strip: Any) -> list[Version]:
    """The versions of a dubbed strip, oldest first; the list may be two seconds old."""
    shown = strips.source_path(strip)
    when, known = _listed.get(shown, (-_FRESH, []))
    if time.monotonic() - when < _FRESH:
        return known
    found = look(job_folder.resolve(strips.dubbed_job(strip)), shown)
    _listed.clear()
    _listed[shown] = time.monotonic(), found
    return found


def forget() -> None:
    """Look again the next time."""
    _listed.clear()


def look(folder: Path, shown: Path) -> list[Version]:
    """The versions in a job's folder of the file that a strip shows, which is one of them."""
    if shown.parent != folder or folder.is_symlink() or not folder.is_dir():
        return []
    stem, found = _stem(shown), []
    with os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            if path.suffix != shown.suffix or not entry.is_file(follow_symlinks=False):
                continue
            if _stem(path) == stem:
                found.append(Version(path, number_of(path), entry.stat().st_size))
    return sorted(found, key=lambda version: version.number)


def number_of(path: Path) -> int:
    """Which version a file is: 2 for `..._v2.mp4`, 1 without a number."""
    numbered = _VERSION.fullmatch(path.stem)
    return int(numbered[2]) if numbered else 1


def _stem(path: Path) -> str:
    numbered = _VERSION.fullmatch(path.stem)
    return numbered[1] if numbered else path.stem


def users(path: Path) -> list[Any]:
    """Strips of any scene that show this file."""
    return [strip for strip in strips.dubbed_strips() if strips.source_path(strip) == path]


def comparison(strip: Any) -> Any:
    """The strip that shows another version beside this one, or None."""
    owner = strips.owner_of(strip.id_data, strip)
    return next((s for s in strips.children(owner) if s.get(COMPARES) == strip.name), None)
