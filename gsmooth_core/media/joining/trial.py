"""Whether a container really takes streams, tried before the work and not after it.

A list of what containers hold cannot know every odd stream. So the first seconds of those that an
output shall have are put into such a container; one that makes it fail is left out, and told.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from gsmooth_core.errors import MediaError
from gsmooth_core.media import ffmpeg

_SECONDS = "5"

Stream = tuple[int, str]
"""Number in the file, and ffmpeg's name of the coding: "copy", or that of an encoder."""


def refused(path: Path, stamp: tuple[int, int], muxer: str, streams: Sequence[Stream]) -> set[int]:
    """Numbers of the streams of a file that a container does not take.

    Args:
        path: the file.
        stamp: of it, so that a changed file is tried again.
        muxer: ffmpeg's name of the container.
        streams: what is to be taken, and how.
    """
    return set(_refused(path.absolute(), stamp, muxer, tuple(streams)))


@lru_cache(maxsize=64)
def _refused(
    path: Path, _stamp: tuple[int, int], muxer: str, streams: tuple[Stream, ...]
) -> tuple[int, ...]:
    if not streams or _taken(path, muxer, streams):
        return ()
    return tuple(stream[0] for stream in streams if not _taken(path, muxer, (stream,)))


def _taken(path: Path, muxer: str, streams: tuple[Stream, ...]) -> bool:
    maps = []
    for place, (index, coding) in enumerate(streams):
        maps += ["-map", f"0:{index}", f"-c:{place}", coding]
    with tempfile.TemporaryDirectory() as folder:
        target = ffmpeg.url(Path(folder) / "trial")
        opened = ffmpeg.input_arguments(path, "-t", _SECONDS)
        command = ffmpeg.command("-y", *opened, *maps, "-f", muxer, target)
        try:
            return ffmpeg.run(command, timeout=60)[0] == 0
        except MediaError:  # it hangs
            return False
