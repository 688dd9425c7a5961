"""Pictures are read while the caller is at work on the one before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, active_count
from time import monotonic

import pytest

from gsmooth_core.errors import MediaError
from gsmooth_core.media import probe, read_frames
from gsmooth_core.media.pictures.decode import _ahead
from tests.media import made


class Pictures:
    """Numbers, and which of them were read; one may break off, or hang until all is closed."""

    def __init__(self, broken: int = -1, hung: int = -1) -> None:
        self.read, self.closed = [Event() for _ in range(5)], Event()
        self.broken, self.hung = broken, hung

    @contextmanager
    def __call__(self) -> Iterator[Iterator[int]]:
        try:
            yield (self._one(number) for number in range(1, 6))
        finally:
            self.closed.set()

    def _one(self, number: int) -> int:
        if number == self.broken:
            raise MediaError("it breaks off", "")
        self.read[number - 1].set()
        if number == self.hung and not self.closed.wait(10):
            raise AssertionError("its reader is waited for before it is closed")
        return number


def test_one_picture_is_read_ahead_and_no_more() -> None:
    pictures = Pictures()
    made_of_them = _ahead(pictures())
    assert next(made_of_them) == 1
    assert pictures.read[1].wait(10)  # nobody has asked for it
    assert not pictures.read[2].wait(0.1)
    assert list(made_of_them) == [2, 3, 4, 5]


def test_whoever_stops_early_leaves_nothing_open() -> None:
    pictures, before = Pictures(), active_count()
    started = _ahead(pictures())
    next(started)
    started.close()
    assert pictures.closed.is_set()
    assert active_count() == before


def test_what_hangs_is_closed_before_its_reader_is_waited_for() -> None:
    pictures, before = Pictures(hung=2), active_count()
    started = _ahead(pictures())
    next(started)
    assert pictures.read[1].wait(10)
    began = monotonic()
    started.close()
    assert monotonic() - began < 5
    assert active_count() == before


def test_what_breaks_off_is_told_where_it_does() -> None:
    started = _ahead(Pictures(broken=3)())
    assert [next(started), next(started)] == [1, 2]
    with pytest.raises(MediaError, match="breaks off"):
        next(started)


def test_a_clip_that_is_left_early_leaves_no_decoder(tmp_path) -> None:
    clip = probe(made.write_video(tmp_path / "clip.mp4", made.numbered_frames(40), 25))
    before, frames = active_count(), read_frames(clip, 3)
    assert [made.number_in(next(frames)) for _ in range(3)] == [3, 4, 5]
    frames.close()
    assert active_count() <= before + 1  # ffmpeg's watch ends within a second
