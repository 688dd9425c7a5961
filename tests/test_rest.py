"""A part of a video is dubbed, and the rest of it stays: through the whole way."""

import dataclasses
import subprocess
import threading

import av
import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from gsmooth_core.dub import dub
from gsmooth_core.errors import InputError, MediaError
from gsmooth_core.job.events import Notice
from gsmooth_core.job.job import Job
from gsmooth_core.job.journal import Journal
from gsmooth_core.job.rest import Rest
from gsmooth_core.job.settings import DubSettings
from gsmooth_core.job.source import Source
from gsmooth_core.media import read_audio
from gsmooth_core.media.joining.copies import listing
from gsmooth_core.media.joining.parameter_sets import Refused
from tests.clips import curves, pictures
from tests.media import made

COUNT = 4
SETTINGS = DubSettings(
    preset="ultrafast", chunk_frames=6, keep_rest=True, occluders=False, style=False
)
AROUND = 20 * [True] + COUNT * [False] + 16 * [True]
GROUPS = "keyint=4:scenecut=0:bframes=2:b-adapt=0"


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Forty frames with sound, of which the middle ones show a face."""
    path = tmp_path_factory.mktemp("rest") / "film.mp4"
    shown = pictures()
    frames = np.array([*shown[:12], *shown[::-1][:12], *shown[:16]])
    return made.write_video(path, frames, 25, "-x264-params", GROUPS, tone=1.6)


@pytest.fixture(scope="module")
def job(film):
    spoken = curves(film.parent / "curves.json", 0.3 * np.ones(COUNT))
    where = {"start_frame": 20, "frame_count": COUNT, "settings": SETTINGS}
    return Job(video=film, output=film.parent / "out.mp4", expression=spoken, **where)


def stored(path, kind="video"):
    with av.open(str(path)) as file:
        return [bytes(p) for p in file.demux(**{kind: 0}) if p.size]


def decoded(path):
    with av.open(str(path)) as file:
        return [frame.to_ndarray() for frame in file.decode(video=0)]


def alike(old, new):
    return [np.array_equal(a, b) for a, b in zip(old, new, strict=True)]


def test_segments_that_were_encoded_otherwise_are_made_anew(job, tmp_path, monkeypatch):
    """A stream has one header, and one order of decoding."""
    settings = dataclasses.replace(SETTINGS, keep_rest=False, chunk_frames=2)
    given = dataclasses.replace(job, output=tmp_path / "out.mp4", settings=settings)
    folder = tmp_path / "job"
    dub(given, folder)
    segments = [folder / f"segment_0000{number}.mp4" for number in (0, 1)]
    first = segments[0].read_bytes()
    segments[1].unlink()
    dub(given, folder)
    assert segments[0].read_bytes() == first
    segments[1].unlink()
    monkeypatch.setattr(
        "gsmooth_core.job.rest.fitted", lambda wish, *_: dataclasses.replace(wish, number=5)
    )
    dub(given, folder)
    assert listing(segments[0]).header == listing(segments[1]).header


def test_packets_around_the_dubbed_frames_are_the_source_s(job, tmp_path):
    events = []
    result = dub(job, tmp_path / "job", events.append)
    assert (result.frames, result.source_frames) == (40, COUNT)
    assert result.copied_frames == [(0, 19), (24, 39)]
    assert result.outside_mask_max_difference == 0
    assert not [event for event in events if isinstance(event, Notice)]
    old, new = stored(job.video), stored(job.output)
    assert [a == b for a, b in zip(old, new, strict=True)] == 20 * [True] + 4 * [False] + 16 * [
        True
    ]
    assert stored(job.video, "audio") == stored(job.output, "audio")
    same = [
        np.array_equal(a, b) for a, b in zip(decoded(job.video), decoded(job.output), strict=True)
    ]
    assert same == 20 * [True] + 4 * [False] + 16 * [True]


@pytest.mark.slow
def test_where_nothing_can_be_copied_the_rest_is_encoded_and_that_is_told(job, tmp_path):
    settings = dataclasses.replace(SETTINGS, quality="crf", crf=4)
    job = dataclasses.replace(job, settings=settings, output=tmp_path / "o.mkv")
    events = []
    result = dub(job, tmp_path / "job", events.append)
    assert [event.what for event in events if isinstance(event, Notice)] == ["copy"]
    assert (result.frames, result.copied_frames) == (40, [])
    old, new = decoded(job.video), decoded(job.output)
    far = [np.abs(a.astype(int) - b).mean() > 1.2 for a, b in zip(old, new, strict=True)]
    assert len(new) == 40
    assert not any(far[:20])
    assert not any(far[24:])


@pytest.mark.slow
def test_packets_that_do_not_fit_after_all_are_encoded(job, tmp_path, monkeypatch):
    def unlike(*_arguments):
        raise Refused("its frame 3 would look otherwise")

    monkeypatch.setattr("gsmooth_core.job.rest.see_alike", unlike)
    job = dataclasses.replace(job, output=tmp_path / "o.mp4")
    events = []
    result = dub(job, tmp_path / "job", events.append)
    told = [event.text for event in events if isinstance(event, Notice)]
    assert len(told) == 1
    assert "frame 3" in told[0]
    assert [notice.text for notice in result.notices] == told
    assert (result.frames, result.copied_frames) == (40, [])
    assert len(decoded(job.output)) == 40
    again = dub(job, tmp_path / "job")
    assert (again.copied_frames, again.notices) == ([], result.notices)


def test_the_speech_says_how_much_is_dubbed(film, tmp_path):
    speech = made.write_wav(tmp_path / "s.wav", made.speechlike(0.4), 16000)
    job = Job(
        video=film, output=tmp_path / "o.mp4", audio=speech, start_frame=20, settings=SETTINGS
    )
    source = Source(job)
    assert (source.count, source.length, source.first) == (10, 40, 0)
    sound = source.sound()
    assert (sound.delay, sound.duration) == (0.8, pytest.approx(0.4))
    assert [bed.heard for bed in sound.beds] == [((0.0, 0.8), (1.2, 1.6))]
    long = made.write_wav(tmp_path / "l.wav", made.speechlike(2), 16000)
    assert Source(dataclasses.replace(job, audio=long)).count == 20


def test_music_lies_below_the_dubbed_part_alone(film, tmp_path):
    speech = made.write_wav(tmp_path / "s.wav", made.speechlike(0.4), 16000)
    job = Job(film, tmp_path / "o.mp4", speech, start_frame=20, settings=SETTINGS, mix=speech)
    beds = Source(job).sound().beds
    assert [bed.heard for bed in beds] == [((0.0, 0.8), (1.2, 1.6)), ((0.8, 1.2),)]
    alone = dataclasses.replace(job, settings=dataclasses.replace(SETTINGS, keep_rest=False))
    (bed,) = Source(alone).sound().beds
    assert (bed.start, bed.heard) == (0.8, None)


@pytest.mark.parametrize(
    "change", [{"mix": "mix"}, {"length": "hold"}], ids=["two sounds", "another time"]
)
def test_contradictions_are_refused(job, tmp_path, change):
    if "mix" in change:
        settings = dataclasses.replace(SETTINGS, keep_source_audio=True)
        wrong = dataclasses.replace(job, mix=job.video, settings=settings)
    else:
        wrong = dataclasses.replace(job, settings=dataclasses.replace(SETTINGS, **change))
    with pytest.raises(InputError):
        dub(dataclasses.replace(wrong, output=tmp_path / "o.mp4"), tmp_path / "job")


@pytest.mark.slow
def test_the_sound_around_the_speech_stays(film, tmp_path):
    speech = made.write_wav(tmp_path / "s.wav", made.speechlike(0.4), 16000)
    job = Job(film, tmp_path / "o.mkv", speech, start_frame=20, settings=SETTINGS)
    result = dub(job, tmp_path / "job")
    assert result.notices == []
    kept = [packet in stored(film, "audio") for packet in stored(job.output, "audio")]
    assert kept[:20] == 20 * [True]
    assert kept[-12:] == 12 * [True]
    assert not all(kept)
    old, new = read_audio(film), read_audio(job.output)
    around = np.r_[0:12000, 20000:24000]
    assert np.corrcoef(old[around], new[around])[0, 1] > 0.99


def test_that_nothing_fits_is_said_before_the_work_begins(tmp_path):
    """One key picture, the first: behind what is dubbed nothing can be copied, nor before it."""
    path = tmp_path / "one.mp4"
    options = ("-x264-params", "keyint=infinite:scenecut=0")
    made.write_video(path, made.numbered_frames(40, 64, 48), 25, *options)
    speech = made.write_wav(tmp_path / "s.wav", made.speechlike(0.4), 16000)
    told = {}
    for start in (4, 25):
        job = Job(path, tmp_path / "o.mp4", speech, start_frame=start, settings=SETTINGS)
        rest = Rest(Source(job), Journal(tmp_path), lambda _: None, lambda: False)
        told[start] = [notice.text for notice in rest.notices]
    assert "no picture from which a player could begin" in told[4][0]
    assert told[25] == []
    whole = Job(path, tmp_path / "o.mp4", speech, frame_count=40, settings=SETTINGS)
    assert not Rest(Source(whole), Journal(tmp_path), lambda _: None, lambda: False).notices


def rest_of_job(job, folder):
    return Rest(Source(job), Journal(folder), lambda _: None, lambda: False)


def test_the_rate_is_tried_once_a_job_and_not_where_nothing_is_encoded(job, tmp_path, monkeypatch):
    settings = dataclasses.replace(SETTINGS, quality="auto", preset="medium")
    given = dataclasses.replace(job, settings=settings, start_frame=4, frame_count=32)
    spoken = curves(tmp_path / "curves.json", 0.3 * np.ones(32))
    given = dataclasses.replace(given, expression=spoken)
    tried = []

    def trial(wish, *_):
        tried.append(wish)
        return dataclasses.replace(wish, crf=wish.crf + 2)

    monkeypatch.setattr("gsmooth_core.job.rest.fitted", trial)
    nothing = rest_of_job(given, tmp_path)
    assert nothing.plan(np.zeros(32, bool)) == []
    assert (nothing.coded, tried) == ([], [])
    for wanted in (nothing._wish.crf + 2, nothing._wish.crf + 2):
        again = rest_of_job(given, tmp_path)
        again.plan(np.ones(32, bool))
        assert again.encoding.crf == wanted
        assert again.coded[again.coded.index("-crf") + 1] == str(wanted)
    assert len(tried) == 1
    (tmp_path / "rate.txt").write_text("1e9")  # it is not what the journal says
    assert rest_of_job(given, tmp_path).encoding.crf == nothing._wish.crf + 2
    assert len(tried) == 2


def test_the_rate_is_tried_while_the_face_is_followed(job, tmp_path, monkeypatch):
    settings = dataclasses.replace(
        SETTINGS, quality="auto", preset="medium", keep_rest=False, crf=11
    )
    spoken = curves(tmp_path / "curves.json", 0.3 * np.ones(32))
    given = dataclasses.replace(
        job, settings=settings, start_frame=4, frame_count=32, expression=spoken
    )
    tried, asked = [], threading.Event()

    def trial(wish, *where):
        asked.set()
        tried.append((wish.crf, *where[2:]))
        return dataclasses.replace(wish, crf=wish.crf + 2)

    monkeypatch.setattr("gsmooth_core.job.rest.fitted", trial)
    for _ in range(2):  # the second one finds it in the journal
        rest = rest_of_job(given, tmp_path)
        with rest.tried_meanwhile() as begin:
            assert not asked.wait(0.05) or tried
            begin()
            begin()
            assert asked.wait(10)
        assert rest.encoding.crf == 13
    assert tried == [(11, given.start_frame, 32)]


def test_a_trial_that_fails_says_so_where_its_factor_is_asked_for(job, tmp_path, monkeypatch):
    settings = dataclasses.replace(SETTINGS, quality="auto", preset="medium", keep_rest=False)
    spoken = curves(tmp_path / "curves.json", 0.3 * np.ones(32))
    given = dataclasses.replace(
        job, settings=settings, start_frame=4, frame_count=32, expression=spoken
    )

    def trial(*_):
        raise MediaError("The source was replaced.", "")

    monkeypatch.setattr("gsmooth_core.job.rest.fitted", trial)
    rest = rest_of_job(given, tmp_path)
    with rest.tried_meanwhile() as begin:
        begin()
    with pytest.raises(MediaError, match="replaced"):
        _ = rest.encoding


def as_shown(path):
    """The packets in the order in which they are shown."""
    with av.open(str(path)) as file:
        return [
            data for _, data in sorted((p.pts, bytes(p)) for p in file.demux(video=0) if p.size)
        ]


def shown_by(path, *decoder):
    """(time, picture) of each frame, by a decoder of ffmpeg's."""
    opened = [*decoder, "-i", str(path), "-map", "0:v", "-f", "framemd5", "-"]
    command = [get_ffmpeg_exe(), "-v", "error", *opened]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    lines = [line.split(",") for line in done.stdout.splitlines() if not line.startswith("#")]
    return [(int(line[2]), line[-1]) for line in lines]


