"""Frames are written while the next ones are made, in order, and what fails is told."""

from __future__ import annotations

from contextlib import ExitStack
from threading import Event

import numpy as np
import pytest

from gsmooth_core.errors import CancelledError, MediaError
from gsmooth_core.taft.segment import FramesMade
from gsmooth_core.taft.stored import StoredRun
from gsmooth_core.taft.translated import Translated

SHAPE = (8, 10, 3)
MASK = np.zeros(SHAPE[:2], bool)
MASK[2:5, 3:7] = True


class Brighter:
    """Adds the frame's number under the mask, and `spilled` beyond it in frame 3."""

    def __init__(self, spilled: int = 0, made: Event | None = None) -> None:
        self.spilled, self.made = spilled, made

    def looks_at(self, _index):
        return []

    def translate_all(self, frames):
        for index, frame in frames:
            new = frame.copy()
            new[MASK] += np.uint8(index)
            new[7, 9] += np.uint8(self.spilled * (index == 3))
            if self.made and index == 1:
                self.made.set()
            yield frame, Translated(new, MASK, MASK)


class Writer:
    """Keeps what is written."""

    def __init__(self, wait: Event | None = None, full: int = -1) -> None:
        self.wait, self.full, self.kept, self.left = wait, full, [], "open"

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.left = kind

    def write(self, picture):
        assert self.wait is None or self.wait.wait(10)
        if len(self.kept) == self.full:
            raise MediaError("The disk is full", "")
        self.kept.append(picture)


def frames(count=6):
    return [(n, np.full(SHAPE, 50, np.uint8)) for n in range(count)]


def test_frames_are_written_in_order_and_counted():
    writer, counted = Writer(), []
    assert FramesMade(frames(), Brighter()).write(None, writer, counted.append) == 0
    assert [int(picture[3, 4, 0]) for picture in writer.kept] == [50, 51, 52, 53, 54, 55]
    assert counted == [1, 2, 3, 4, 5, 6]
    assert writer.left is None


def test_a_change_beyond_the_mask_is_seen():
    assert FramesMade(frames(), Brighter(spilled=7)).write(None, Writer(), lambda _: None) == 7


def test_the_next_frame_is_made_while_one_is_written():
    made = Event()
    FramesMade(frames(), Brighter(made=made)).write(None, Writer(wait=made), lambda _: None)
    assert made.is_set()  # else the writer would have waited in vain


def test_a_writer_that_fails_ends_it():
    writer = Writer(full=2)
    with pytest.raises(MediaError, match="full"):
        FramesMade(frames(), Brighter()).write(None, writer, lambda _: None)
    assert len(writer.kept) == 2
    assert writer.left is MediaError


def test_who_stops_it_leaves_nothing_unfinished():
    def stop(done):
        if done == 2:
            raise CancelledError("Stopped.")

    writer = Writer()
    with pytest.raises(CancelledError):
        FramesMade(frames(), Brighter()).write(None, writer, stop)
    assert writer.left is CancelledError
    assert len(writer.kept) <= 4  # two are ahead


def test_segments_share_what_is_made_ahead():
    """Nothing is begun anew where a segment ends, and the next one has the frames that follow."""
    begun, first, second, later = [], Writer(), Writer(), ExitStack()

    def noted():
        for pair in frames(7):
            begun.append(pair[0])
            yield pair

    with FramesMade(noted(), Brighter()) as made:
        assert made.write(4, first, lambda _: None, later) == 0
        assert first.left == "open"  # its encoder is still at work
        made.write(None, second, lambda _: None)
        assert begun == list(range(7))
    later.close()
    assert first.left is second.left is None
    kept = [[int(p[3, 4, 0]) - 50 for p in writer.kept] for writer in (first, second)]
    assert kept == [[0, 1, 2, 3], [4, 5, 6]]


def test_a_segment_that_fails_is_not_left_for_later():
    writer, later = Writer(full=2), ExitStack()
    with FramesMade(frames(), Brighter()) as made, pytest.raises(MediaError):
        made.write(None, writer, lambda _: None, later)
    assert writer.left is MediaError
    later.close()
    assert writer.left is MediaError


class Plain:
    """Shows pictures as they are stored."""

    def shown(self, picture, _boxes):
        return picture

    def lay(self, _stored, _lays):
        raise MediaError("The disk is full", "")


@pytest.mark.parametrize("stored", [False, True])
def test_whoever_fails_leaves_no_reader_behind(stored):
    """A decoder would wait for its pictures to be read, as long as somebody keeps the error."""
    closed = []

    def read():
        try:
            yield from frames(30)
        finally:
            closed.append(True)

    reader = read()
    given = StoredRun(reader, Plain(), lambda _: []) if stored else reader
    with pytest.raises(MediaError, match="full"), FramesMade(given, Brighter()) as made:
        made.write(None, Writer(full=1), lambda _: None)
    assert closed == [True]
