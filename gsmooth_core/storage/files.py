"""Files that are either whole or not there, and the look at a file before anything opens it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from gsmooth_core.errors import GSmoothError, InputError, MediaError

PARTIAL = ".gsmooth-partial"
"""What the name of an unfinished file holds, and no file of anybody else's."""

_LONGEST_NAME = 255  # bytes, on every common file system
_LARGEST_JSON = 1 << 29  # bytes; curves of ten hours are smaller


def check_file(path: Path, error: type[GSmoothError] = InputError) -> os.stat_result:
    """See that `path` is an ordinary file that may be read, before anything opens it.

    A pipe would be waited for, a device read without end; a link to a file is as good as one.

    Args:
        path: the file.
        error: the class of what is raised.

    Returns:
        its size and times.

    Raises:
        GSmoothError: of the class `error`: none there, a folder, a pipe or device, no
            permission, or a name that no disk takes.
    """
    name = shown(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise error(f"'{name}' is a folder, not a file.", "Choose a file in it.")
        if not stat.S_ISREG(status.st_mode):
            raise error(f"'{name}' is a pipe or a device, not a file.", "Save it as a file first.")
        with path.open("rb"):
            return status
    except (FileNotFoundError, NotADirectoryError) as cause:
        raise error(f"There is no file '{name}'.", "Check the path.") from cause
    except PermissionError as cause:
        text = f"'{name}' may not be read (no permission)."
        raise error(text, "Change the file's permissions.") from cause
    except (OSError, ValueError) as cause:
        raise error(f"'{name}' cannot be opened: {_reason(cause)}.", "Check the path.") from cause


def is_there(path: Path) -> bool:
    """Whether anything stands at `path`; a name that no disk takes stands nowhere."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths mean the same place, whatever links and dots they are written with."""
    try:
        # realpath, unlike Path.resolve, has an answer for links in a circle too
        return os.path.realpath(one) == os.path.realpath(other)
    except (OSError, ValueError):
        return False


def is_within(path: Path, folder: Path) -> bool:
    """Whether a path means a place in `folder`, whatever links and dots it is written with."""
    try:
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
    except (OSError, ValueError):
        return False


def read_json(path: Path, error: type[GSmoothError] = InputError) -> Any:
    """The content of a JSON file.

    Args:
        path: the file.
        error: the class of what is raised.

    Raises:
        GSmoothError: of the class `error`: it cannot be read, is no JSON, holds NaN or
            infinity, or is far larger than anything that GSmooth writes.
    """
    if check_file(path, error).st_size > _LARGEST_JSON:
        raise error(f"'{shown(path)}' is too large for what it should be.", "Make it again.")
    try:
        return json.loads(path.read_bytes(), parse_constant=_no_number)
    except (OSError, ValueError, RecursionError) as cause:
        text = f"'{shown(path)}' is no JSON file, or it is damaged ({_reason(cause)})."
        raise error(text, "Make it again.") from cause


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _reason(cause: BaseException) -> str:
    if isinstance(cause, RecursionError):
        return "it is nested too deeply"
    said = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return said[:200]


def shown(path: Path) -> str:
    """A path as text short enough for a message, whatever bytes it is made of."""
    text = str(path).encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= 500 else f"{text[:100]}...{text[-380:]}"


def partial_path(path: Path) -> Path:
    """Where `path` is written until it is whole: `name.gsmooth-partial.ext` beside it."""
    return beside(path, PARTIAL + path.suffix, path.stem)


def beside(path: Path, ending: str, stem: str | None = None) -> Path:
    """`stem` (by default the whole name) plus `ending`, shortened when no disk would take it."""
    stem = path.name if stem is None else stem
    name = stem + ending
    if len(os.fsencode(name)) > _LONGEST_NAME:
        name = hashlib.sha256(os.fsencode(stem)).hexdigest()[:24] + ending
    return path.with_name(name)


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a partial path to write to; it becomes `path` when the block ends without error.

    Where a link stands at `path`, the file takes the link's place; what it points to stays.

    Raises:
        MediaError: the disk is full, or the place may not be written.
    """
    partial = partial_path(path)
    try:
        yield fresh(partial)
        sync(partial)
        partial.replace(path)
        sync(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        partial.unlink(missing_ok=True)


def fresh(path: Path) -> Path:
    """`path` with nothing there, so that writing to it follows no link that somebody planted.

    Raises:
        OSError: what is there cannot be removed.
    """
    path.unlink(missing_ok=True)
    return path


def make_folder(folder: Path) -> bool:
    """Make a folder and those above it.

    Returns:
        whether it is new.

    Raises:
        MediaError: it cannot be made.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except FileExistsError as error:
        if not is_there(folder) or not folder.is_dir():
            text = f"'{shown(folder)}' cannot be made: something else is in its place."
            raise MediaError(text, "Choose another name, or remove what is there.") from error
        return False
    except (OSError, ValueError) as error:
        raise cannot_write(folder, error) from error
    return True


def remove_folder(folder: Path) -> None:
    """Remove a folder of files, when it is there; of a link, the link alone."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.is_dir():
        for child in folder.iterdir():
            child.unlink()
        folder.rmdir()


def write_text(path: Path, text: str) -> None:
    """Write a text file in one atomic step.

    Raises:
        MediaError: the disk is full, or the place may not be written.
    """
    with atomic(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="backslashreplace")


def sync(path: Path) -> None:
    """Have the system bring a file or folder to the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows cannot open folders; its rename is journaled
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def hash_file(path: Path) -> str:
    """SHA-256 of a file, or of the files of a folder in the order of their names."""
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    for child in sorted(path.iterdir()):
        digest.update(os.fsencode(child.name) + f"\0{hash_file(child)}\0".encode())
    return digest.hexdigest()


def cannot_write(path: Path, error: OSError | ValueError) -> MediaError:
    """The person's words for a failed write."""
    if not isinstance(error, OSError):
        return MediaError(f"'{shown(path)}' is no name for a file: {error}.", "Choose another.")
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return MediaError(
            f"The disk is full: '{shown(path)}' could not be written.",
            "Free some space and start again; what is finished is kept.",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return MediaError(
            f"'{shown(path)}' may not be written (no permission).",
            "Choose another place for the output.",
        )
    if error.errno == errno.EFBIG:
        return MediaError(
            f"'{shown(path)}' would be larger than a file may be there.",
            "Choose a place on another disk: some (FAT32) hold no file of 4 GB.",
        )
    if error.errno == errno.ENAMETOOLONG:
        return MediaError(f"'{shown(path)}' is too long a name.", "Choose a shorter one.")
    text = f"'{shown(path)}' cannot be written or read: {error.strerror}."
    return MediaError(text, "Check the path and its disk.")
