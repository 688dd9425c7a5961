"""The outputs that a job has written: an output that would be the same is not written again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gsmooth_core.errors import GSmoothError
from gsmooth_core.job.journal import stamp
from gsmooth_core.job.names import JobFile
from gsmooth_core.storage.files import is_there, is_within, read_json, write_text

_MOST = 10_000


def standing(folder: Path, inputs: str, asked: Path) -> Path | None:
    """The file that is already what an output would be.

    Args:
        folder: of the job.
        inputs: fingerprint of all that it would be made from.
        asked: where it would be written. Another file counts only where both lie in the job's
            folder, as the versions of one dub do.
    """
    inside = is_within(asked, folder)
    for entry in reversed(_read(folder)):
        path = Path(str(entry.get("output")))
        same = path == asked.absolute() or (inside and is_within(path, folder))
        if same and entry.get("inputs") == inputs and entry.get("stamp") == _stamp(path):
            return path
    return None


def note(folder: Path, inputs: str, output: Path) -> None:
    """Note an output that was written.

    Raises:
        MediaError: the disk is full.
    """
    entry = {"output": str(output.absolute()), "inputs": inputs, "stamp": _stamp(output)}
    others = [each for each in _read(folder) if each.get("output") != entry["output"]]
    write_text(folder / JobFile.OUTPUTS, json.dumps([*others, entry][-_MOST:], indent=1))


def _stamp(path: Path) -> list[str | int] | None:
    if not is_there(path):
        return None
    status = stamp(path)
    if not path.is_dir():
        return status
    return [*status, *(part for file in sorted(path.iterdir()) for part in stamp(file))]


def _read(folder: Path) -> list[dict[str, Any]]:
    path = folder / JobFile.OUTPUTS
    if not is_there(path) or path.is_symlink():
        return []
    try:
        entries = read_json(path)
    except GSmoothError:  # damaged: then the output is written once more
        return []
    return [e for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
