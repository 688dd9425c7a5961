from contextlib import closing
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gsmooth_core.a2ep.mel import SAMPLE_RATE
from gsmooth_core.errors import InputError, NoSpeechError
from gsmooth_core.job.frames import FrameReader
from gsmooth_core.job.job import Job
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.job.source import Source, heard
from gsmooth_core.media import probe, read_frames
from gsmooth_core.types import Clip
from tests.media import made


def naive_heard(audio, start, duration, delay, seconds):
    """Sample by sample: what does the picture hear at its sample n?"""
    result = []
    first = round(start * SAMPLE_RATE)
    for n in range(round(seconds * SAMPLE_RATE)):
        used = n - round(delay * SAMPLE_RATE)
        inside = used >= 0 and (duration is None or used < round(duration * SAMPLE_RATE))
        at = first + used
        result.append(audio[at] if inside and 0 <= at < len(audio) else 0)
    return np.array(result, np.float32)


ticks = st.integers(0, 40).map(lambda n: n / 1000)


@given(
    start=st.integers(-20, 40).map(lambda n: n / 1000),
    duration=st.one_of(st.none(), ticks),
    delay=ticks,
    seconds=ticks,
)
def test_the_picture_hears_what_a_sample_by_sample_twin_hears(start, duration, delay, seconds):
    audio = np.arange(1, 401, dtype=np.float32)
    found = heard(audio, start, duration, delay, seconds)
    np.testing.assert_array_equal(found, naive_heard(audio, start, duration, delay, seconds))


def test_sound_that_is_heard_all_the_time_is_not_copied():
    audio = np.arange(1, 401, dtype=np.float32)
    assert np.shares_memory(heard(audio, 0.005, None, 0.0, 0.01), audio)


@pytest.fixture
def numbered(monkeypatch):
    """Frames that hold their own number, and a count of how many were decoded."""
    decoded = []

    def read(clip, start=0, count=None, box=None):
        for n in range(start, start + (count or 100)):
            decoded.append(n)
            yield np.full((2, 2, 3), n, np.uint8)

    monkeypatch.setattr("gsmooth_core.job.frames.read_frames", read)
    return decoded


def clip(tmp_path, still=False):
    return Clip(tmp_path / "a.mp4", 2, 2, Fraction(25), 100, still=still)


def test_frames_are_found_by_number_and_decoded_once(tmp_path, numbered):
    with closing(FrameReader(clip(tmp_path), start=5)) as frames:
        assert [int(frames(n)[0, 0, 0]) for n in (0, 3, 3, 9)] == [5, 8, 8, 14]
        with pytest.raises(ValueError, match="asked for after"):
            frames(4)
    assert numbered == list(range(5, 15))


def test_a_leap_over_many_frames_finds_the_same_frame(tmp_path):
    rng = np.random.default_rng(0)
    path = made.write_video(
        tmp_path / "long.mp4", rng.integers(0, 255, (420, 32, 32, 3), np.uint8), 25
    )
    whole = list(read_frames(probe(path)))
    with closing(FrameReader(probe(path), start=3)) as frames:
        for n in (0, 1, 180, 181, 416):
            np.testing.assert_array_equal(frames(n), whole[n + 3])


def test_a_box_of_frames_is_the_same_before_and_behind_a_leap(tmp_path):
    rng = np.random.default_rng(0)
    path = made.write_video(
        tmp_path / "long.mp4", rng.integers(0, 255, (220, 32, 64, 3), np.uint8), 25
    )
    with closing(FrameReader(probe(path))) as whole:
        expected = [whole(n) for n in (0, 1, 200)]
    with closing(FrameReader(probe(path), box=(16, 0, 48, 32))) as frames:
        for n, frame in zip((0, 1, 200), expected, strict=True):
            np.testing.assert_array_equal(frames(n)[:, 24:40], frame[:, 24:40])
            assert not frames(n)[:, :16].any()


def test_what_is_leapt_over_is_not_decoded(tmp_path, numbered):
    with closing(FrameReader(replace(clip(tmp_path), frame_count=400))) as frames:
        assert [int(frames(n)[0, 0, 0]) for n in (0, 200)] == [0, 200]
    assert numbered == [0, 200]


def test_a_still_picture_is_every_frame(tmp_path, numbered):
    with closing(FrameReader(clip(tmp_path, still=True))) as frames:
        assert [int(frames(n)[0, 0, 0]) for n in (0, 7, 99)] == [0, 0, 0]
    assert numbered == [0]


def test_the_rest_of_one_picture_is_refused(tmp_path):
    photo = tmp_path / "photo.png"
    made.ffmpeg("-f", "lavfi", "-i", "color=size=32x32", "-frames:v", 1, photo)
    job = Job(photo, tmp_path / "o.mp4", frame_count=5, settings=DubSettings(keep_rest=True))
    with pytest.raises(InputError, match="no rest"):
        Source(job)


@pytest.mark.parametrize(
    "where", [{"audio_start": 1.0}, {"audio_delay": 0.4}, {"audio_duration": 0.0}]
)
def test_speech_of_which_nothing_is_heard_is_not_called_silent(where, tmp_path):
    photo, speech = tmp_path / "photo.png", tmp_path / "s.wav"
    made.ffmpeg("-f", "lavfi", "-i", "color=size=32x32", "-frames:v", 1, photo)
    made.ffmpeg("-f", "lavfi", "-i", "sine=duration=1", speech)
    job = Job(photo, tmp_path / "o.mp4", audio=speech, frame_count=10)
    assert len(Source(job).speech()) == 0.4 * SAMPLE_RATE
    with pytest.raises(NoSpeechError, match=r"Nothing of 's\.wav' is heard"):
        Source(replace(job, **where)).speech()


def test_a_silent_part_is_not_called_the_whole_sound(tmp_path):
    loud = 0.3 * np.sin(np.arange(32000) / 5)
    sound = made.write_wav(tmp_path / "late.wav", np.concatenate([np.zeros(32000), loud]), 16000)
    video = tmp_path / "v.mp4"
    made.ffmpeg("-f", "lavfi", "-i", "color=size=32x32:rate=25:duration=1", video)
    job = Job(video=video, output=tmp_path / "o.mp4", audio=sound)
    with pytest.raises(NoSpeechError, match=r"part of 'late.wav' .* \(0.0 to 1.0 s\) is silent"):
        Source(job).speech()
    with pytest.raises(NoSpeechError, match=r"\(0.5 to 0.8 s\) is silent"):
        Source(replace(job, audio_start=0.5, audio_duration=0.3)).speech()
    silent = made.write_wav(tmp_path / "silent.wav", np.zeros(16000), 16000)
    with pytest.raises(NoSpeechError, match=r"^'silent\.wav' is silent"):
        Source(replace(job, audio=silent)).speech()
