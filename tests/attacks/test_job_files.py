"""A job file of a stranger: what it names is not written unless whoever asks names it too."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gsmooth_core.app import actions
from gsmooth_core.errors import JobError
from gsmooth_core.job.job import Job
from gsmooth_core.media import probe
from tests import doubles
from tests.media.made import numbered_frames, speechlike, write_video, write_wav


@pytest.fixture(autouse=True)
def double(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gsmooth_core.run", doubles.module())
    import gsmooth_core

    monkeypatch.setattr(gsmooth_core, "run", sys.modules["gsmooth_core.run"], raising=False)


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    path = tmp_path / "home" / "film.mp4"
    path.parent.mkdir()
    path.write_bytes(b"years of work")
    return path


def job_with(output: Path, folder: Path) -> Path:
    video = write_video(folder.parent / "v.mp4", numbered_frames(4))
    audio = write_wav(folder.parent / "a.wav", speechlike(0.5), 16000)
    Job(video, output, audio).save(folder)
    return folder


def dub(folder: Path, output: str | None = None) -> None:
    actions.dub(folder, lambda event: None, lambda: False, output)


@pytest.mark.parametrize("how", ["absolute", "dots", "link"])
def test_an_output_outside_is_not_written(tmp_path: Path, precious: Path, how: str) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    named = {
        "absolute": precious,
        "dots": folder / ".." / "home" / "film.mp4",
        "link": folder / "inside" / "film.mp4",
    }[how]
    if how == "link":
        (folder / "inside").symlink_to(precious.parent)
    job_with(named, folder)
    with pytest.raises(JobError, match="nobody asked for"):
        dub(folder)
    assert precious.read_bytes() == b"years of work"


def test_it_is_written_where_the_request_names_it(tmp_path: Path, precious: Path) -> None:
    folder = job_with(precious, tmp_path / "job")
    with pytest.raises(JobError, match="nobody asked for"):
        dub(folder, str(precious.with_name("other.mp4")))
    dub(folder, str(precious))
    assert probe(precious).frame_count == 4


def test_an_output_within_needs_no_word(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    dub(job_with(folder / "o.mp4", folder))
    assert probe(folder / "o.mp4").frame_count == 4
