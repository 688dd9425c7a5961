"""Numbered images as an output: a folder of their own, or a pattern in any folder."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2

from gsmooth_core.errors import InputError
from gsmooth_core.storage.files import (
    PARTIAL,
    atomic,
    beside,
    cannot_write,
    fresh,
    partial_path,
    remove_folder,
    same_file,
    sync,
)
from gsmooth_core.types import Image

_NUMBER = r"%0?(\d*)d"
_FOLDER_PATTERN = "%05d.png"
SUFFIXES = (".png", ".tif", ".tiff", ".exr", ".jpg", ".jpeg")
"""Of the images that can be written."""
_SOUND = "sound.wav"
_PACKED = re.compile(r"sequence_(\d+)\.mov")


def is_exr(output: Path) -> bool:
    """Whether an output is of images that hold light as it is."""
    return output.suffix.lower() == ".exr"


def first_number(source: Path, frame: int = 0) -> int:
    """Number of an output's first image: that of the source's image `frame`; 0 of a video."""
    packed = packed_number(source)
    return 0 if packed is None else packed + frame


def packed_number(source: Path) -> int | None:
    """Number of the first image in a file that a sequence was put into; None of any other file."""
    packed = _PACKED.fullmatch(source.name)
    return int(packed[1]) if packed else None


def image_target(output: Path) -> tuple[Path, str]:
    """Folder and name pattern of an image sequence: `DIR`, `DIR/%05d.png` or `DIR/name.png`."""
    if output.suffix.lower() not in SUFFIXES:
        return output, _FOLDER_PATTERN
    numbered = re.search(_NUMBER, output.name)
    return output.parent, output.name if numbered else f"{output.stem}_%05d{output.suffix}"


def image_name(pattern: str, number: int) -> str:
    """File name of frame `number`; any other '%' in the pattern is only a character."""
    return re.sub(_NUMBER, lambda found: str(number).zfill(int(found[1] or 0)), pattern, count=1)


def existing_images(folder: Path, pattern: str) -> list[tuple[int, Path]]:
    """Frames of a sequence that are in `folder`: their numbers and paths."""
    before, after = re.split(_NUMBER, pattern, maxsplit=1)[::2]
    named = re.compile(re.escape(before) + r"(\d+)" + re.escape(after))
    found = ((named.fullmatch(path.name), path) for path in folder.iterdir())
    return sorted((int(match[1]), path) for match, path in found if match)


def check_own_folder(output: Path) -> None:
    """See that the folder of a sequence is new, empty, or holds an earlier output.

    Raises:
        InputError: it holds other files, which would be lost.
    """
    folder, pattern = image_target(output)
    if folder != output or not folder.is_dir():
        return  # frames with a pattern may lie beside other files
    frames = {path for _, path in existing_images(folder, pattern)}
    if not {path for path in folder.iterdir() if path.name != _SOUND} <= frames:
        raise InputError(
            f"The folder '{output}' holds other files.", "Choose an empty or a new folder."
        )


def replaces(output: Path, path: Path) -> bool:
    """Whether images as `output`, or the sound beside them, take the place of the file `path`."""
    folder, pattern = image_target(output)
    before, after = re.split(_NUMBER, pattern, maxsplit=1)[::2]
    named = re.compile(rf"{re.escape(before)}\d+{re.escape(after)}|{re.escape(_SOUND)}")
    # A link is lost by its own name, a file by the one that it has where it lies.
    return any(
        named.fullmatch(each.name) and same_file(each.parent, folder)
        for each in (path, Path(os.path.realpath(path)))
    )


@contextmanager
def sequence(
    output: Path, images: Sequence[Path], first: int = 0, *, keep: bool = False
) -> Iterator[Path]:
    """Put images in place as an output, taking the place of an earlier one.

    A folder of its own appears whole or not at all. Frames with a pattern come one by one,
    since other files may lie beside them.

    Args:
        output: see `image_target`.
        images: in order; they stay where they are (linked, or copied to another disk).
        first: number of the first one.
        keep: whether the images that follow stay, as those of another part of one sequence; else
            they are taken for the rest of an earlier, longer output. Behind a gap all stay.

    Yields:
        the folder in which more files may be put before it counts.

    Raises:
        InputError: the folder holds other files.
        MediaError: the disk is full, or the place may not be written.
    """
    check_own_folder(output)
    folder, pattern = image_target(output)
    own = folder == output
    target = beside(folder, PARTIAL) if own else folder
    try:
        if own:
            remove_folder(target)
        target.mkdir(parents=True, exist_ok=True)
        for number, image in enumerate(images, first):
            _place(image, target / image_name(pattern, number))
        stale, number = dict(existing_images(target, pattern)), first + len(images)
        while not keep and number in stale:
            stale[number].unlink()
            number += 1
        yield target
        sync(target)
        if own:
            remove_folder(folder)
            target.rename(folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:
        if own:
            remove_folder(target)


def _place(image: Path, target: Path) -> None:
    partial = fresh(partial_path(target))
    try:
        try:
            os.link(image, partial)
        except OSError:  # another disk, or one without links
            shutil.copyfile(image, partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def write_image(path: Path, image: Image) -> None:
    """Write (H, W, 3) RGB as an image file in one atomic step.

    Raises:
        MediaError: the disk is full, or the place may not be written.
    """
    with atomic(path) as partial:
        partial.write_bytes(cv2.imencode(path.suffix, image[..., ::-1])[1].tobytes())
