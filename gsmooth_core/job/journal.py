"""What a job has finished, so that a killed job goes on where it was.

One JSON line for each finished piece of work: what it is, a fingerprint of all it was made
from, its file, that file's hash, and a seal over all of these. A piece counts only when it is
listed, made from the same things, and its file is still what it was; a line that was changed, or
that lends its file to another piece, counts for nothing.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from pathlib import Path
from typing import IO, Any

from gsmooth_core.errors import JobError
from gsmooth_core.job.names import JobFile
from gsmooth_core.storage.files import atomic, cannot_write, check_file, hash_file, is_there, shown

log = logging.getLogger(__name__)

_LARGEST = 1 << 28  # bytes; a day of video in the smallest chunks fills less
_TEXTS = ("stage", "inputs", "file", "sha256", "seal")
_FIELDS = {**dict.fromkeys(_TEXTS, str), "part": int, "notes": dict}


def stamp(path: Path) -> list[str | int]:
    """What identifies a source file without reading all of it: path, size, time of change."""
    status = path.stat()
    return [str(path.absolute()), status.st_size, status.st_mtime_ns]


def fingerprint(**inputs: Any) -> str:
    """SHA-256 of everything a piece of work is made from.

    Args:
        inputs: JSON-able values; a Path stands for the content of a (small) file or folder.
            Use `stamp` for large sources.
    """
    text = json.dumps(inputs, sort_keys=True, default=_as_json)
    return hashlib.sha256(text.encode()).hexdigest()


class Journal:
    """The journal of one job folder.

    Args:
        folder: the job's folder; files in it are named relative to it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / JobFile.JOURNAL
        _make_own(self._path)
        self._entries = {(e["stage"], e["part"]): e for e in self._read()}

    def finished(self, stage: str, inputs: str, path: Path, part: int = 0) -> dict[str, Any] | None:
        """What was noted about a finished piece, when it still counts.

        Args:
            stage: for example "track" or "segment".
            inputs: `fingerprint` of what it would be made from now.
            path: where its file or folder lies.
            part: number of the piece within its stage.

        Returns:
            the notes given to `record` plus "path", or None when it must be made (again).
        """
        entry = self._entries.get((stage, part))
        if entry is None or entry["inputs"] != inputs:
            return None
        name, there = self._name(path), path.exists() and not path.is_symlink()
        if entry["file"] != name or not there or hash_file(path) != entry["sha256"]:
            log.warning("'%s' is not what the journal says; it is made again", name)
            return None
        return {**entry["notes"], "path": path}

    def noted(self, stage: str, inputs: str, part: int = 0) -> dict[str, Any] | None:
        """What was noted about a piece that was finished once, whatever became of its file.

        Args:
            stage: as in `finished`.
            inputs: as in `finished`.
            part: as in `finished`.
        """
        entry = self._entries.get((stage, part))
        return entry["notes"] if entry and entry["inputs"] == inputs else None

    def record(self, stage: str, inputs: str, path: Path, part: int = 0, **notes: Any) -> None:
        """Note a finished piece; it is on the disk when this returns.

        Args:
            stage: as in `finished`.
            inputs: as in `finished`.
            path: its file or folder within the job's folder, already in place.
            part: number of the piece within its stage.
            notes: JSON-able facts to get back from `finished`.

        Raises:
            MediaError: the disk is full.
        """
        entry = {
            "stage": stage,
            "part": part,
            "inputs": inputs,
            "file": self._name(path),
            "sha256": hash_file(path),
            "notes": notes,
        }
        entry["seal"] = fingerprint(**entry)
        try:
            self._append(json.dumps(entry))
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self._entries[(stage, part)] = entry

    def _name(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _append(self, line: str) -> None:
        with open(self._path, "ab+", opener=_no_link) as file:
            file.write((b"\n" if _torn(file) else b"") + line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _read(self) -> list[dict[str, Any]]:
        if not is_there(self._path):
            return []
        if check_file(self._path, JobError).st_size > _LARGEST:
            raise JobError(f"The journal '{shown(self._path)}' is damaged.", "Delete it.")
        lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines()
        return [entry for line in lines if (entry := _entry(line))]


def _make_own(path: Path) -> None:
    """See that lines added to a journal are added to no other file.

    A link is refused; a file that has a second name elsewhere, in a backup for example, is copied.
    """
    if path.is_symlink():
        raise JobError(
            f"The journal '{shown(path)}' is a link, which is not followed.", "Remove it."
        )
    if is_there(path) and check_file(path, JobError).st_nlink > 1:
        content = path.read_bytes()
        with atomic(path) as partial:
            partial.write_bytes(content)


def _torn(file: IO[bytes]) -> bool:
    """Whether a killed process left a line unfinished, which must not swallow the next one."""
    if file.seek(0, os.SEEK_END) == 0:
        return False
    file.seek(-1, os.SEEK_END)
    return file.read(1) != b"\n"


def _entry(line: str) -> dict[str, Any] | None:
    """The entry of a line; None where it is torn, or not as it was written."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or {n: type(v) for n, v in entry.items()} != _FIELDS:
        return None
    unsealed = {name: value for name, value in entry.items() if name != "seal"}
    return entry if entry["seal"] == fingerprint(**unsealed) else None


def _no_link(path: str, flags: int) -> int:
    """Open a file that is no link: what a planted one points to is not ours to write to."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _as_json(value: Any) -> Any:
    return hash_file(value) if isinstance(value, Path) else str(value)
