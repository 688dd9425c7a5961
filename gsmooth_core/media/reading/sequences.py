"""Numbered images as a video: found by a pattern, a folder or one of them, and put into a file.

Their data goes into a QuickTime file as it is, so that nothing is lost and everything that reads
videos reads them.
"""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import PIL.Image

from gsmooth_core.errors import InputError, MediaError
from gsmooth_core.media import ffmpeg
from gsmooth_core.media.reading.description import MOST_PIXELS, describe, too_large
from gsmooth_core.media.reading.whole import is_whole, size_of
from gsmooth_core.storage.files import atomic, shown

SUFFIXES = (".png", ".tif", ".tiff", ".exr", ".jpg", ".jpeg", ".dpx")
_NUMBER = re.compile(r"%0?(\d*)d")
_AS_SHOWN = (
    "zscale=transferin=linear:transfer=iec61966-2-1:matrixin=gbr:matrix=gbr:primariesin=bt709:"
    "primaries=bt709:rangein=full:range=full"
)
_FEWEST = 2
_NAMED = 5  # missing numbers that an error names


@dataclass(frozen=True)
class ImageSequence:
    """Numbered images that follow each other.

    Attributes:
        folder: in which they lie.
        before: their names up to the number.
        digits: fewest digits of a number.
        after: their names behind it.
        first: number of the first one.
        count: how many there are.
    """

    folder: Path
    before: str
    digits: int
    after: str
    first: int
    count: int

    def path(self, place: int) -> Path:
        """The image at a place, from 0."""
        number = str(self.first + place).zfill(self.digits)
        return self.folder / f"{self.before}{number}{self.after}"


def sequence_of(path: Path, *, numbered: bool = False) -> ImageSequence | None:
    """The sequence that a path means; None where it means a file.

    Args:
        path: a pattern such as `shot.%04d.exr`, or a folder that holds one sequence.
        numbered: whether a file whose name holds a number means all that are named alike.

    Raises:
        InputError: there are no such images, several sequences, or one with gaps.
    """
    try:
        folder, file = path.is_dir(), path.is_file()
    except (OSError, ValueError):
        return None
    if folder:
        return _in_folder(path)
    if file:
        parts = _parts(path.name) if numbered else None
        return _found(path.parent, parts[0], parts[2]) if parts else None
    pattern = _NUMBER.search(path.name)
    if pattern is None or path.suffix.lower() not in SUFFIXES:
        return None
    return _found(path.parent, path.name[: pattern.start()], path.name[pattern.end() :])


def _parts(name: str) -> tuple[str, str, str] | None:
    """What stands before, in and behind the last number of an image's name."""
    stem, suffix = Path(name).stem, Path(name).suffix
    found = re.fullmatch(r"(.*?)(\d+)", stem, re.DOTALL)
    if found is None or suffix.lower() not in SUFFIXES:
        return None
    return found[1], found[2], suffix


def _in_folder(folder: Path) -> ImageSequence:
    names: dict[tuple[str, str], int] = defaultdict(int)
    try:
        paths = list(folder.iterdir())
    except OSError as error:
        text = f"The folder '{shown(folder)}' cannot be read: {error.strerror}."
        raise InputError(text, "Change its permissions, or name another one.") from error
    for path in paths:
        if parts := _parts(path.name):
            names[parts[0], parts[2]] += 1
    several = [name for name, count in names.items() if count >= _FEWEST]
    if not several:
        raise InputError(
            f"The folder '{shown(folder)}' holds no numbered images.",
            f"Name a video, or a folder of {', '.join(SUFFIXES)} files.",
        )
    if len(several) > 1:
        before, after = several[0]
        raise InputError(
            f"The folder '{shown(folder)}' holds {len(several)} sequences of images.",
            f"Name one by its pattern, such as '{shown(folder / f'{before}%04d{after}')}'.",
        )
    return _found(folder, *several[0])


