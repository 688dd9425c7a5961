"""Covers for Matroska, which has them as attached files.

ffmpeg would write them as a second moving picture, before which all others begin late.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gsmooth_core.media import ffmpeg
from gsmooth_core.media.encoding.losses import Loss
from gsmooth_core.media.joining.carry import Taken
from gsmooth_core.media.reading.description import describe

_KINDS = {"png": ("image/png", ".png"), "mjpeg": ("image/jpeg", ".jpg")}
"""Kind and ending of a file that holds a picture, by the picture's coding."""


@dataclass(frozen=True)
class Attached:
    """A file that is attached to an output, under its own name.

    Attributes:
        path: where it lies.
        kind: what it holds, such as "image/png".
    """

    path: Path
    kind: str


def as_files(
    source: Path, covers: Sequence[Taken], folder: Path, on_loss: Callable[[Loss], None]
) -> tuple[Attached, ...]:
    """Write the covers of a source into files, in their order.

    Args:
        source: the file that has them.
        covers: which of its streams.
        folder: where the files are written.
        on_loss: told about those that cannot be attached.
    """
    made = [_as_file(source, cover, folder, place) for place, cover in enumerate(covers)]
    for _ in range(made.count(None)):
        on_loss(Loss("cover", "A cover picture is left out: the output cannot hold its kind."))
    return tuple(each for each in made if each is not None)


def _as_file(source: Path, cover: Taken, folder: Path, place: int) -> Attached | None:
    """One cover, byte for byte; None where it is no picture that players know as one."""
    coding = describe(source).streams[cover.index].coding
    if coding not in _KINDS:
        return None
    kind, ending = _KINDS[coding]
    path = folder / f"cover{f'_{place + 1}' if place else ''}{ending}"  # as players look for it
    opened = ffmpeg.input_arguments(source.absolute())
    taken = ("-map", f"0:{cover.index}", "-c", "copy", "-frames:v", "1", "-f", "rawvideo")
    status, _, _ = ffmpeg.run(ffmpeg.command("-y", *opened, *taken, ffmpeg.url(path.absolute())))
    return None if status else Attached(path, kind)
