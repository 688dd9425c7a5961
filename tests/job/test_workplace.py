"""The folder of a job: what of it stays when the job does not come to its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from gsmooth_core.errors import CancelledError, GSmoothError, JobError, MediaError, NoFaceError
from gsmooth_core.job.names import NAMES, JobFile
from gsmooth_core.job.workplace import workplace


def left(tmp_path: Path, error: GSmoothError, answers: bytes) -> list[str]:
    """The files of a temporary folder whose job ended with an error while faces were followed."""
    folder = tmp_path / "out.mp4.gsmooth"
    with (
        pytest.raises(type(error)),
        workplace(folder, tmp_path / "out.mp4", temporary=True),
    ):
        (folder / JobFile.ANSWERS).write_bytes(answers)
        raise error
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def test_who_stops_while_faces_are_followed_goes_on_there(tmp_path: Path) -> None:
    assert JobFile.ANSWERS in left(tmp_path, CancelledError("Stopped."), b"of a frame")


def test_who_stops_before_the_first_frame_finds_nothing_left(tmp_path: Path) -> None:
    assert left(tmp_path, CancelledError("Stopped."), b"") == []


@pytest.mark.parametrize(("answers", "hint"), [(b"of a frame", "is kept"), (b"", "begins anew")])
def test_who_stops_is_told_what_is_left(tmp_path: Path, answers: bytes, hint: str) -> None:
    folder = tmp_path / "out.mp4.gsmooth"
    with (
        pytest.raises(CancelledError, match=rf"^Stopped\. .*{hint}"),
        workplace(folder, tmp_path / "out.mp4", temporary=True),
    ):
        (folder / JobFile.ANSWERS).write_bytes(answers)
        raise CancelledError("Stopped.")
    assert folder.exists() == bool(answers)


def test_a_job_that_fails_at_once_leaves_nothing(tmp_path: Path) -> None:
    assert left(tmp_path, NoFaceError("Nobody is seen.", "Choose another clip."), b"x") == []


@pytest.mark.parametrize(
    ("error", "stays"),
    [(NoFaceError("A drawing."), False), (MediaError("The disk is full."), True)],
)
def test_a_picture_that_is_refused_leaves_nothing_though_its_face_was_found(
    tmp_path: Path, error: GSmoothError, stays: bool
) -> None:
    folder = tmp_path / "out.mp4.gsmooth"
    with pytest.raises(type(error)), workplace(folder, tmp_path / "out.mp4", temporary=True):
        (folder / JobFile.JOURNAL).touch()
        raise error
    assert folder.exists() == stays


@pytest.mark.parametrize("place", [".", "person_2"])
def test_a_face_that_another_file_lacks_takes_no_finished_tracking(
    tmp_path: Path, place: str
) -> None:
    """Of a clip that is to teach, say: with another one the job goes on."""
    folder = tmp_path / "out.mp4.gsmooth"
    with pytest.raises(NoFaceError), workplace(folder, tmp_path / "out.mp4", temporary=True):
        (folder / JobFile.JOURNAL).touch()
        (folder / place).mkdir(exist_ok=True)
        (folder / place / "track.safetensors").touch()
        raise NoFaceError("Nobody is seen in the clip that is to teach.")
    assert (folder / place / "track.safetensors").exists()


def test_a_refusal_takes_no_folder_that_is_wanted(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    with pytest.raises(NoFaceError), workplace(folder, tmp_path / "out.mp4"):
        (folder / JobFile.JOURNAL).touch()
        raise NoFaceError("Nobody is seen.")
    assert (folder / JobFile.JOURNAL).exists()


@pytest.mark.parametrize("place", [".", "person_2"])
def test_every_file_of_a_job_goes_with_it_and_no_edit(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "out.mp4.gsmooth"
    with workplace(folder, tmp_path / "out.mp4", temporary=True):
        (folder / place).mkdir(exist_ok=True)
        for name in NAMES:
            (folder / place / name).touch()
        (folder / place / "expression.json").touch()
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["expression.json"]


@pytest.mark.parametrize("name", ["segment_00003", "patch_00003"])
def test_of_pictures_that_were_begun_nothing_is_left(tmp_path: Path, name: str) -> None:
    """A program that was killed between a patch and its segment has left it, as file or folder."""
    folder = tmp_path / "job"
    with workplace(folder, tmp_path / "out.mp4", temporary=True):
        (folder / f"{name}.mp4").write_bytes(b"pictures")
        (folder / name).mkdir()
        (folder / name / "00000.png").write_bytes(b"picture")
    assert not folder.exists()


@pytest.mark.parametrize("name", ["report.json", "track.safetensors", "job.json", "texture.png"])
def test_a_folder_in_which_a_job_would_write_over_other_files_is_refused(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text('{"mine": 1}')
    before = sorted(tmp_path.iterdir())
    with (
        pytest.raises(JobError, match=name),
        workplace(tmp_path, tmp_path.parent / "out.mp4", temporary=True),
    ):
        pytest.fail("work began")
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / name).read_text() == '{"mine": 1}'


def test_a_jobs_own_folder_and_one_with_files_of_other_names_are_taken(tmp_path: Path) -> None:
    (tmp_path / "anna.mp4").touch()
    for _ in range(2):
        with workplace(tmp_path, tmp_path / "out.mp4"):
            (tmp_path / "job.json").write_text('{"kind": "gsmooth-job"}')
            (tmp_path / "report.json").touch()