def _found(folder: Path, before: str, after: str) -> ImageSequence:
    name = re.compile(re.escape(before) + r"(\d+)" + re.escape(after))
    there = [match[1] for path in folder.glob("*") if (match := name.fullmatch(path.name))]
    numbers = sorted(int(number) for number in there)
    if not numbers:
        pattern = shown(folder / f"{before}%04d{after}")
        raise InputError(f"There are no images '{pattern}'.", "Check the path.")
    missing = numbers[-1] - numbers[0] + 1 - len(set(numbers))
    if missing:
        which = ", ".join(map(str, islice(_between(numbers), _NAMED)))
        raise InputError(
            f"Of the images '{before}{numbers[0]}{after}' to {numbers[-1]} some are missing "
            f"({missing}: {which}).",
            "Render them again, or copy those of one shot into a folder of their own.",
        )
    digits = min(len(number) for number in there)
    uneven = [number for number in there if number != str(int(number)).zfill(digits)]
    if uneven:
        raise InputError(
            f"The images '{before}%d{after}' are numbered in two ways: '{uneven[0]}', and others "
            f"with {digits} digits.",
            "Name all with as many digits, or copy those of one shot into a folder of their own.",
        )
    return ImageSequence(folder, before, digits, after, numbers[0], len(numbers))


def _between(numbers: list[int]) -> Iterator[int]:
    """What is missing of sorted numbers, which may be dates and lie far apart."""
    for one, other in pairwise(numbers):
        yield from range(one + 1, other)


def pack(images: ImageSequence, target: Path, fps: Fraction, *, shown_as_video: bool) -> None:
    """Put a sequence into a file.

    Args:
        images: the sequence.
        target: the file, QuickTime's whatever its name.
        fps: images a second.
        shown_as_video: whether light that is stored as it is (OpenEXR) is to be stored as screens
            show it, with 16 bits: videos hold no other.

    Raises:
        MediaError: one of them cannot be read, or they differ in size.
    """
    _see_whole(images)
    linear = images.after.lower() == ".exr" and shown_as_video
    pattern = f"{images.before}%0{images.digits}d{images.after}"
    coded = ["-c", "copy"]
    if linear:
        coded = ["-c:v", "ffv1", "-level", "3", "-pix_fmt", "gbrap16le"]
        picture = describe(images.path(0)).picture
        if picture is not None and not picture.alpha:
            coded[-1] = "gbrp16le"
    with atomic(target) as partial:
        arguments = ffmpeg.command(
            *("-y", "-protocol_whitelist", "file", "-f", "image2", "-framerate", str(fps)),
            *("-start_number", str(images.first)),
            *("-i", f"file:{_escaped(images)}", *(("-vf", _AS_SHOWN) if linear else ())),
            *("-frames:v", str(images.count), *coded),
            *("-video_track_timescale", str(fps.numerator)),
            *("-f", "matroska" if linear else "mov", ffmpeg.url(partial.absolute())),
        )
        status, _, errors = ffmpeg.run_binary(arguments, timeout=24 * 3600, cwd=images.folder)
        if status:
            raise MediaError(
                f"The images '{pattern}' cannot be read: {ffmpeg.last_line(errors)}.",
                "Open them in an image program.",
            )


def _escaped(images: ImageSequence) -> str:
    before, after = (text.replace("%", "%%") for text in (images.before, images.after))
    return f"{before}%0{images.digits}d{after}"


def _see_whole(images: ImageSequence) -> None:
    """Refuse what players would stretch, what fills the memory, and what would be left out."""
    for place in range(images.count):
        if not _there_and_whole(images.path(place)):
            raise _damaged(images.path(place))
    if images.after.lower() in (".exr", ".dpx"):
        describe(images.path(0))  # refuses what is too large
    sizes: dict[tuple[int, int], int] = {}
    for place in range(images.count):
        sizes.setdefault(_size(images.path(place)), place)
    (width, height), *others = sizes
    if width * height > MOST_PIXELS:
        raise too_large(images.path(0), width, height)
    if others:
        name = images.path(sizes[others[0]]).name
        raise MediaError(
            f"'{name}' is {others[0][0]} x {others[0][1]} pixels large, those before it are "
            f"{width} x {height}.",
            "Render all images at one size.",
        )


def _size(path: Path) -> tuple[int, int]:
    if path.suffix.lower() in (".exr", ".dpx"):
        if (size := size_of(path)) is None:
            raise _damaged(path)
        return size
    try:
        with warnings.catch_warnings(action="ignore"), PIL.Image.open(path) as image:
            return image.size
    except (PIL.Image.DecompressionBombError, OSError, ValueError, SyntaxError) as error:
        raise _damaged(path) from error


def _there_and_whole(path: Path) -> bool:
    try:
        return is_whole(path)
    except OSError:
        return False


def _damaged(path: Path) -> MediaError:
    return MediaError(
        f"The image '{path.name}' is damaged or was cut off.", "Render it again, or copy it again."
    )
