"""Links that somebody planted where GSmooth writes: what they lead to stays as it is."""

from __future__ import annotations

import os
import re
import stat
import sys
from importlib import import_module
from pathlib import Path

import pytest

from gsmooth_core.app import actions
from gsmooth_core.job.job import Job
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.storage.files import partial_path
from gsmooth_core.taft.adaptation.adapt import AdaptSettings
from gsmooth_core.taft.samples import SampleSettings
from tests.attacks import places
from tests.attacks.places import (
    PRECIOUS,
    REFUSED,
    Sources,
    check_images,
    check_video,
    contents,
    dub,
)
from tests.attacks.talking import talking

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs links")

TO = {"a file": "file.txt", "a folder": ".", "nothing": "new"}
"""What a link leads to, within the folder of what is precious."""


def with_partial(*names: str) -> list[str]:
    """Names, and those under which such files are begun."""
    return [*names, *(partial_path(Path(name)).name for name in names)]


OF_A_JOB = with_partial("job.json", "lock.pid", *(f"segment_{part:05d}.mp4" for part in range(3)))
"""Names in a job's folder that the double's run writes."""

OF_A_WHOLE_JOB = [
    "job.json", "lock.pid", "track.safetensors", "predicted.safetensors", "target.safetensors",
    "occluders.safetensors", "personal.safetensors", "mesh.safetensors", "found.safetensors",
    "texture.png", "sync.svg", "report.json", "report.html", "quality.json", "outputs.json",
    "answers.bin",
    *(f"segment_{part:05d}.mp4" for part in range(3)),
]  # fmt: skip
"""All that a dub, its mesh and its reports write, and what can be replaced."""


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> Sources:
    return places.make_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    """Where the output and the job's folder go, and nothing else."""
    places.use_sandbox(tmp_path, monkeypatch)
    return tmp_path / "place"


@pytest.fixture(autouse=True)
def precious(tmp_path):
    """A folder that is as it was when the test has ended."""
    with places.kept(tmp_path / "precious") as folder:
        yield folder


def plant(precious: Path, folder: Path, names: list[str], to: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).symlink_to(precious / TO[to])


def links(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_symlink())


# -- in the job's folder ---------------------------------------------------------------------


@pytest.mark.parametrize("to", TO)
def test_in_a_folder_that_is_named(sources, place, precious, to):
    """Each link is replaced by the file that was to be written."""
    plant(precious, place / "job", [*OF_A_JOB, "temporary"], to)
    assert dub(sources, place / "o.mp4", "--job", place / "job") == 0
    check_video(place / "o.mp4")
    assert links(place / "job") == []


@pytest.mark.parametrize("to", TO)
def test_in_a_folder_that_goes_at_the_end(sources, place, precious, to):
    folder = place / "o.mp4.gsmooth"
    plant(precious, folder, [*with_partial(*OF_A_WHOLE_JOB), "tmpabc.ffconcat"], to)
    (folder / "temporary").write_text("planted")
    assert dub(sources, place / "o.mp4") == 0
    check_video(place / "o.mp4")
    assert [path.name for path in place.iterdir()] == ["o.mp4"]


@pytest.mark.parametrize("to", TO)
def test_a_mark_that_is_a_link(sources, place, precious, to):
    plant(precious, place / "o.mp4.gsmooth", ["temporary"], to)
    (place / "o.mp4.gsmooth" / "notes.txt").write_bytes(PRECIOUS)
    assert dub(sources, place / "o.mp4") == 0
    check_video(place / "o.mp4")
    assert contents(place / "o.mp4.gsmooth")["notes.txt"] == PRECIOUS


@pytest.mark.parametrize("name", ["lock", "journal.jsonl"])
@pytest.mark.parametrize("to", TO)
def test_those_that_must_not_be_replaced_are_refused(sources, place, precious, capfd, name, to):
    """Another process may hold the lock, and a journal is only ever added to."""
    plant(precious, place / "o.mp4.gsmooth", [name], to)
    assert dub(sources, place / "o.mp4") in (4, REFUSED)
    assert f"o.mp4.gsmooth/{name}' " in capfd.readouterr().err
    assert links(place / "o.mp4.gsmooth") == [name]
    assert not (place / "o.mp4").exists()


