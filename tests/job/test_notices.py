"""What a job takes along of its source, and what it says beforehand."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from gsmooth_core.job.job import Job
from gsmooth_core.job.notices import carried_by, choices, notices, takes_streams
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.job.source import Source
from gsmooth_core.media.joining.carry import Carried
from tests.media import made


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notices")
    frames = made.numbered_frames(12)
    plain = made.write_video(folder / "plain.mp4", frames, 25, tone=0.48)
    made.ffmpeg(
        *("-i", plain, "-f", "lavfi", "-t", 0.48, "-i", "sine", "-map", 0, "-map", "1:a"),
        *("-c:v", "copy", "-c:a", "aac", folder / "two.mkv"),
    )
    speech = made.write_wav(folder / "speech.wav", made.speechlike(0.8), 16000)
    settings = DubSettings(source_audio_track="2")
    return Job(folder / "two.mkv", folder / "out.mkv", speech, settings=settings)


def changed(job, **settings):
    return Source(replace(job, settings=replace(job.settings, **settings)))


def test_the_new_speech_takes_the_place_of_the_old(job):
    source = Source(job)
    assert carried_by(source) == Carried(source.clip.path, 0, source.clip.fps, 1, True)
    assert source.sound().path == job.audio
    assert source.clip.sound_track == 1
    assert choices(source) == []
    assert notices(source) == []


def test_own_sound_is_taken_over_where_it_is_kept(job):
    kept = changed(job, keep_source_audio=True)
    assert carried_by(kept).replaced is None
    assert takes_streams(kept)
    images = Source(replace(kept.job, output=Path("frames")))
    assert not takes_streams(images)
    assert (carried_by(images).replaced, images.sound().track) == (1, 1)


@pytest.mark.parametrize(("length", "in_step"), [("hold", True), ("loop", False)])
def test_what_goes_with_time_stays_where_time_stays(job, length, in_step):
    source = changed(job, length=length)
    assert carried_by(source).in_step is in_step
    assert [told.what for told in notices(source)] == ([] if in_step else ["sound"])


def test_a_part_is_counted_from_its_first_frame(job):
    source = Source(replace(job, start_frame=5))
    assert (carried_by(source).start_frame, carried_by(source).in_step) == (5, True)
    slower = Source(replace(job, fps=source.clip.fps / 2))
    assert not carried_by(slower).in_step


def test_images_lose_what_they_cannot_hold(job):
    source = Source(replace(job, output=job.output.parent / "frames"))
    assert [told.what for told in notices(source)] == ["sound"]


@pytest.mark.parametrize(("pixels", "opacity", "told"), [
    ("rgba", 0.5, True), ("rgba", 1.0, False), ("rgb24", 0.5, False), ("ya8", 0.5, True),
])  # fmt: skip
def test_the_transparency_of_a_photo_is_told(job, pixels, opacity, told, tmp_path):
    photo = tmp_path / "photo.png"
    source = f"color=red@{opacity}:size=32x32,format=rgba,format={pixels}"
    made.ffmpeg("-f", "lavfi", "-i", source, "-frames:v", 1, photo)
    photo_job = Job(photo, tmp_path / "o.mp4", job.audio)
    assert ("alpha" in [notice.what for notice in notices(Source(photo_job))]) is told


def test_a_photo_is_not_told_that_video_has_less_detail_of_colour(job, tmp_path):
    """But footage is, where it has more."""
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), np.full((96, 128, 3), 90, np.uint8))
    assert notices(Source(replace(job, video=photo, output=tmp_path / "out.mp4"))) == []
    made.ffmpeg("-i", job.video, "-map", "0:v", "-c:v", "png", tmp_path / "full.mkv")
    full = replace(job, video=tmp_path / "full.mkv", output=tmp_path / "out.mp4")
    plain = replace(full, settings=DubSettings())
    assert [told.what for told in notices(Source(plain))] == ["chroma"]
