"""What a job may be made of: cuts, gaps, stills, speech of any length, things before the mouth."""

import dataclasses
import json

import cv2
import numpy as np
import pytest

from gsmooth_core.dub import DubPipeline, dub
from gsmooth_core.errors import InputError, NoFaceError, NoSpeechError
from gsmooth_core.job.events import Message, Progress
from gsmooth_core.job.job import Job
from gsmooth_core.job.source import Source
from gsmooth_core.media import probe, read_frames
from gsmooth_core.storage.arrays import load_track
from tests.clips import FRAMES, SETTINGS, curves, pictures, told, video
from tests.media import made
from tests.tracking.heads import drawn_head


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return video(tmp_path_factory.mktemp("dub") / "clip.mp4", pictures())


@pytest.fixture(scope="module")
def opening():
    return 0.25 - 0.25 * np.cos(np.arange(FRAMES) * 2 * np.pi / FRAMES)


def test_of_two_people_one_is_dubbed_and_the_other_reported(tmp_path, opening):
    """A cut to another person: those frames stay as they are, whoever is chosen."""
    frames = pictures()[:8] + [drawn_head(1, 256, 0.02 * n)[:240] for n in range(8)]
    clip = video(tmp_path / "cut.mp4", frames)
    spoken = curves(tmp_path / "curves.json", opening)
    outcomes = {}
    for face in ("1", "2"):
        settings = dataclasses.replace(SETTINGS, face=face)
        job = Job(clip, tmp_path / f"{face}.mkv", expression=spoken, settings=settings)
        result = outcomes[face] = dub(job, tmp_path / f"job{face}")
        mine = [person for person in result.people if person.chosen]
        assert [person.number for person in mine] == [int(face)]
        (other,) = (person for person in result.people if not person.chosen)
        assert [(u.first, u.last, u.why) for u in result.untouched] == [
            (*other.frames[0], "someone else")
        ]
        assert result.shots == [(0, 7), (8, 15)]
        report = json.loads((tmp_path / f"job{face}" / "report.json").read_text())
        assert report["untouched"] == [dataclasses.asdict(stretch) for stretch in result.untouched]
        before, after = read_frames(probe(clip)), read_frames(probe(job.output))
        changes = [np.abs(a.astype(int) - b).max() for a, b in zip(before, after, strict=True)]
        first, last = other.frames[0]
        assert max(changes[first : last + 1]) <= 20  # the encoder's
        first, last = mine[0].frames[0]
        assert max(changes[first : last + 1]) > 40
    assert outcomes["1"].untouched_frames != outcomes["2"].untouched_frames


def test_frames_without_a_face_pass_untouched_and_are_reported(tmp_path, opening):
    clip = video(tmp_path / "gap.mp4", pictures(blank=(7, 8)))
    spoken = curves(tmp_path / "curves.json", opening)
    job = Job(video=clip, output=tmp_path / "out.mkv", expression=spoken, settings=SETTINGS)
    result = dub(job, tmp_path / "job")
    assert (7, 8) in result.untouched_frames
    assert not load_track(tmp_path / "job" / "track.safetensors").usable[7:9].any()
    grey = list(read_frames(probe(job.output)))[7]
    assert np.abs(grey.astype(int) - 90).max() <= 3


def test_a_clip_without_any_face_says_so(tmp_path, opening):
    clip = video(tmp_path / "no.mp4", pictures(blank=range(FRAMES)))
    spoken = curves(tmp_path / "curves.json", opening)
    with pytest.raises(NoFaceError):
        dub(Job(video=clip, output=tmp_path / "o.mp4", expression=spoken), tmp_path / "job")
    assert not (tmp_path / "o.mp4").exists()


def test_a_still_picture_speaks_as_long_as_its_curves(tmp_path):
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), pictures()[0][..., ::-1])
    spoken = curves(tmp_path / "curves.json", np.linspace(0, 0.5, 10))
    job = Job(video=photo, output=tmp_path / "still.mp4", expression=spoken, settings=SETTINGS)
    told = []
    assert dub(job, tmp_path / "job", told.append).frames == 10
    assert [e for e in told if isinstance(e, Message) and "gsmooth animate" in e.text]
    first, *_, last = read_frames(probe(job.output))
    assert np.abs(first.astype(int) - last).max() > 40  # the mouth has opened


def test_silence_is_refused_before_any_frame_is_looked_at(clip, tmp_path):
    silent = made.write_wav(tmp_path / "silent.wav", np.zeros(16000), 16000)
    seen = []
    with pytest.raises(NoSpeechError):
        dub(Job(video=clip, output=tmp_path / "o.mp4", audio=silent), tmp_path / "job", seen.append)
    assert not seen


