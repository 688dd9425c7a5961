"""One bar for all stages, and how long it will take."""

from __future__ import annotations

import pytest

from blender_addon.worker.events import STAGES
from blender_addon.worker.progress import overall, time_left

DUB = ["start", "track", "motion", "predict", "captions", "occluders", "adapt", "render", "encode"]


@pytest.mark.parametrize("stages", [DUB, ["find", "compare"]])
def test_the_bar_goes_forward_only_and_ends_full(stages):
    done = [overall(stage, share / 4) for stage in stages for share in range(5)]
    assert done == sorted(done)
    assert done[0] == 0
    assert done[-1] == pytest.approx(1)


def test_each_stage_has_words_for_people():
    console = pytest.importorskip("gsmooth_core.app.console")
    assert set(console.STAGES) <= set(STAGES)


def test_other_tasks_have_a_bar_of_their_own():
    assert overall("sync", 0.25) == 0.25


@pytest.mark.parametrize(
    ("done", "seconds", "words"),
    [
        (0.01, 60.0, "measuring the time left ..."),
        (0.5, 1.0, "measuring the time left ..."),
        (0.5, 30.0, "about 30 s left"),
        (0.9, 27.0, "about 5 s left"),
        (0.25, 60.0, "about 3 min left"),
        (1.0, 60.0, ""),
    ],
)
def test_what_is_left(done, seconds, words):
    assert time_left(done, seconds) == words