def test_a_journal_that_is_also_somebody_elses_file(sources, place, tmp_path):
    """A hard link, as some ways to back up a folder make them."""
    (place / "job").mkdir()
    (tmp_path / "backup").write_bytes(PRECIOUS)
    os.link(tmp_path / "backup", place / "job" / "journal.jsonl")
    dub(sources, place / "o.mp4", "--job", place / "job")
    assert (tmp_path / "backup").read_bytes() == PRECIOUS


@pytest.mark.parametrize("to", TO)
def test_folders_of_frames(sources, place, precious, to):
    names = with_partial(*(f"segment_{part:05d}" for part in range(3)))
    plant(precious, place / "job", names, to)
    assert dub(sources, place / "frames", "--job", place / "job") == 0
    check_images(place / "frames")
    assert links(place / "job") == []


@pytest.mark.parametrize("to", TO)
def test_a_folder_by_default_that_is_a_link_is_refused(sources, place, precious, capfd, to):
    """Nobody named it, so nobody has said that what it leads to may be written in."""
    plant(precious, place, ["o.mp4.gsmooth"], to)
    assert dub(sources, place / "o.mp4") == REFUSED
    assert "o.mp4.gsmooth' is a link" in capfd.readouterr().err
    assert links(place) == ["o.mp4.gsmooth"]


def test_and_when_it_is_to_be_kept(sources, place, tmp_path):
    places.write(tmp_path / "other", {"job.json": PRECIOUS})
    (place / "o.mp4.gsmooth").symlink_to(tmp_path / "other")
    assert dub(sources, place / "o.mp4", "--keep-job") == REFUSED
    assert contents(tmp_path / "other") == {"job.json": PRECIOUS}


# -- at the output's place -------------------------------------------------------------------


@pytest.mark.parametrize("to", TO)
def test_at_the_place_of_a_video_and_of_its_partial_file(sources, place, precious, to):
    names = [name for name in with_partial("o.mp4") if to != "a folder" or name != "o.mp4"]
    plant(precious, place, names, to)
    assert dub(sources, place / "o.mp4") == 0
    check_video(place / "o.mp4")
    assert [path.name for path in place.iterdir()] == ["o.mp4"]


def test_an_output_that_leads_to_its_source_is_refused(sources, place):
    before = sources["--video"].read_bytes()
    (place / "o.mp4").symlink_to(sources["--video"])
    assert dub(sources, place / "o.mp4") == 3
    assert sources["--video"].read_bytes() == before


@pytest.mark.parametrize("to", TO)
def test_among_numbered_frames_in_a_folder_of_somebodys(sources, place, precious, to):
    """The frames that are there are replaced, and one that is left from a longer output goes.

    One behind a gap is somebody's own.
    """
    names = with_partial("p_000.png", "p_003.png", "sound.wav")
    plant(precious, place, [*names, f"p_{places.FRAMES:03d}.png", "p_999.png"], to)
    assert dub(sources, place / "p_%03d.png", "--job", place.parent / "job") == 0
    (place / "p_999.png").unlink()
    check_images(place, "p_{:03d}.png")
    assert len(list(place.iterdir())) == places.FRAMES + 1


@pytest.mark.parametrize("to", TO)
def test_at_the_place_of_frames_and_of_their_partial_folder(sources, place, precious, to):
    """A folder of an earlier output, full of links, and a link where the new one is made."""
    plant(precious, place / "frames", ["00000.png", "00003.png", "00099.png", "sound.wav"], to)
    plant(precious, place, with_partial("frames")[1:], to)
    assert dub(sources, place / "frames") == 0
    check_images(place / "frames")
    assert [path.name for path in place.iterdir()] == ["frames"]