@pytest.mark.parametrize("length", ["hold", "ping-pong"])
def test_a_picture_is_made_to_last_as_long_as_the_speech(clip, tmp_path, length):
    """Twice as many curves as pictures: followed once, and no picture lends to its copy."""
    spoken = curves(tmp_path / "long.json", 0.25 - 0.25 * np.cos(np.arange(2 * FRAMES) / 2))
    settings = dataclasses.replace(SETTINGS, length=length)
    job = Job(clip, tmp_path / "o.mkv", expression=spoken, settings=settings)
    members = []

    def noted(_number, made_frame):
        members.append(made_frame.members)
        return made_frame

    seen = []
    result = dub(job, tmp_path / "job", seen.append, make=told(noted))
    assert (result.frames, result.length, result.source_frames) == (2 * FRAMES, length, FRAMES)
    assert max(e.done for e in seen if isinstance(e, Progress) and e.stage == "track") == FRAMES
    source = Source(job)
    for frame, taken in enumerate(members):
        assert taken
        assert source.pictures[frame] not in source.pictures[list(taken)]
    before = source.read(0, 2 * FRAMES)
    corner = np.s_[:40, :40]  # outside of every mask: it shows which picture it is
    for frame, made_frame in zip(before, read_frames(probe(job.output)), strict=True):
        assert np.abs(frame[corner].astype(int) - made_frame[corner]).mean() < 4
    again = dataclasses.replace(job, settings=SETTINGS, output=tmp_path / "trim.mkv")
    seen.clear()
    dub(again, tmp_path / "job", seen.append)
    assert not [e for e in seen if isinstance(e, Progress) and e.stage == "track"]


def test_speech_that_is_longer_than_the_picture_is_said_to_be_lost(clip, tmp_path):
    """1.5 s of speech from .25 s on, with .04 s of the picture before it, over .64 s of picture."""
    speech = made.write_wav(tmp_path / "long.wav", made.speechlike(1.5), 16000)
    job = Job(clip, tmp_path / "o.mp4", speech, audio_start=0.25, audio_delay=0.04)
    assert Source(job).unheard_seconds() == pytest.approx(0.65, abs=0.01)
    early = dataclasses.replace(job, audio_start=-0.25)
    assert Source(early).unheard_seconds() == pytest.approx(1.15, abs=0.01)
    shorter = dataclasses.replace(job, audio_duration=0.5)
    assert Source(shorter).unheard_seconds() == 0
    seen = []
    DubPipeline(dataclasses.replace(job, output=tmp_path / "p.mp4"), tmp_path, seen.append).check()
    (warning,) = [e.text for e in seen if isinstance(e, Message)]
    assert "last 0.6 s are lost" in warning or "last 0.7 s are lost" in warning


def test_a_missing_speech_file_is_named(clip, tmp_path):
    job = Job(video=clip, output=tmp_path / "o.mp4", audio=tmp_path / "no.wav")
    with pytest.raises(InputError, match=r"no\.wav"):
        dub(job, tmp_path / "job")


def test_more_frames_than_the_clip_has_are_refused(clip, tmp_path):
    job = Job(video=clip, output=tmp_path / "o.mp4", start_frame=10, frame_count=7)
    with pytest.raises(InputError, match="has 16 frames"):
        DubPipeline(job, tmp_path)


def test_what_passes_before_the_mouth_stays_and_is_reported(tmp_path, opening):
    frames = pictures()
    for n in range(8, 13):
        cv2.circle(frames[n], (90 + 4 * n, 150), 16, (25, 28, 30), -1)
    clip = video(tmp_path / "stick.mp4", frames)
    spoken = curves(tmp_path / "curves.json", opening)
    job = Job(video=clip, output=tmp_path / "out.mkv", expression=spoken, settings=SETTINGS)
    seen = []
    result = dub(job, tmp_path / "job", seen.append)
    told = [e.text for e in seen if isinstance(e, Message) and "before the mouth" in e.text]
    assert told == [notice.text for notice in result.notices if notice.what == "occluders"]
    assert [(a, b) for a, b in result.occluders if a <= 11 <= b]
    assert "Keep What Passes Before" in told[0]
    assert "--no-occluders" in told[0]
    kept = json.loads((tmp_path / "job" / "report.json").read_text())
    assert kept["notices"][-1]["text"] == told[0]
    source, output = (list(read_frames(probe(path))) for path in (clip, job.output))
    disc = np.hypot(*np.mgrid[-150:90, -134:122]) < 12  # frame 11
    assert np.abs(output[11].astype(int) - source[11])[disc].mean() < 4
    again = []
    dub(job, tmp_path / "job", again.append)
    assert not [e for e in again if isinstance(e, Progress) and e.stage == "occluders"]
