"""One process at a time on a job's folder and on an output.

The locks are the operating system's (through filelock), so those of a process that died are free
at once. Lock files of outputs lie in the user's own state folder, where nobody else can plant
anything; no lock file that is a link is ever followed.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock
import platformdirs

from gsmooth_core.errors import JobError, MediaError
from gsmooth_core.storage.files import cannot_write, make_folder, shown, write_text


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes out of a job folder while the block runs.

    The folder is made when it is not there.

    Raises:
        JobError: another process works there, or there is no place for locks.
        MediaError: the folder cannot be made.
    """
    make_folder(folder)
    with _lock(folder / "lock", f"The job folder '{shown(folder)}'"):
        yield


@contextmanager
def output_locked(output: Path) -> Iterator[None]:
    """Keep other processes off an output while the block runs.

    Raises:
        JobError: another process makes it, or there is no place for locks.
    """
    # realpath, unlike Path.resolve, has an answer for links in a circle too
    name = os.path.normcase(os.path.realpath(output))
    key = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    with _lock(_state_folder() / key, f"The output '{shown(output)}'"):
        yield


def _state_folder() -> Path:
    """The user's own folder for locks: made when it is not there, and nobody else's."""
    folder = platformdirs.user_state_path("gsmooth", appauthor=False) / "locks"
    hint = "Set XDG_STATE_HOME to a folder of your own that can be written."
    if not folder.is_absolute():
        raise JobError("There is no home folder in which to keep locks.", hint)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise JobError(f"'{shown(folder)}' cannot be made ({error.strerror}).", hint) from error
    foreign = os.name == "posix" and (
        status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    )
    if foreign or not stat.S_ISDIR(status.st_mode):
        raise JobError(f"The folder for locks '{shown(folder)}' is not yours alone.", hint)
    return folder


@contextmanager
def _lock(path: Path, what: str) -> Iterator[None]:
    owner = path.with_name(path.name + ".pid")
    try:
        lock = filelock.FileLock(path, blocking=False)
        lock.acquire()
    except filelock.Timeout as error:
        raise JobError(
            f"{what} is in use by another process{_number(owner)}.",
            "Wait until it has finished, or stop it.",
        ) from error
    except (OSError, NotImplementedError) as error:
        raise _no_lock(path, error) from error
    try:
        with suppress(MediaError):  # a full disk: the number only serves a message
            write_text(owner, str(os.getpid()))
        yield
    finally:
        lock.release()


def _number(owner: Path) -> str:
    with suppress(OSError, ValueError):
        return f" (number {int(owner.read_text(encoding='ascii'))})"
    return ""


def _no_lock(path: Path, error: OSError | NotImplementedError) -> JobError | MediaError:
    if path.is_symlink():
        return JobError(f"The lock '{shown(path)}' is a link, which is not followed.", "Remove it.")
    if isinstance(error, OSError):
        return cannot_write(path.parent, error)
    return JobError(
        f"The disk of '{shown(path.parent)}' knows no locks.", "Choose a folder on another disk."
    )
