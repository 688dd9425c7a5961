"""Outputs that would take the place of what the job reads are refused before any work is done."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from gsmooth_core.errors import InputError, MediaError, NoSpeechError
from gsmooth_core.job.checks import check
from gsmooth_core.job.job import Job
from gsmooth_core.job.settings import AnimateSettings, DubSettings
from tests.media import made

NAMES = ("shot.0101.png", "shot.0102.png", "photo.0007.png", "sound.wav", "move.mp4")


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "shot"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_bytes(b"x")
    (tmp_path / "link").symlink_to(folder)
    (tmp_path / "speech.wav").write_bytes(b"x")
    return folder


def refuse(job: Job, folder: Path) -> None:
    with pytest.raises(InputError, match="overwrite its own source"):
        check(job)
    assert sorted(path.name for path in folder.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("output", ["shot.%04d.png", "shot.%d.png", "../link/shot.%04d.png"])
@pytest.mark.parametrize("video", ["shot.%04d.png", "shot.0101.png", "../link/shot.%03d.png"])
def test_images_over_the_images_that_are_read(place, output, video):
    fps = Fraction(25) if video == "shot.0101.png" else None
    speech = place.parent / "speech.wav"
    refuse(Job(place / video, place / output, audio=speech, fps=fps), place)


def test_images_over_those_of_the_folder_that_is_read(place):
    (place / "photo.0007.png").rename(place / "photo.png")
    with pytest.raises(InputError, match="overwrite its own source"):
        check(Job(place, place / "shot.%04d.png", audio=place.parent / "speech.wav"))


def test_images_over_a_photo_that_would_go_as_one_of_an_earlier_output(place):
    moves = AnimateSettings()
    photo, speech = place / "photo.0007.png", place.parent / "speech.wav"
    refuse(Job(photo, place / "photo.%d.png", audio=speech, animate=moves), place)


def test_the_sound_beside_images_over_the_speech(place):
    video = place / "move.mp4"
    refuse(Job(video, place / "out.%04d.png", audio=place / "sound.wav"), place)


def test_a_rasteriser_that_is_not_here_is_told_of_before_anything_is_done(place, monkeypatch):
    monkeypatch.setenv("GSMOOTH_RASTERIZER", "opengl")
    with pytest.raises(InputError, match="GSMOOTH_RASTERIZER") as refused:
        check(Job(place / "move.mp4", place / "out.mp4", audio=place / "sound.wav"))
    assert "numba" in refused.value.hint


def test_a_video_over_the_one_whose_head_is_followed(place):
    moves = AnimateSettings(motion=str(place / "move.mp4"))
    photo, speech = place / "photo.0007.png", place.parent / "speech.wav"
    refuse(Job(photo, place / "move.mp4", audio=speech, animate=moves), place)


def test_images_beside_what_is_read_are_no_fault(place):
    speech = place.parent / "speech.wav"
    check(Job(place / "shot.%04d.png", place / "new.%04d.png", audio=speech))
    check(Job(place / "shot.%04d.png", place.parent / "new" / "shot.%04d.png", audio=speech))


def test_music_without_sound_is_refused_before_any_work(tmp_path):
    for name in ("v.mp4", "s.wav"):
        (tmp_path / name).write_bytes(b"x")
    made.ffmpeg("-f", "lavfi", "-i", "color=size=32x32", "-frames:v", 2, tmp_path / "mute.mp4")
    made.ffmpeg("-f", "lavfi", "-i", "anullsrc", "-t", 0, tmp_path / "empty.wav")
    for name, why in (("mute.mp4", "has no sound"), ("empty.wav", "is empty")):
        job = Job(tmp_path / "v.mp4", tmp_path / "o.mp4", audio=tmp_path / "s.wav")
        with pytest.raises(NoSpeechError, match=why):
            check(replace(job, mix=tmp_path / name))


@pytest.mark.parametrize(
    ("name", "why"),
    [("speech.wav", "only sound"), ("photo.png", "is a photo"), ("no.mp4", "damag")],
)
def test_what_cannot_teach_is_refused_before_any_work(tmp_path, name, why):
    made.write_wav(tmp_path / "speech.wav", made.speechlike(0.2), 16000)
    made.ffmpeg("-f", "lavfi", "-i", "color=size=32x32", "-frames:v", 1, tmp_path / "photo.png")
    (tmp_path / "no.mp4").write_bytes(b"x")
    job = Job(tmp_path / "no.mp4", tmp_path / "o.mp4", audio=tmp_path / "speech.wav")
    with pytest.raises((InputError, MediaError), match=why):
        check(replace(job, teach=(tmp_path / name,)))


def test_the_look_of_a_video_for_images_is_refused(tmp_path):
    given = tmp_path / "v.mp4"
    given.write_bytes(b"x")
    with pytest.raises(InputError, match="Images are not coded"):
        check(Job(given, tmp_path / "o.%d.png", audio=given, copy_look_of=given))


def test_the_rest_of_images_is_kept_at_the_rate_that_is_said(place):
    speech, kept = place.parent / "speech.wav", DubSettings(keep_rest=True)
    output = place.parent / "new" / "shot.%04d.png"
    check(Job(place / "shot.%04d.png", output, audio=speech, fps=Fraction(24), settings=kept))
    with pytest.raises(InputError, match="its own time only"):
        check(Job(place / "move.mp4", output, audio=speech, fps=Fraction(24), settings=kept))