@pytest.mark.slow
def test_a_minute_with_four_seconds_dubbed_plays_on_in_three_decoders(tmp_path):
    """Packets outside are the source's bit by bit, and no decoder loses or repeats a picture."""
    path, length, first, count = tmp_path / "minute.mp4", 1500, 612, 100
    frames = np.array(pictures())[np.arange(length) % 16]
    groups = "keyint=50:scenecut=0:bframes=3:weightp=0:ref=5"
    made.write_video(path, frames, 25, "-crf", 22, "-x264-params", groups, tone=60)
    spoken = curves(tmp_path / "curves.json", 0.3 * np.ones(count))
    settings = dataclasses.replace(SETTINGS, preset="medium", chunk_frames=64)
    where = {"start_frame": first, "frame_count": count, "settings": settings}
    job = Job(path, tmp_path / "out.mp4", expression=spoken, **where)
    result = dub(job, tmp_path / "job")
    outside = np.ones(length, bool)
    outside[[frame for a, b in result.copied_frames for frame in range(a, b + 1)]] = False
    assert outside.sum() < count + 50  # what is dubbed, and less than a group behind it
    same = ~outside
    assert not same[first : first + count].any()
    old, new = as_shown(path), as_shown(job.output)
    assert [a == b for a, b in zip(old, new, strict=True)] == same.tolist()
    decoders = [(), ("-c:v", "libopenh264")]
    for decoder in decoders:
        before, after = shown_by(path, *decoder), shown_by(job.output, *decoder)
        assert [at for at, _ in after] == list(range(length))
        assert all(before[frame] == after[frame] for frame in np.flatnonzero(same))
    assert np.array_equal(alike(decoded(path), decoded(job.output)), same)
