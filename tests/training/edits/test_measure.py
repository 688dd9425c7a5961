"""What a dub is held against: a truth that survives its file, references counted by their owner."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from gsmooth_core import Job, dub_job
from gsmooth_core.job.settings import DubSettings
from tests.clips import curves, pictures, video
from tests.media import made
from tests.tracking.heads import drawn_head
from training.edits.make import Edit, Take, make_edit
from training.edits.measure import Measured, foreign, measure_dub, totals
from training.edits.truth import load_truth, save_truth


def test_the_truth_survives_its_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    takes = []
    for name in ("a", "b"):
        frames = rng.integers(0, 255, (200, 90, 160, 3)).astype(np.uint8)
        takes.append(Take(made.write_video(tmp_path / f"{name}.mp4", frames, 25), name))
    edit = make_edit(takes, 4, 5, size=(160, 90), lit=True)
    save_truth(tmp_path / "truth.json", edit)
    assert load_truth(tmp_path / "truth.json") == dataclasses.replace(edit, frames=[])
    assert len(edit.source) == len(edit.person) == len(edit.frames)
    for person, source in zip(edit.person, edit.source, strict=True):
        assert (len(source) == 2) == (person == "")
        if person:
            assert source[0][0] == person
    kinds = {kind for kind, _, _ in edit.lights}
    assert {"exposure", "balance"} <= kinds


def test_foreign_references_are_frames_of_anybody_else() -> None:
    person = ["a", "a", "a", "", "b", "b"]
    members = [(1, 2), (0, 4), (0, 3), (), (5,), (4, 0)]
    assert foreign(members, person) == 3


@pytest.fixture(scope="module")
def dubbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Edit]:
    """A cut from a photo to a drawn head: eight frames each."""
    folder = tmp_path_factory.mktemp("edit")
    frames = pictures()[:8] + [drawn_head(1, 256, 0.02 * n)[:240] for n in range(8)]
    clip = video(folder / "cut.mp4", frames)
    spoken = curves(folder / "curves.json", np.linspace(0, 0.4, 16))
    settings = DubSettings(preset="ultrafast", crf=4)
    dub_job(Job(clip, folder / "o.mp4", expression=spoken, settings=settings), folder / "job")
    return folder, Edit(person=["photo"] * 8 + ["drawing"] * 8, cuts=[8])


def test_a_right_dub_has_no_fault(dubbed: tuple[Path, Edit]) -> None:
    folder, edit = dubbed
    found, tone = measure_dub("cut", folder / "job", edit)
    assert (found.frames, found.own, found.dubbed) == (16, 8, 8)
    assert (found.foreign, found.strangers) == (0, 0)
    assert found.shots["cuts found"] == 1
    assert np.isfinite(tone).sum() == found.dubbed
    assert found.worst == pytest.approx(np.nanmax(tone))
    assert 0 < found.skin < found.tone < 10  # a mouth opens


def test_a_wrong_truth_is_told_from_a_right_one(dubbed: tuple[Path, Edit]) -> None:
    """Were the frames somebody else's by turns, each would borrow from another."""
    folder, _ = dubbed
    turns = Edit(person=["a", "b"] * 8, cuts=[])
    found, _ = measure_dub("cut", folder / "job", turns)
    assert found.foreign == 8
    assert found.strangers == 4
    assert found.shots["false cuts"] == 1


def test_totals_are_means_worst_and_sums() -> None:
    one = Measured("a", 10, 5, 5, 1.0, 4.0, 3, 0.5, 2.0, 1, 0, {"cuts": 3, "cuts found": 3})
    two = Measured("b", 10, 5, 5, 2.0, 9.0, 3, 1.5, 3.0, 0, 2, {"cuts": 1, "false cuts": 1})
    both = totals([one, two])
    assert (both["tone"], both["worst tone"]) == (1.5, 9.0)
    assert (both["skin tone"], both["worst skin tone"]) == (1.0, 3.0)
    assert (both["foreign"], both["strangers"]) == (1, 2)
    assert (both["cut precision"], both["cut recall"], both["cut F1"]) == (0.75, 0.75, 0.75)
