"""Files that are either whole or not there: partial names, fsync, one rename."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2

from gsmooth_core.data import Image
from gsmooth_core.errors import MediaError

_LONGEST_NAME = 255  # bytes, on every common file system


def partial_path(path: Path) -> Path:
    """Where `path` is written until it is whole: `name.partial.ext` in the same folder."""
    return beside(path, ".partial" + path.suffix, path.stem)


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

    Raises:
        MediaError: the disk is full, or the place may not be written.
    """
    partial = partial_path(path)
    try:
        yield partial
        sync(partial)
        partial.replace(path)
        sync(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file in one atomic step.

    Raises:
        MediaError: the disk is full, or the place may not be written.
    """
    with atomic(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_image(path: Path, image: Image) -> None:
    """Write (H, W, 3) RGB as an image file in one atomic step.

    Raises:
        MediaError: the disk is full, or the place may not be written.
    """
    with atomic(path) as partial:
        partial.write_bytes(cv2.imencode(path.suffix, image[..., ::-1])[1].tobytes())


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
        digest.update(f"{child.name}\0{hash_file(child)}\0".encode())
    return digest.hexdigest()


def cannot_write(path: Path, error: OSError) -> MediaError:
    """The person's words for a failed write."""
    if error.errno == errno.ENOSPC:
        return MediaError(
            f"The disk is full: '{path.name}' could not be written.",
            "Free some space and start again; what is finished is kept.",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return MediaError(
            f"'{path}' may not be written (no permission).", "Choose another place for the output."
        )
    return MediaError(f"'{path}' cannot be written: {error.strerror}.", "Check the path.")