def test_a_folder_of_frames_that_is_a_link(sources, place, precious, tmp_path):
    """To something else it is refused; to earlier frames it is replaced, and those stay."""
    (place / "frames").symlink_to(precious)
    assert dub(sources, place / "frames") == 3
    (place / "frames").unlink()
    places.write(tmp_path / "take 1", {"00000.png": PRECIOUS})
    (place / "frames").symlink_to(tmp_path / "take 1")
    assert dub(sources, place / "frames") == 0
    check_images(place / "frames")
    assert contents(tmp_path / "take 1") == {"00000.png": PRECIOUS}


# -- at the locks ----------------------------------------------------------------------------


@pytest.fixture
def lock(sources, place, tmp_path) -> Path:
    """The lock of the output, found where a run has left it."""
    assert dub(sources, place / "o.mp4") == 0
    (place / "o.mp4").unlink()
    shared = [*(tmp_path / "state").rglob("*"), *(tmp_path / "scratch").rglob("*")]
    (found,) = [path for path in shared if re.fullmatch("[0-9a-f]{32}", path.name)]
    return found


@pytest.mark.parametrize("to", TO)
def test_at_the_lock_of_the_output(sources, place, precious, lock, capfd, to):
    lock.unlink()
    plant(precious, lock.parent, [lock.name], to)
    assert dub(sources, place / "o.mp4") in (4, REFUSED)
    assert lock.name in capfd.readouterr().err
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("to", TO)
def test_beside_the_lock_of_the_output(sources, place, precious, lock, to):
    lock.with_name(f"{lock.name}.pid").unlink(missing_ok=True)
    plant(precious, lock.parent, with_partial(f"{lock.name}.pid"), to)
    assert dub(sources, place / "o.mp4") == 0
    check_video(place / "o.mp4")
    assert links(lock.parent) == []


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o720, 0o702])
def test_a_folder_for_locks_in_which_others_may_write(sources, place, lock, capfd, mode):
    lock.parent.chmod(mode)
    assert dub(sources, place / "o.mp4") == REFUSED
    assert "not yours alone" in capfd.readouterr().err
    assert stat.S_IMODE(lock.parent.stat().st_mode) == mode
    assert list(place.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="needs root")
def test_a_folder_for_locks_of_somebody_else(sources, place, lock, capfd):
    os.chown(lock.parent, 4321, -1)
    assert dub(sources, place / "o.mp4") == REFUSED
    assert "not yours alone" in capfd.readouterr().err


@pytest.mark.parametrize("to", TO)
def test_a_folder_for_locks_that_is_a_link_or_a_file(sources, place, precious, lock, capfd, to):
    for path in lock.parent.iterdir():
        path.unlink()
    lock.parent.rmdir()
    plant(precious, lock.parent.parent, [lock.parent.name], to)
    assert dub(sources, place / "o.mp4") == REFUSED
    assert str(lock.parent) in capfd.readouterr().err
    assert list(place.iterdir()) == []


# -- with the real way -----------------------------------------------------------------------


@pytest.mark.slow
def test_every_file_of_a_whole_job(tmp_path_factory, tmp_path, precious, monkeypatch):
    """Dub, mesh, sync and report write what they have to, and nothing under another name."""
    few = AdaptSettings(SampleSettings(4, 0.04), parts=2, fade=0.04, shortest=0.04)
    monkeypatch.setattr(import_module("gsmooth_core.dub").DubPipeline, "adapt_settings", few)
    clip, folder = talking(tmp_path_factory), tmp_path / "job"
    settings = DubSettings(preset="ultrafast", chunk_frames=25, adapt=15.0)
    job = Job(
        clip.video, tmp_path / "o.mp4", clip.speech, start_frame=25, frame_count=75,
        settings=settings,
    )  # fmt: skip
    plant(precious, folder, [*with_partial(*OF_A_WHOLE_JOB), "temporary"], "a file")
    actions.dub_job(job, folder, lambda event: None, lambda: False)
    for action in (actions.mesh, actions.sync, actions.report):
        action(folder, lambda event: None, lambda: False)
    assert links(folder) == []
    written = {path.name for path in folder.iterdir()}
    assert written == {*OF_A_WHOLE_JOB, "lock", "journal.jsonl"}
