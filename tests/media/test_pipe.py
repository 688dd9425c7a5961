"""The pipes through which pictures go to ffmpeg and come from it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core.media import ffmpeg

fcntl = pytest.importorskip("fcntl")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has pipes of any size")

SOURCE = ("-f", "lavfi", "-i", "color=red:size=64x48:rate=5:duration=1")


def pipes() -> Iterator[ffmpeg.Pipe]:
    raw = "-f", "rawvideo", "-pix_fmt", "rgb24"
    with ffmpeg.Pipe(ffmpeg.command(*SOURCE, *raw, "-"), write=False) as pipe:
        yield pipe
    given = *raw, "-video_size", "64x48", "-i", "pipe:0"
    with ffmpeg.Pipe(ffmpeg.command(*given, "-f", "null", "-"), write=True) as pipe:
        yield pipe


def test_a_pipe_holds_most_of_a_picture_either_way() -> None:
    most = int(Path("/proc/sys/fs/pipe-max-size").read_text())
    for pipe in pipes():
        process = pipe._process
        end = process.stdout or process.stdin
        assert fcntl.fcntl(end.fileno(), fcntl.F_GETPIPE_SZ) == min(1 << 20, most)


def test_a_system_that_grants_no_more_is_no_hindrance(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    reading, writing = pipes()
    assert not reading.errors and not writing.errors
    with ffmpeg.Pipe(
        ffmpeg.command(*SOURCE, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"), write=False
    ) as pipe:
        assert np.frombuffer(pipe.read(64 * 48 * 3), np.uint8).reshape(48, 64, 3)[0, 0, 0] > 200
