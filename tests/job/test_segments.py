"""Segments of a job: what stands, and what is left of one whose file was lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from gsmooth_core.job.journal import Journal
from gsmooth_core.job.segments import Segments
from gsmooth_core.job.settings import DubSettings

KEYS = [(f"curves{frame}", f"rest{frame}") for frame in range(6)]
BOXES = [[1, 2, 3, 4]]


def segments(folder: Path, inputs: str = "same") -> Segments:
    settings = DubSettings(chunk_frames=3, intra=True)
    return Segments(Journal(folder), Path("out.mp4"), len(KEYS), settings, inputs)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    first = segments(tmp_path)
    for segment in first:
        segment.path.write_bytes(b"frames %d" % segment.number)
        first.record(segment, KEYS, BOXES, outside=0)
    return tmp_path


def test_frames_that_stand_are_not_made(made: Path) -> None:
    again = segments(made)
    edited = [*KEYS[:4], ("other", "rest4"), KEYS[5]]
    assert not again.to_make(KEYS).any()
    assert again.to_make(edited).nonzero()[0].tolist() == [4]
    assert again.edited(edited).nonzero()[0].tolist() == [4]


def test_a_lost_file_is_made_with_the_box_that_it_had(made: Path) -> None:
    for segment in segments(made):
        segment.path.write_bytes(b"spliced, and then killed")
    again = segments(made)
    edited = [("other", "rest0"), *KEYS[1:]]
    assert again.to_make(KEYS).all()
    assert again.boxes == BOXES
    assert again.edited(edited).nonzero()[0].tolist() == [0]


def test_what_was_made_from_other_things_has_no_box(made: Path) -> None:
    again = segments(made, "other")
    assert again.boxes == []
    assert again.to_make(KEYS).all()
    assert not again.edited(KEYS).any()
