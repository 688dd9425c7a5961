"""Two translators, one after the other: frames, order and masks."""

from __future__ import annotations

from collections import deque

import numpy as np

from gsmooth_core.media import probe
from gsmooth_core.media.encoding.encode import SegmentWriter
from gsmooth_core.media.encoding.encoders import Wish
from gsmooth_core.taft.segment import FramesMade
from gsmooth_core.taft.several import SeveralFaces
from gsmooth_core.taft.translated import Translated
from gsmooth_core.types import Image
from tests.media import made


class Painter:
    """Adds `value` to a column, in the frames it is asked to, reading two frames ahead."""

    def __init__(self, column: int, value: int, frames: range, spill: int | None = None) -> None:
        self.column, self.value, self.frames, self.spill = column, value, frames, spill
        self.given: list[Image] = []

    def translate_all(self, frames):
        waiting = deque()
        for pair in frames:
            waiting.append(pair)
            if len(waiting) > 2:
                yield self.painted(*waiting.popleft())
        while waiting:
            yield self.painted(*waiting.popleft())

    def painted(self, index: int, frame: Image):
        self.given.append(frame)
        mask = np.zeros(frame.shape[:2], bool)
        new = frame
        if index in self.frames:
            new, mask[:, self.column] = frame.copy(), True
            new[:, self.column] += self.value
            if self.spill is not None:
                new[:, self.spill] += 9
        return frame, Translated(new, mask, mask, (self.column,))


def frames(start: int, count: int):
    return [(n, np.full((4, 6, 3), n, np.uint8)) for n in range(start, start + count)]


def test_a_frame_that_shows_both_gets_both_and_one_that_shows_neither_stays() -> None:
    first, second = Painter(1, 100, range(10, 14)), Painter(4, 50, range(12, 16))
    both = list(SeveralFaces([first, second]).translate_all(frames(10, 8)))
    for number, (frame, translated) in enumerate(both, 10):
        wanted = np.full((4, 6, 3), number, np.uint8)
        np.testing.assert_array_equal(frame, wanted)
        wanted[:, 1] += 100 * (number < 14)
        wanted[:, 4] += 50 * (12 <= number < 16)
        np.testing.assert_array_equal(translated.frame, wanted)
        np.testing.assert_array_equal(translated.mask, (wanted != number).any(2))
        np.testing.assert_array_equal(translated.hidden, translated.mask)
        assert translated.members == (1, 4)
    assert len(both) == 8
    assert second.given[0][0, 1, 0] == 110  # the second one sees what the first has made


def test_of_three_nobody_is_left_out() -> None:
    painters = [Painter(column, 20 * column, range(99)) for column in (1, 2, 3)]
    ((_, translated),) = SeveralFaces(painters).translate_all(frames(0, 1))
    assert translated.frame[0, :, 0].tolist() == [0, 20, 40, 60, 0, 0]


def test_outside_is_outside_of_both_masks(tmp_path) -> None:
    def outside(second: Painter) -> int:
        pictures = [frame.repeat(16, 0).repeat(16, 1) for _, frame in frames(0, 3)]
        both = SeveralFaces([Painter(1, 100, range(9)), second])
        clip = probe(made.write_video(tmp_path / "c.mp4", np.array(pictures), 25))
        writer = SegmentWriter(
            tmp_path / "s.mp4", clip, tmp_path / "o.mp4", wish=Wish(preset="ultrafast")
        )
        return FramesMade(enumerate(pictures), both).write(None, writer, lambda _: None)

    assert outside(Painter(4, 50, range(9))) == 0
    assert outside(Painter(4, 50, range(9), spill=1)) == 0  # within the first one's
    assert outside(Painter(4, 50, range(9), spill=60)) == 9
