"""What is learned from the pictures that lend is learned once a job, from all of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gsmooth_core.job.journal import Journal
from gsmooth_core.job.lending import read_lenders
from gsmooth_core.taft.composition import ComposeSettings
from gsmooth_core.taft.finish.grain import Grain
from gsmooth_core.taft.finish.sharpness import Sharpness, Trial

ONLY = np.array([True, False])
TRIED = np.full((2, 3), 4.0), np.ones((2, 3, 4, 4)), np.ones((2, 2, 4))
FOUND = Sharpness([Trial((n, 7), *TRIED, 90.0) for n in range(4)])


class Dub:
    """Stands for a translator, and notes what is asked of it."""

    def __init__(self, **settings: bool) -> None:
        self.composer, self.asked = self, list[object]()
        self.settings = ComposeSettings(**settings)
        self.bank: dict[int, object] = {}
        self.grain = self.sharpness = None
        self.track = SimpleNamespace(width=160, height=120)
        # A crop of 20 x 20 pixels at (90, 50), at twice their size.
        self.size, self.transforms = 40, np.array([[[2, 0, -180], [0, 2, -100]]], np.float32)

    def read(self, source, only=None):
        self.asked.append("all" if only is None else only.tolist())
        self.bank = {0: object()}
        return Grain([], [])

    def rehearse(self):
        assert self.bank
        self.asked.append("rehearsal")
        return FOUND


class Opened:
    def __init__(self, box: object) -> None:
        assert box == (72, 32, 128, 88)

    def close(self) -> None:
        pass


SOURCE = SimpleNamespace(frames=Opened, shows=lambda frames: frames)


@pytest.fixture
def read(tmp_path: Path):
    inputs = SimpleNamespace(grain=lambda: {"of": "grain"}, sharpness=lambda: {"of": "sharpness"})

    def run(kept: object = None, **settings: bool) -> Dub:
        dub = Dub(**settings)
        read_lenders(dub, SOURCE, Journal(tmp_path), inputs, ONLY, kept)
        return dub

    return run


def test_a_job_that_goes_on_has_the_same_gains(read) -> None:
    first, again = read(), read()
    assert first.asked == ["all", "rehearsal"]
    assert again.asked == [[True, False]]
    np.testing.assert_array_equal(first.sharpness.gains(50), again.sharpness.gains(50))
    assert first.sharpness.gains(50)[0, 0] > 1.2


def test_a_job_of_an_earlier_version_reads_all_that_lends_first(read) -> None:
    assert read(sharpness=False).sharpness is None
    assert read().asked == ["all", "rehearsal"]


def test_without_grain_it_is_the_same(read) -> None:
    dub = read(grain=False)
    assert dub.grain is None
    assert dub.asked == ["all", "rehearsal"]
    assert len(dub.sharpness.trials) == 4


def test_what_nobody_asks_for_is_not_done(read) -> None:
    dub = read(grain=False, sharpness=False)
    assert (dub.grain, dub.sharpness, dub.asked) == (None, None, [[True, False]])


@pytest.mark.parametrize("settings", [{}, {"grain": False}, {"grain": False, "sharpness": False}])
def test_what_was_kept_is_not_read(read, settings: dict[str, bool]) -> None:
    class Kept:
        """What was kept, before a clip whose box is known."""

        def __init__(self) -> None:
            self.asked: list[Opened] = []

        def first(self, frames: Opened) -> Opened:
            self.asked.append(frames)
            return frames

    kept = Kept()
    read(kept, **settings)
    assert len(kept.asked) == 1 and isinstance(kept.asked[0], Opened)
